"""The contract of authenticators, held against each form of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from restante.auth import hashes, scram_verifiers
from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.client import AuthClient
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.options import (
    AuthOptions,
    FurtherMechanism,
    HashOptions,
    SourceOptions,
    ThrottleOptions,
)
from restante.auth.process import WorkerConnection
from restante.identity import Authenticator
from restante.sasl.saslprep import prepare_password
from restante.telemetry import RecordingLog
from restante.testing.authenticators import AuthenticatorContract, KnownAccount
from restante.testing.proofs import ProofContract

CHEAP = HashOptions(memory_kib=8, passes=1, scram_iterations=4_096)


class TestInProcess(AuthenticatorContract, ProofContract):
    """With our own database."""

    @pytest.fixture(autouse=True)
    def count_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[None] = []
        verify = hashes.verify

        def counted(stored: str, password: bytes) -> bool:
            self.begun.append(None)
            return verify(stored, password)

        monkeypatch.setattr(hashes, "verify", counted)

    def work_begun(self) -> int | None:
        return len(self.begun)

    def source(self, directory: Path, accounts: tuple[KnownAccount, ...]) -> SourceOptions:
        """Write the accounts down and return where."""
        path = directory / FILE_NAME
        path.parent.mkdir()
        database = AccountsDatabase(path)
        for account in accounts:
            stored = hashes.hash_password(account.password, CHEAP)
            password = prepare_password(account.password)
            verifier = scram_verifiers.make("SCRAM-SHA-256", password, CHEAP.scram_iterations)
            database.add(account.name, stored, account.mailbox, verifier)
            if account.disabled:
                database.disable(account.name)
        database.close()
        return SourceOptions()

    def mechanisms(self) -> frozenset[str]:
        return frozenset({"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"})

    def silence(self, directory: Path) -> bool:
        path = directory / FILE_NAME
        path.unlink()
        path.write_bytes(b"this is no database" * 100)
        return True

    def make(self, directory: Path, accounts: tuple[KnownAccount, ...]) -> InProcessAuthenticator:
        options = AuthOptions(
            state_directory=directory,
            sources=(self.source(directory, accounts),),
            hashing=CHEAP,
            throttle=ThrottleOptions(free_failures=1_000_000),
        )
        return InProcessAuthenticator(options, RecordingLog())

    @asynccontextmanager
    async def authenticator(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Authenticator]:
        authenticator = self.make(directory, accounts)
        yield authenticator
        await authenticator.close()


class TestInProcessWithAPasswdFile(TestInProcess):
    """With a file in Dovecot's format."""

    def stored(self, account: KnownAccount) -> str:
        """Return what the file holds of a password."""
        return hashes.hash_password(account.password, CHEAP)

    def source(self, directory: Path, accounts: tuple[KnownAccount, ...]) -> SourceOptions:
        path = directory / "passwd"
        with path.open("w") as lines:
            for account in accounts:
                stored = self.stored(account)
                extra = ["nologin"] if account.disabled else []
                if account.mailbox is not None:
                    extra.append(f"userdb_mail=maildir:{account.mailbox}")
                lines.write(f"{account.name}:{stored}::::::{' '.join(extra)}\n")
        return SourceOptions(type="passwd-file", path=path, verifies=self.verifies())

    def verifies(self) -> tuple[FurtherMechanism, ...]:
        """Return what the source is told to serve besides passwords."""
        return ()

    def mechanisms(self) -> frozenset[str]:
        return frozenset(self.verifies()) | {
            f"{name}-PLUS" for name in self.verifies() if name.startswith("SCRAM")
        }

    def silence(self, directory: Path) -> bool:
        # A file that is gone leaves what was read before, which is nothing here yet.
        (directory / "passwd").unlink()
        return True


class TestInProcessWithPlainEntries(TestInProcessWithAPasswdFile):
    """With a file whose entries are good for everything."""

    def stored(self, account: KnownAccount) -> str:
        return "{PLAIN}" + account.password.decode()

    def verifies(self) -> tuple[FurtherMechanism, ...]:
        return ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "APOP")


class TestProcess(TestInProcess):
    """Behind the socket of the auth process, as workers reach it."""

    @asynccontextmanager
    async def authenticator(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Authenticator]:
        behind, log = self.make(directory, accounts), RecordingLog()
        loop = asyncio.get_running_loop()
        path = directory / "auth.sock"
        server = await loop.create_unix_server(lambda: WorkerConnection(behind, log), str(path))
        client = AuthClient(path, log)
        yield client
        await client.close()
        server.close()
        await server.wait_closed()
        await behind.close()
        assert log.events == []


class TestProcessWithAPasswdFile(TestProcess, TestInProcessWithAPasswdFile):
    """The same with a file."""


class TestProcessWithPlainEntries(TestProcess, TestInProcessWithPlainEntries):
    """The same with such entries."""
