"""Whose certificate one is: by its fingerprint, by a name within, and by nothing doubtful."""

import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from restante.auth.certificates import CertificateNames
from restante.auth.options import SourceOptions
from restante.errors import TemporaryFailure
from restante.telemetry import Event, RecordingLog

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@cache
def certificate(
    *mails: str,
    common_names: tuple[str, ...] = ("bob",),
    names_octets: bytes | None = None,
    since: datetime.datetime = LONG_AGO,
    days: int = 36_500,
) -> bytes:
    """Return a certificate in DER, for names that somebody chose.

    `names_octets` is a whole SubjectAlternativeName, for one that no library writes.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common_names])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + datetime.timedelta(days=days))
    )
    if names_octets is not None:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names_octets),
            critical=False,
        )
    if mails:
        names = x509.SubjectAlternativeName(
            [x509.DNSName("eve.example.org"), *map(x509.RFC822Name, mails)]
        )
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def source(
    path: Path | None = None, named_by: str | None = None, log: RecordingLog | None = None
) -> CertificateNames:
    options = SourceOptions(type="certificate", path=path, certificate_name=named_by)  # type: ignore[arg-type]
    return CertificateNames(options, "example.org", log or RecordingLog())


@pytest.mark.parametrize(
    ("mails", "name"),
    [
        (("bob@example.net",), "bob@example.net"),
        (("Bob@EXAMPLE.net",), "bob@example.net"),
        ((), None),
        (("bob@example.net", "alice@example.net"), None),
        (("../bob@example.net",), None),
        (("bob\0@example.net",), None),
    ],
)
def test_a_mail_address_within(mails: tuple[str, ...], name: str | None) -> None:
    assert source().holder(certificate(*mails)) == name
    assert source(named_by="mail").holder(certificate(*mails)) == name


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (("bob",), "bob@example.org"),
        (("Bob@example.net",), "bob@example.net"),
        ((), None),
        (("bob", "alice"), None),
        (("Bob Builder",), None),
        (("bob/../alice",), None),
    ],
)
def test_a_common_name(names: tuple[str, ...], name: str | None) -> None:
    shown = certificate("alice@example.net", common_names=names)
    assert source(named_by="common-name").holder(shown) == name


@pytest.mark.parametrize("octets", [b"", b"kanarienvogel", certificate("bob@example.net")[:-40]])
def test_what_is_no_certificate_names_nobody(octets: bytes) -> None:
    for named_by in ("mail", "common-name"):
        assert source(named_by=named_by).holder(octets) is None


def test_a_file_of_fingerprints(tmp_path: Path) -> None:
    bob, alice, other = certificate("x@y.z"), certificate("alice@example.net"), certificate()
    plain, colons = sha256(bob).hexdigest(), sha256(other).digest().hex(":").upper()
    path = tmp_path / "fingerprints"
    path.write_text(f"# who\n\n{plain} Bob\n{colons}  robot@example.net \r\n{plain} alice\n")
    log = RecordingLog()
    listed = source(path, log=log)
    assert listed.holder(bob) == "bob@example.org", "before what stands in it, and the first of two"
    assert listed.holder(other) == "robot@example.net"
    assert listed.holder(alice) == "alice@example.net"
    only = source(path, "none", log)
    assert only.holder(bob) == "bob@example.org"
    assert only.holder(alice) is None
    path.write_text("")
    assert only.holder(bob) is None, "what is taken out is out at once"
    assert log.events == []


def test_a_bad_line_is_told_once_and_names_nobody(tmp_path: Path) -> None:
    bob = certificate("bob@example.net")
    path = tmp_path / "fingerprints"
    path.write_text(f"{sha256(bob).hexdigest()}\n{sha256(bob).hexdigest()[1:]} alice\n\n")
    log = RecordingLog()
    listed = source(path, "none", log)
    for _ in range(2):
        assert listed.holder(bob) is None
    ((event, fields),) = log.events
    assert (event, fields["reason"]) == (
        Event.WARNING,
        "no fingerprint and name in line 1, 2",
    )


def test_a_file_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        source(tmp_path / "nowhere").holder(certificate("bob@example.net"))
    assert str(tmp_path) not in caught.value.text


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("days_since", "days"), [(-3, 2), (1, 2)], ids=["expired", "not yet valid"]
)
def test_a_certificate_that_is_out_of_time_proves_nothing(
    tmp_path: Path, days_since: int, days: int, listed: bool
) -> None:
    """A resumed session has the certificate of its first handshake, however long ago that was."""
    now = datetime.datetime.now(datetime.UTC)
    since = now + datetime.timedelta(days=days_since)
    shown = certificate("bob@example.net", since=since, days=days)
    file = tmp_path / "fingerprints"
    file.write_text(f"{sha256(shown).hexdigest()} bob\n" if listed else "")
    assert source(file).holder(shown) is None
    assert source(file).holder(certificate("bob@example.net", since=now)) == "bob@example.net"


def test_a_name_of_a_kind_that_cannot_be_read_is_no_fault() -> None:
    """An X.400 address stands before the mail address."""
    mail = b"bob@example.net"
    within = b"\xa3\x00\x81" + bytes([len(mail)]) + mail
    shown = certificate(names_octets=b"\x30" + bytes([len(within)]) + within)
    assert source().holder(shown) is None
    assert source(named_by="common-name").holder(shown) == "bob@example.org"
