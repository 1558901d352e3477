"""Composition root: the only module that names implementations.

Here settings become sources, stores and processes. Implementations are imported where they are put
to use: a command that asks a running server who is there must not load what serves mail.
"""

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from restante.config import loading
from restante.config.configuration import Configuration
from restante.config.findings import Findings
from restante.delivery import local
from restante.errors import (
    AccountError,
    ConfigurationError,
    MessageVanished,
    PermanentFailure,
    UnknownAccount,
)
from restante.identity import Identity
from restante.maildrop import DropListing, MailStore
from restante.secret import Secret
from restante.server.registry import control_socket
from restante.telemetry import Event, Field, LineLog, Log, RecordingLog, SystemLog

if TYPE_CHECKING:
    from restante.admin.control import ControlClient
    from restante.auth.administration import Administration
    from restante.auth.devices.administration import DeviceAdministration
    from restante.auth.options import AuthOptions
    from restante.auth.sources import Account
    from restante.auth.trial import Trial
    from restante.server.certificates import Certificates
    from restante.server.generation import Generation
    from restante.server.mechanisms import TokenHints
    from restante.stores.maildir import MaildirStore

EmptyMessage = local.EmptyMessage

_PIECE_OCTETS = 131_072

Announce = Callable[[list[tuple[str, str]]], None]
"""Called once clients are served, with address and TLS mode of every listener."""


# ---- a server


def serve(file: Path, announce: Announce | None = None) -> int:
    """Serve by a configuration file until told to end, and return the exit status.

    Raises:
        ConfigurationError: it cannot be honoured.
    """
    from restante.server.supervisor import Supervisor

    configuration = loading.load(file)
    first = generation(configuration, check(configuration))
    log = LineLog() if announce is None else AnnouncingLog(announce)
    log.never_wait()
    # What is told to a person ends with the terminal that it was told on.
    hangup_ends = announce is not None
    supervisor = Supervisor(first, lambda: _reload(file), log, hangup_ends=hangup_ends)
    try:
        return supervisor.run()
    except ConfigurationError as error:
        raise configuration.locate(error) from error


def _reload(file: Path) -> "Generation":
    configuration = loading.load(file)
    return generation(configuration, check(configuration))


def check(configuration: Configuration) -> "Certificates | None":
    """Hold a configuration against this machine, and return its certificates if it has any.

    Raises:
        ConfigurationError: it cannot be honoured here.
    """
    from restante.config.environment import check_environment
    from restante.server.certificates import Certificates

    findings = configuration.findings()
    check_environment(configuration, findings)
    _check_mechanisms(configuration, findings)
    findings.raise_any()
    if configuration.server.tls.certificate is None:
        return None
    try:
        return Certificates(configuration.server.tls)
    except ConfigurationError as error:
        raise configuration.locate(error) from error


def _check_mechanisms(configuration: Configuration, findings: Findings) -> None:
    """Find a configuration by which nobody could log in: no source can judge what is offered."""
    from restante.auth.verifiable import verifiable

    path, offered = ("auth", "mechanisms"), configuration.server.offers.mechanisms
    if offered and not findings.about(path) and verifiable(configuration.auth).isdisjoint(offered):
        findings.add(path, "no source of accounts can verify any of these")


def generation(configuration: Configuration, certificates: "Certificates | None") -> "Generation":
    """Return what the processes of a server are made of."""
    from restante.auth import process
    from restante.auth.client import AuthClient
    from restante.auth.verifiable import verifiable
    from restante.server.generation import Generation

    auth, configured = configuration.auth, configuration
    if configured.mail.store == "maildir":
        # Before the processes are forked: they share it, and one that starts anew has it at once.
        importlib.import_module("restante.stores.maildir")

    def build(auth_socket: Path, log: LineLog) -> tuple[AuthClient, MailStore]:
        return AuthClient(auth_socket, log), worker_store(configured, log)

    return Generation(
        configuration.server,
        certificates,
        verifiable=verifiable(auth),
        run_auth=lambda listener, channel, log: process.run(auth, listener, log, channel),
        build=build,
        token_hints=_token_hints(auth),
    )


def _token_hints(auth: "AuthOptions") -> "TokenHints | None":
    """Return what clients are told of the first issuer, whose tokens are most likely meant."""
    from restante.server.mechanisms import TokenHints

    issuers = [source.oauth2 for source in auth.sources if source.oauth2 is not None]
    if not issuers:
        return None
    issuer, page = issuers[0].issuer.rstrip("/"), ""
    if issuer.startswith("https://"):
        page = f"{issuer}/.well-known/openid-configuration"  # OpenID Connect Discovery §4
    return TokenHints(" ".join(issuers[0].scope), page)


class AnnouncingLog(LineLog):
    """The log of a server whose start is told to a person, instead of being logged."""

    _TOLD = frozenset({Event.STARTED, Event.LISTENING, Event.PROCESS_STARTED, Event.READY})

    def __init__(self, announce: Announce) -> None:
        super().__init__()
        self._announce = announce
        self._listeners: list[tuple[str, str]] = []

    def __call__(self, event: Event, /, **fields: Field) -> None:
        """Write a line, or take part of what will be told."""
        if event is Event.LISTENING:
            self._listeners.append((str(fields["address"]), str(fields["mode"])))
        elif event is Event.READY:
            self._announce(self._listeners)
        if event not in self._TOLD:
            super().__call__(event, **fields)


