"""What `restante examine` was asked for: words of a command line made into values of the suite."""

import ipaddress
import re
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import click

from restante.cli.failures import DATA, NO_INPUT, NO_PERMISSION, CommandFailed
from restante.examine.case import Case
from restante.examine.doors import CommandDoor, Door, LmtpDoor, SmtpDoor
from restante.examine.maildir_door import MaildirDoor
from restante.examine.suite import CASES
from restante.examine.target import Account, ClientCertificate, Tls
from restante.examine.transfer import Address
from restante.examine.trust import ANYBODY, PinnedTrust, Trust, VerifiedTrust

IMPLICIT_PORT, CLEAR_PORT = 995, 110
LMTP_PORT, SMTP_PORT = 24, 25
MAXIMUM_PASSWORD_OCTETS = 4_096
MAXIMUM_TOKEN_OCTETS = 8_192
LONGEST_PATH = 107
"""Of a UNIX socket, in octets."""

_PLACE = re.compile(
    r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^\[\]:]*))(?::(?P<port>.*))?", re.DOTALL
)
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 §2.1 (b64token)."""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def place(text: str, default_port: int) -> tuple[str, int]:
    """Return host and port of `HOST[:PORT]`; an IPv6 address stands in brackets."""
    if "://" in text:
        raise click.UsageError(f"{text!a} is a URL: give the host alone, and --tls")
    if "@" in text:
        raise click.UsageError(f"{text!a} has a user in it: give the host alone, and --user")
    if text.count(":") > 1 and not text.startswith("["):
        raise click.UsageError(f"an IPv6 address stands in brackets: [{ascii(text)[1:-1]}]")
    parts = _PLACE.fullmatch(text)
    if parts is None:
        raise click.UsageError(f"{text!a} is no HOST[:PORT]")
    address = parts["address"]
    host = _host(parts["name"], text) if address is None else _address(address)
    port = parts["port"]
    return host, default_port if port is None else _port(port)


def _address(text: str) -> str:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise click.UsageError(f"{text!a} is no IPv6 address") from None
    return text


def _host(name: str, text: str) -> str:
    """Return a name that DNS can have, or an IPv4 address."""
    try:
        encoded = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        encoded = ""
    if len(encoded) > 253 or not _NAME.fullmatch(encoded):
        raise click.UsageError(f"{text!a} names no host")
    return encoded


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) < 1 << 16:
        raise click.UsageError(f"{text!a} is no port: 1 to 65535")
    return int(text)


def account_name(name: str, option: str) -> str:
    """Return a name that can be sent in a line."""
    if not name or re.search(r"[\0-\x1f\x7f\ud800-\udfff]", name):
        raise click.UsageError(f"{option}: {name!a} cannot be sent as a name")
    return name


def pinned(fingerprint: str) -> Trust:
    """Return trust in one certificate."""
    digits = fingerprint.lower().replace(":", "")
    if not _FINGERPRINT.fullmatch(digits):
        raise click.UsageError("--fingerprint: the SHA-256 of a certificate has 64 digits")
    return PinnedTrust(digits)


def verified(ca: Path | None) -> Trust:
    """Return trust in what the authorities in a file sign, or those the system knows."""
    try:
        return VerifiedTrust(ca)
    except OSError as error:
        plain = isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError)
        reason = error.strerror if plain else "there is no certificate in it"
        raise click.UsageError(f"--ca: {str(ca)!a}: {reason}") from error


def listener(text: str, default_port: int) -> Address:
    """Return a place or, behind `unix:`, a path."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path or len(path) > LONGEST_PATH:
            raise click.UsageError(f"{text!a} names no socket")
        return path
    return place(text, default_port)


def from_input(names: Sequence[str]) -> list[str]:
    """Return a password for each name, a line of standard input each."""
    limit = MAXIMUM_PASSWORD_OCTETS * len(names)
    lines = sys.stdin.buffer.read(limit + 1).split(b"\n")[: len(names)]
    if sum(map(len, lines)) > limit:
        raise CommandFailed(DATA, "a password on standard input is too long")
    try:
        passwords = [line.removesuffix(b"\r").decode() for line in lines]
    except UnicodeDecodeError:
        raise CommandFailed(DATA, "a password on standard input is not UTF-8") from None
    for name, password in zip_longest(names, passwords, fillvalue=""):
        if not password:
            raise CommandFailed(DATA, f"there is no password for {name!a} on standard input")
    return passwords


def asked_for(names: Sequence[str], where: str) -> list[str]:
    """Return a password for each name, typed without an echo."""
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: use --password-stdin")
    return [
        str(click.prompt(f"Password of {name} at {where}", hide_input=True, err=True))
        for name in names
    ]


def readable(path: Path, option: str, limit: int = 1) -> bytes:
    """Return the beginning of a file that an option names."""
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        status = NO_PERMISSION if isinstance(error, PermissionError) else NO_INPUT
        told = f"{option}: {str(path)!a}: {error.strerror}"
        raise CommandFailed(status, told) from error


