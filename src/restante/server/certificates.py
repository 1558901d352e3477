"""Certificates: the TLS contexts of a server, chosen by the name a client asks for.

RFC 9325: TLS 1.2 with ECDHE and AEAD, TLS 1.3, no compression, no renegotiation. RFC 8314 §4.2: a
client certificate is asked for only where the configuration says whose are taken. What a
certificate has to be is checked when it is loaded, so that a configuration that cannot work is
refused before it replaces one that does.
"""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from restante.errors import ConfigurationError
from restante.server.exporter import Exporter
from restante.server.options import TlsOptions

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
ALPN = "pop3"
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_WEAK_HASHES = frozenset({"md5", "sha1"})


class Context(ssl.SSLContext):
    """A context of a server, with what a client can bind a login to."""

    server_end_point = b""
    """`tls-server-end-point`, the hash of its certificate (RFC 5929 §4.1)."""
    names: frozenset[str] = frozenset()
    """Host names in its certificate."""
    exporter: Exporter | None = None
    """What it logs its keys to; None: `tls-exporter` cannot be had."""


class Certificates:
    """The contexts of one version of the configuration."""

    def __init__(self, options: TlsOptions) -> None:
        if options.certificate is None or options.private_key is None:
            raise ConfigurationError("tls.certificate: a listener with TLS needs one")
        self.default = _context(
            options.certificate, options.private_key, options, "tls.certificate"
        )
        self._by_name: dict[str, Context] = {}
        for number, additional in enumerate(options.additional):
            key = f"tls.additional[{number}].certificate"
            context = _context(additional.certificate, additional.private_key, options, key)
            self._by_name |= {_comparable(name): context for name in additional.names}

    def log_keys(self) -> None:
        """Have all contexts log their keys to a pipe of this process, for channel bindings.

        Raises:
            OSError: there is no place for one.
        """
        contexts = {self.default, *self._by_name.values()}
        exporter = Exporter(contexts)
        for context in contexts:
            context.exporter = exporter

    def choose(self, name: str | None) -> Context:
        """Return the context for a name: its own, its wildcard's, or the default.

        RFC 9325 §3.7 would allow to refuse an unknown name; clients that connect by address or by
        an alias are too many for that.
        """
        if name is None:
            return self.default
        name = _comparable(name)
        wildcard = "*." + name.partition(".")[2]
        return self._by_name.get(name) or self._by_name.get(wildcard) or self.default


def _comparable(name: str) -> str:
    return name.lower().rstrip(".")


def _context(certificate: Path, private_key: Path, options: TlsOptions, key: str) -> Context:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[options.minimum]
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols([ALPN])
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    if options.session_tickets:
        # One is enough for a client that comes again, and each is made in every handshake.
        context.num_tickets = 1
    else:
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
    try:
        # Checked first: of a key that is too short OpenSSL says only that it cannot be loaded.
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        check(loaded, key)
        context.server_end_point, context.names = server_end_point(loaded), _names(loaded)
        # A key with a passphrase would make OpenSSL ask the terminal of whoever started us.
        context.load_cert_chain(certificate, private_key, password=_no_passphrase)
    except ssl.SSLError as error:
        _check_private_key(private_key, key.replace("certificate", "private_key"))
        raise ConfigurationError(f"{key}: {_reason(error)}") from error
    except OSError as error:
        raise ConfigurationError(f"{key}: {_reason(error)}") from error
    except ValueError as error:
        raise ConfigurationError(f"{key}: this is not a certificate in PEM") from error
    if options.client_authorities is not None:
        _ask_for_certificates(context, options.client_authorities)
    return context


def _ask_for_certificates(context: ssl.SSLContext, authorities: Path) -> None:
    """Ask clients for a certificate; one without is served as well."""
    key = "tls.client_authorities"
    try:
        context.load_verify_locations(authorities)
    except ssl.SSLError as error:
        raise ConfigurationError(f"{key}: this is no certificate in PEM") from error
    except OSError as error:
        raise ConfigurationError(f"{key}: {_reason(error)}") from error
    context.verify_mode = ssl.CERT_OPTIONAL


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(found.value.get_values_for_type(x509.DNSName))


def server_end_point(certificate: x509.Certificate) -> bytes:
    """Return the channel binding of a certificate; empty: it has none.

    RFC 5929 §4.1: the hash is that of its signature, SHA-256 in the place of MD5 and SHA-1, and
    undefined for signatures without one hash of their own.
    """
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return b""
    if algorithm.name in _WEAK_HASHES:
        algorithm = hashes.SHA256()
    return certificate.fingerprint(algorithm)


def _check_private_key(private_key: Path, key: str) -> None:
    """Say so if it is the key that cannot be loaded, which OpenSSL does not tell."""
    data = private_key.read_bytes()
    try:
        serialization.load_pem_private_key(data, None)
    except TypeError:
        raise ConfigurationError(f"{key}: a key with a passphrase cannot be used") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{key}: this is not a private key in PEM") from None


def _no_passphrase() -> bytes:
    return b""


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "certificate and private_key do not belong together"
        return "certificate or private_key cannot be loaded"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


def check(certificate: x509.Certificate, key: str) -> None:
    """Hold a certificate to RFC 9325 §4.5.

    Raises:
        ConfigurationError: it is too weak.
    """
    public_key = certificate.public_key()
    if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size < 2048:
        raise ConfigurationError(f"{key}: an RSA key needs at least 2048 bits")
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.key_size < 224:
        raise ConfigurationError(f"{key}: the curve of the key needs at least 224 bits")
    algorithm = certificate.signature_hash_algorithm
    if algorithm is not None and algorithm.name in _WEAK_HASHES:
        raise ConfigurationError(f"{key}: it is signed with {algorithm.name.upper()}")
