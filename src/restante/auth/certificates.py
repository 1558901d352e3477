"""Whose certificate a client has shown: by a file of fingerprints, or by a name within it.

TLS has verified it against the authorities that the listener trusts, and here it is read. Its time
is looked at once more: a resumed session has that of its first handshake (RFC 8446 §2.2).

The file has lines of `SHA-256 name`, the fingerprint of the whole certificate in hexadecimal with
or without colons; what it names goes before any name in the certificate. It is read at every login,
and while it cannot be, nobody gets in by a certificate.
"""

import re
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from restante.auth.names import prepare
from restante.auth.options import SourceOptions
from restante.errors import TemporaryFailure
from restante.telemetry import Event, Log

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (
    ValueError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What reading a certificate raises that another program has made, and taken for good."""


class CertificateNames:
    """A source that says whose certificate one is."""

    name = "certificate"

    def __init__(
        self,
        options: SourceOptions,
        default_domain: str,
        log: Log,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = options.path
        self._named_by = options.certificate_name or "mail"
        self._default_domain = default_domain
        self._log = log
        self._wall_clock = wall_clock
        self._complaint = ""

    def holder(self, certificate: bytes) -> str | None:
        """Return the prepared name of whoever holds a certificate; see the contract."""
        fingerprint = sha256(certificate).hexdigest()
        listed = None if self._path is None else self._listed(self._path).get(fingerprint)
        try:
            read = x509.load_der_x509_certificate(certificate)
            if not self._is_valid(read):
                return None
            found = listed if listed is not None else self._within(read)
        except _UNREADABLE:
            return None
        return None if found is None else prepare(found, self._default_domain)

    def _listed(self, path: Path) -> dict[str, str]:
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise TemporaryFailure(reason=f"fingerprints: {error.strerror}") from error
        listed: dict[str, str] = {}
        bad = []
        for number, line in enumerate(text.split("\n"), 1):
            fingerprint, _, name = line.strip().partition(" ")
            fingerprint = fingerprint.replace(":", "").lower()
            if _FINGERPRINT.fullmatch(fingerprint) and name.strip():
                listed.setdefault(fingerprint, name.strip())
            elif fingerprint and not fingerprint.startswith("#"):
                bad.append(number)
        self._complain(path, bad)
        return listed

    def _complain(self, path: Path, bad: list[int]) -> None:
        """Say it once until something else is to be said."""
        complaint = ", ".join(map(str, bad[:10]))
        if complaint != self._complaint:
            self._complaint = complaint
            if bad:
                words = f"no fingerprint and name in line {complaint}"
                self._log(Event.WARNING, reason=words, file=str(path))

    def _is_valid(self, certificate: x509.Certificate) -> bool:
        since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return since.timestamp() <= self._wall_clock() <= until.timestamp()

    def _within(self, certificate: x509.Certificate) -> str | None:
        if self._named_by == "none":
            return None
        of_kind = _mail_names if self._named_by == "mail" else _common_names
        names = list(of_kind(certificate))
        # Of several, none is more the account's than another.
        return names[0] if len(names) == 1 else None


def _mail_names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return
    yield from extension.value.get_values_for_type(x509.RFC822Name)


def _common_names(certificate: x509.Certificate) -> Iterator[str]:
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        yield str(attribute.value)