def _named(case: Case, word: str) -> bool:
    """Tell whether a case has this id, or one that goes on behind it."""
    begun = (word.lower() + "-", word.lower() + "/")
    names = [name.lower() for name in (case.name, *case.ids)]
    return any(name == word.lower() or name.startswith(begun) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command line, a field for each option."""

    host: str | None
    user: str | None
    tls: str | None
    password_stdin: bool
    second_user: str | None
    oauth_token_file: Path | None
    client_certificate: Path | None
    client_key: Path | None
    ca: Path | None
    fingerprint: str | None
    insecure: bool
    scratch: bool
    read_mail: bool
    maildir: Path | None
    deliver_command: str | None
    lmtp: str | None
    smtp: str | None
    recipient: str | None
    case: tuple[str, ...]
    listed: bool
    timing: bool
    slow: bool
    patience: float
    deadline: float
    as_json: bool
    junit: Path | None
    html: Path | None
    verbose: bool

    def cases(self) -> tuple[Case, ...]:
        """Return the cases with these ids, or whose ids begin so; all of them without any."""
        for word in self.case:
            if not any(_named(case, word) for case in CASES):
                raise click.UsageError(f"no case is called {word!a}: --list shows all of them")
        if not self.case:
            return CASES
        return tuple(case for case in CASES if any(_named(case, word) for word in self.case))

    def place(self) -> tuple[str, int, Tls]:
        """Return host, port and how it comes to TLS; port 110 and STLS imply each other."""
        if self.host is None:
            raise click.UsageError("HOST is missing: the server to examine")
        if self.tls is not None:
            tls = Tls(self.tls)
            default = IMPLICIT_PORT if tls is Tls.IMPLICIT else CLEAR_PORT
            return (*place(self.host, default), tls)
        host, port = place(self.host, IMPLICIT_PORT)
        return host, port, Tls.STLS if port == CLEAR_PORT else Tls.IMPLICIT

    def names(self) -> list[str]:
        """Return the names of the accounts."""
        if self.user is None:
            raise click.UsageError("--user is missing: the account to log in with")
        names = [account_name(self.user, "--user")]
        if self.second_user is not None:
            names.append(account_name(self.second_user, "--second-user"))
            if names[0] == names[1]:
                raise click.UsageError("--second-user: it has to be another account")
        return names

    def trust(self, tls: Tls) -> Trust:
        """Return whose certificate is good enough."""
        if sum((self.ca is not None, self.fingerprint is not None, self.insecure)) > 1:
            raise click.UsageError("--ca, --fingerprint and --insecure exclude each other")
        named = self.ca is not None or self.fingerprint is not None
        if self.insecure or (tls is Tls.NONE and not named):
            return ANYBODY
        return verified(self.ca) if self.fingerprint is None else pinned(self.fingerprint)

    def check_files(self) -> None:
        """See that no report is written over another, nor over what is read."""
        read = {self.ca, self.client_certificate, self.client_key, self.oauth_token_file}
        taken = {path.resolve() for path in read if path is not None}
        for option, path in (("--junit", self.junit), ("--html", self.html)):
            if path is None:
                continue
            if path.resolve() in taken:
                raise click.UsageError(f"{option} and another option name the same file")
            taken.add(path.resolve())

    def door(self) -> Door | None:
        """Return the way in for messages; raises OSError where a Maildir cannot be opened."""
        ways = (self.maildir, self.deliver_command, self.lmtp, self.smtp)
        if sum(way is not None for way in ways) > 1:
            raise click.UsageError("one way in for messages is enough")
        recipient = self.recipient or self.user or ""
        if self.maildir is not None:
            return MaildirDoor(self.maildir)
        if self.deliver_command is not None:
            try:
                return CommandDoor(self.deliver_command, recipient, self.patience)
            except ValueError as error:
                raise click.UsageError(f"--deliver-command: {error}") from error
        if re.search(r"[\0-\x20\x7f<>\ud800-\udfff]", recipient) and (self.lmtp or self.smtp):
            raise click.UsageError(f"{recipient!a} is no recipient: --recipient names one")
        if self.lmtp is not None:
            return LmtpDoor(listener(self.lmtp, LMTP_PORT), recipient, self.patience)
        if self.smtp is not None:
            return SmtpDoor(place(self.smtp, SMTP_PORT), recipient, self.patience)
        return None

    def accounts(self, names: Sequence[str], where: str) -> list[Account]:
        """Return the accounts with their passwords."""
        passwords = from_input(names) if self.password_stdin else asked_for(names, where)
        for name, password in zip(names, passwords, strict=True):
            if re.search(r"[\0\r\n\ud800-\udfff]", password):
                raise CommandFailed(DATA, f"the password of {name!a} cannot be sent in a line")
        first, *others = [Account(*each) for each in zip(names, passwords, strict=True)]
        return [replace(first, token=self.token()), *others]

    def certificate(self) -> ClientCertificate | None:
        """Return the certificate of the account, if a file was named."""
        if self.client_certificate is None:
            if self.client_key is not None:
                raise click.UsageError("--client-key is of no use without --client-certificate")
            return None
        files = {"--client-certificate": self.client_certificate, "--client-key": self.client_key}
        for option, path in files.items():
            if path is not None:
                readable(path, option)
        certificate = ClientCertificate(self.client_certificate, self.client_key)
        try:
            certificate.present_in(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except OSError as error:
            told = "--client-certificate: there is no certificate with its key, or a passphrase"
            raise CommandFailed(DATA, told) from error
        return certificate

    def token(self) -> str | None:
        """Return the bearer token, if a file was named."""
        if self.oauth_token_file is None:
            return None
        octets = readable(self.oauth_token_file, "--oauth-token-file", MAXIMUM_TOKEN_OCTETS + 1)
        octets = octets.strip()
        if len(octets) > MAXIMUM_TOKEN_OCTETS or not _TOKEN.fullmatch(octets):
            raise CommandFailed(DATA, "--oauth-token-file: there is no bearer token in it")
        return octets.decode()
