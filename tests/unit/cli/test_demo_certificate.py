"""The certificate of a demo: good for this machine, for a year, and with a key of its owner's."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from restante.cli import demo_certificate
from restante.cli.demo_certificate import is_usable, make_certificate
from restante.server.certificates import Certificates
from restante.server.options import TlsOptions


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    return certificate, key


def test_a_server_takes_it_and_a_client_trusts_it(made: tuple[Path, Path]) -> None:
    certificate, key = made
    context = Certificates(TlsOptions(certificate=certificate, private_key=key)).default
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("localhost", "127.0.0.1", "::1"):
        ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(theirs, ours, server_side=True)
        client = trusting.wrap_bio(ours, theirs, server_hostname=name)
        for end in (client, server, client):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
        assert client.version() == "TLSv1.3"


def test_the_key_is_its_owners_even_where_one_lay_open(made: tuple[Path, Path]) -> None:
    certificate, key = made
    before = key.read_bytes()
    key.chmod(0o644)
    make_certificate(certificate, key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes() != before


def test_it_is_used_as_long_as_it_is_valid(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, _ = made
    assert is_usable(certificate)
    ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    assert ends > datetime.now(UTC) + timedelta(days=300)
    monkeypatch.setattr(demo_certificate, "_DAY", timedelta(days=366))
    assert not is_usable(certificate)


def test_what_is_no_certificate_is_not_used(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    assert not is_usable(junk)
    junk.write_bytes(b"\xff")
    assert not is_usable(junk)
