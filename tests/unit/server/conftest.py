"""Fixtures of the server's unit tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from restante.server.certificates import Certificates
from restante.server.options import TlsOptions
from unit.server.booth import Booth, SteppedLoop, stepped_loop


@pytest.fixture
def loop() -> Iterator[SteppedLoop]:
    """A loop by a clock of the test's."""
    with stepped_loop() as made:
        yield made


@pytest.fixture
def booth(loop: SteppedLoop) -> Booth:
    """A service with alice's mailbox."""
    return Booth(loop)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who issues the certificates of a test run."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls_options(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> TlsOptions:
    """A certificate for `localhost`."""
    return write_certificate(authority, tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(scope="session")
def certificates(tls_options: TlsOptions) -> Certificates:
    """The contexts of that certificate."""
    return Certificates(tls_options)


def write_certificate(authority: trustme.CA, folder: Path, name: str) -> TlsOptions:
    """Issue a certificate and return the options that name its files."""
    issued = authority.issue_cert(name, key_type=trustme.KeyType.ECDSA)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return TlsOptions(certificate=certificate, private_key=key)
