"""Fixtures for every test: real servers, and what a real peer needs to be there."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from issuing import Issuer
from serving import ALL_VERIFIED, TOKENS, ServerProcess

# How long an example takes depends on who else uses the machine, and says nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def require(program: str) -> str:
    """Return the path of a program of Debian's; where CI runs, it has to be there."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed: see packaging/test-packages.sh")
    return found


class RestanteServer:
    """Two servers that know the same accounts: one takes passwords in clear, one does not.

    They offer what there is by default, or these `mechanisms`, and UTF8 if told so, with
    `surrogates` for clients that do not say it.
    """

    def __init__(
        self, directory: Path, *mechanisms: str, utf8: bool = False, surrogates: bool = False
    ) -> None:
        certificates = "EXTERNAL" in mechanisms
        self._issuer = None if set(TOKENS).isdisjoint(mechanisms) else Issuer()
        self.open, self.strict = (
            ServerProcess(
                directory / name,
                cleartext=cleartext,
                mechanisms=mechanisms,
                utf8=utf8,
                surrogates=surrogates,
                verifies=ALL_VERIFIED if mechanisms else (),
                client_certificates=certificates,
                issuer=self._issuer,
            )
            for name, cleartext in (("open", "always"), ("strict", "tls"))
        )
        self._certificates = directory / "clients" if certificates else None
        self.strict.mail = self.open.mail
        self.strict.passwords = self.open.passwords
        self.strict.certificate = self.open.certificate
        self.strict.private_key = self.open.private_key
        self.strict.write_configuration()
        self.host = self.open.host
        self.certificate = self.open.certificate

    def start(self) -> None:
        """Start both."""
        self.open.start()
        self.strict.start()
        self.clear_port = self.open.ports["stls"]
        self.tls_port = self.open.ports["implicit"]
        self.none_port = self.open.ports["none"]
        self.strict_port = self.strict.ports["stls"]

    def stop(self) -> None:
        """Stop both."""
        self.open.stop()
        self.strict.stop()

    def account(self, name: str, password: str) -> Path:
        """Add an account to both and return its Maildir."""
        return self.open.account(name, password)

    def token(self, name: str) -> str | None:
        """Issue a bearer token for an account; None: none is taken."""
        return None if self._issuer is None else self._issuer.token(name)

    def client_certificate(self, name: str) -> tuple[Path, Path] | None:
        """Issue a certificate and its key for an account; None: none is taken."""
        if self._certificates is None:
            return None
        self._certificates.mkdir(exist_ok=True)
        return self.open.client_certificate(name, self._certificates)


@pytest.fixture(scope="session")
def restante_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestanteServer]:
    """The servers that a whole run of tests talks to."""
    yield from running(RestanteServer(tmp_path_factory.mktemp("restante"), utf8=True))


def running(server: RestanteServer) -> Iterator[RestanteServer]:
    """Yield a server while it runs."""
    server.start()
    yield server
    server.stop()