def control(file: Path) -> "ControlClient":
    """Return a client of the control socket of the server that was started with this file.

    Raises:
        ConfigurationError: the file does not say where that is.
    """
    from restante.admin.control import ControlClient

    return ControlClient(control_socket(loading.load_state_directory(file)))


# ---- stores


def worker_store(configuration: Configuration, log: Log) -> MailStore:
    """Return the store of one worker; called in the worker, before it has threads."""
    if configuration.mail.store == "memory":
        from restante.stores.memory import MemoryStore

        return MemoryStore()
    from restante.stores.maildir import MaildirStore

    return MaildirStore(configuration.mail, log)


def command_store(configuration: Configuration) -> "MaildirStore":
    """Return the store for a command that works beside the server.

    From here on this process is who the workers are: what it makes must be theirs.

    Raises:
        ConfigurationError: the store is not on disk.
    """
    from restante.server import privileges
    from restante.stores.maildir import MaildirStore

    if configuration.mail.store != "maildir":
        error = ConfigurationError('mail.store: only "maildir" can be used beside a server')
        raise configuration.locate(error)
    user = configuration.server.user
    if user is not None and os.geteuid() == 0:
        privileges.look_up(user, "user")
        privileges.become(user)
    return MaildirStore(configuration.mail, RecordingLog())


# ---- commands


def accounts(configuration: Configuration) -> "Administration":
    """Return the accounts database for the account commands.

    Raises:
        ConfigurationError: logins would not look into it.
    """
    from restante.auth.administration import Administration

    if all(source.type != "accounts" for source in configuration.auth.sources):
        error = ConfigurationError('auth.source: none is of type "accounts", nothing to command')
        raise configuration.locate(error)
    return Administration(configuration.auth, configuration.server.auth_user, SystemLog())


def devices(accounts: "Administration") -> "DeviceAdministration":
    """Return the devices of an accounts database, for the device commands."""
    from restante.auth.devices.administration import DeviceAdministration

    return DeviceAdministration(accounts)


def trial_mechanisms() -> tuple[str, ...]:
    """Return the mechanisms that a login can be tried by."""
    from restante.auth import trial

    return trial.MECHANISMS


def try_login(
    configuration: Configuration, name: str, secret: Secret, mechanism: str, address: str
) -> "Trial":
    """Return what would come of a login, with the rights of the auth process.

    Raises:
        TemporaryFailure: a source cannot say now.
    """
    from restante.auth import trial
    from restante.server import privileges

    user = configuration.server.auth_user
    if user is not None and os.geteuid() == 0:
        privileges.look_up(user, "auth_user")
        privileges.become(user)
    return trial.attempt(configuration.auth, name, secret, mechanism, address)


def identity(configuration: Configuration, name: str) -> Identity:
    """Return whom a name stands for, without proof: for commands of the administrator.

    Raises:
        UnknownAccount: no source knows it.
        TemporaryFailure: a source cannot say now.
    """
    import asyncio

    from restante.auth.asking import Asker
    from restante.auth.chain import Chain
    from restante.auth.names import prepare
    from restante.auth.source_types import make_sources

    async def found(prepared: str) -> "Account | None":
        sources = Chain(make_sources(configuration.auth, RecordingLog()))
        try:
            return await sources.find(prepared, None, Asker())
        finally:
            await sources.close()

    prepared = prepare(name, configuration.auth.default_domain)
    account = None if prepared is None else asyncio.run(found(prepared))
    # Where nobody is known without their password, nobody is known here.
    if account is None or account.proved is False:
        raise UnknownAccount(f"there is no account {ascii(name)[1:-1]}")
    return Identity(account.name, account.source, account.mailbox)


def mailbox(configuration: Configuration, name: str) -> str | None:
    """Return where mail.path puts the mail of an account; None: not on disk.

    Raises:
        AccountError: this name can have no path there.
    """
    from restante.stores.paths import mailbox_path

    mail = configuration.mail
    if mail.store != "maildir":
        return None
    try:
        return mailbox_path(mail.path, Identity(name), mail.default_domain)
    except PermanentFailure:
        hint = "" if "@" in name else "; set auth.default_domain, or use a name with a domain"
        raise AccountError(f"mail.path has no place for {name}{hint}") from None


def deliver(configuration: Configuration, name: str, message: BinaryIO) -> bytes:
    """Store one message for an account, and return its unique-id.

    Raises:
        UnknownAccount: no source knows the name.
        EmptyMessage: there is no message.
        TemporaryFailure: it was not stored.
        ConfigurationError: this store takes none.
    """
    # Looked up before this process becomes who must not read the accounts.
    somebody = identity(configuration, name)
    return local.deliver(command_store(configuration), somebody, message, RecordingLog())


def listing(configuration: Configuration, name: str) -> DropListing:
    """Return what the next session of an account would see; nothing is locked.

    Raises:
        UnknownAccount: no source knows the name.
        Refusal: the mail cannot be read.
    """
    somebody = identity(configuration, name)
    return command_store(configuration).listing(somebody)


def message(configuration: Configuration, name: str, number: int) -> Iterator[bytes]:
    """Yield the octets of a message as a session would send them, without stuffing.

    Raises:
        UnknownAccount: no source knows the name.
        Refusal: the message cannot be read, or there is none of that number.
    """
    somebody = identity(configuration, name)
    store = command_store(configuration)
    listed = store.listing(somebody)
    if not 1 <= number <= listed.count:
        raise MessageVanished(f"there is no message {number}, there are {listed.count}")
    with closing(store.reader(somebody, number, listed)) as reader:
        while data := reader.read(_PIECE_OCTETS):
            yield data
