"""Certificates: which one for which name, and which none at all."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from restante.errors import ConfigurationError
from restante.server.certificates import Certificates, check, server_end_point
from restante.server.options import CertificateOptions, TlsOptions
from unit.server.conftest import write_certificate

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def self_signed(key: Key) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def several(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("several")
    default = write_certificate(authority, folder, "localhost")
    additional = []
    for number, names in enumerate((("pop.example.net", "POP3.Example.Net"), ("*.example.org",))):
        made = write_certificate(authority, folder, f"n{number}.example")
        assert made.certificate is not None
        assert made.private_key is not None
        additional.append(
            CertificateOptions(
                names=names, certificate=made.certificate, private_key=made.private_key
            )
        )
    return Certificates(
        TlsOptions(
            certificate=default.certificate,
            private_key=default.private_key,
            additional=tuple(additional),
        )
    )


@pytest.mark.parametrize("name", ["pop.example.net", "POP.EXAMPLE.NET", "pop3.example.net."])
def test_a_name_chooses_its_certificate(several: Certificates, name: str) -> None:
    """conformance: 9325-S-06."""
    assert several.choose(name) is several.choose("pop.example.net")
    assert several.choose(name) is not several.default


def test_a_wildcard_stands_for_one_level(several: Certificates) -> None:
    chosen = several.choose("mail.example.org")
    assert chosen is not several.default
    assert chosen is several.choose("other.example.org")
    for name in ("example.org", "a.b.example.org", "*.example.com"):
        assert several.choose(name) is several.default


@pytest.mark.parametrize("name", [None, "", ".", "nobody.example.com", "192.0.2.1", "x" * 300])
def test_any_other_name_gets_the_first(several: Certificates, name: str | None) -> None:
    assert several.choose(name) is several.default


def test_what_a_context_allows(several: Certificates) -> None:
    """conformance: 9325-S-03, 9325-S-05, 9325-S-08, 8314-S-06, 8314-S-08."""
    context = several.default
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_mode is ssl.CERT_NONE
    for cipher in context.get_ciphers():
        name = cipher["name"]
        assert name.startswith(("TLS_", "ECDHE-"))
        assert "GCM" in name or "CHACHA20" in name


def test_a_minimum_of_ones_own(tls_options: TlsOptions) -> None:
    options = TlsOptions(
        certificate=tls_options.certificate, private_key=tls_options.private_key, minimum="1.3"
    )
    assert Certificates(options).default.minimum_version is ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("tickets", [True, False])
def test_who_comes_again_may_resume_or_not(tls_options: TlsOptions, *, tickets: bool) -> None:
    """conformance: 9325-S-04"""
    context = Certificates(replace(tls_options, session_tickets=tickets)).default
    assert context.num_tickets == tickets
    assert bool(context.options & ssl.OP_NO_TICKET) != tickets


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (self_signed(rsa.generate_private_key(65537, 1024)), "at least 2048 bits"),
        (self_signed(ec.generate_private_key(ec.SECP192R1())), "at least 224 bits"),
    ],
)
def test_keys_that_are_too_small(certificate: x509.Certificate, words: str) -> None:
    """conformance: 9325-S-10."""
    with pytest.raises(ConfigurationError, match=words) as raised:
        check(certificate, "tls.certificate")
    assert str(raised.value).startswith("tls.certificate: ")


def test_a_signature_that_is_too_weak() -> None:
    """conformance: 9325-S-10."""

    key = ec.generate_private_key(ec.SECP256R1())
    strong = self_signed(key)

    class Weak:
        signature_hash_algorithm = hashes.SHA1()

        def public_key(self) -> object:
            return strong.public_key()

    with pytest.raises(ConfigurationError, match="SHA1"):
        check(Weak(), "tls.certificate")  # type: ignore[arg-type]
    check(strong, "tls.certificate")


def options(certificate: Path, key: Path) -> TlsOptions:
    return TlsOptions(certificate=certificate, private_key=key)


def test_files_that_cannot_be_used(
    authority: trustme.CA, tls_options: TlsOptions, tmp_path: Path
) -> None:
    other = write_certificate(authority, tmp_path, "other")
    assert tls_options.certificate is not None
    assert tls_options.private_key is not None
    assert other.private_key is not None
    junk = tmp_path / "junk"
    junk.write_bytes(b"\xff\0")
    locked = tmp_path / "locked"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"phrase"),
        )
    )
    for certificate, key, words in (
        (tls_options.certificate, other.private_key, "do not belong together"),
        (junk, tls_options.private_key, "not a certificate in PEM"),
        (tls_options.certificate, junk, "this is not a private key in PEM"),
        (tls_options.certificate, locked, "a key with a passphrase"),
        (tmp_path / "absent", tls_options.private_key, "No such file"),
        (tmp_path, tls_options.private_key, "Is a directory"),
    ):
        with pytest.raises(ConfigurationError, match=words) as raised:
            Certificates(options(certificate, key))
        blamed = "private_key" if "key" in words else "certificate"
        assert str(raised.value).startswith(f"tls.{blamed}: ")


def test_the_key_of_an_additional_certificate_is_named(
    tls_options: TlsOptions, tmp_path: Path
) -> None:
    absent = CertificateOptions(
        names=("x",), certificate=tmp_path / "absent", private_key=tmp_path / "absent"
    )
    with pytest.raises(ConfigurationError, match=r"^tls\.additional\[0\]\.certificate: "):
        Certificates(
            TlsOptions(
                certificate=tls_options.certificate,
                private_key=tls_options.private_key,
                additional=(absent,),
            )
        )


@pytest.mark.parametrize(
    ("signed_by", "bound_by"),
    [
        (hashes.SHA256(), hashes.SHA256()),
        (hashes.SHA384(), hashes.SHA384()),
        (hashes.SHA512(), hashes.SHA512()),
        (hashes.SHA1(), hashes.SHA256()),
        (hashes.MD5(), hashes.SHA256()),
    ],
    ids=lambda algorithm: algorithm.name,
)
def test_a_login_is_bound_by_the_hash_of_the_signature(
    signed_by: hashes.HashAlgorithm, bound_by: hashes.HashAlgorithm
) -> None:
    """RFC 5929 §4.1. conformance: 5929-S-02"""
    certificate = self_signed(ec.generate_private_key(ec.SECP256R1()))
    fingerprint = certificate.fingerprint(bound_by)
    assert server_end_point(signed_otherwise(certificate, signed_by)) == fingerprint


def test_without_a_hash_in_the_signature_there_is_nothing_to_bind_to() -> None:
    certificate = self_signed(ec.generate_private_key(ec.SECP256R1()))
    assert server_end_point(signed_otherwise(certificate, None)) == b""


def signed_otherwise(
    certificate: x509.Certificate, algorithm: hashes.HashAlgorithm | None
) -> x509.Certificate:
    """Return a certificate that says it was signed otherwise."""
    return cast(
        x509.Certificate,
        SimpleNamespace(signature_hash_algorithm=algorithm, fingerprint=certificate.fingerprint),
    )


def test_the_names_of_a_certificate_are_known(several: Certificates) -> None:
    """conformance: 7628-S-03"""
    assert several.default.names == {"localhost"}
    assert several.choose("pop.example.net").names == {"n0.example"}


def test_a_certificate_may_have_no_names(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    options = TlsOptions(certificate=tmp_path / "c.pem", private_key=tmp_path / "k.pem")
    pem = serialization.Encoding.PEM
    (tmp_path / "c.pem").write_bytes(self_signed(key).public_bytes(pem))
    (tmp_path / "k.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    assert Certificates(options).default.names == frozenset()


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_authorities_that_cannot_be_read_are_refused(
    tls_options: TlsOptions, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^tls\.client_authorities: "):
        Certificates(replace(tls_options, client_authorities=path))
