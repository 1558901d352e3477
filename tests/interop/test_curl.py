"""curl: one URL, one session."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from interop import maildirs, programs
from interop.all_mechanisms import AllMechanisms
from interop.conftest import Mailbox, NewMailbox
from interop.messages import HARD, Message
from interop.record import Peer, departs
from interop.service import HOST, Service

from conftest import require

PEER = Peer("curl", "client", "curl")

WAYS = {
    "in clear": ("pop3", "none", ()),
    "STLS": ("pop3", "stls", ("--ssl-reqd",)),
    "implicit TLS": ("pop3s", "implicit", ()),
}


class Curl:
    """curl with an account, on one of the ways to the service."""

    def __init__(self, service: Service, mailbox: Mailbox, way: str, home: Path) -> None:
        scheme, listener, options = WAYS[way]
        self.url = f"{scheme}://{HOST}:{service.ports[listener]}/"
        self._home = home
        self._options = (
            *("-sS", "--max-time", "50", "--cacert", str(service.authority), *options),
            *("-u", f"{mailbox.name}:{mailbox.password}"),
        )

    def __call__(self, *arguments: str) -> bytes:
        """Run curl, which has to succeed, and return what it printed."""
        return programs.succeed(require("curl"), *self._options, *arguments, home=self._home)

    def trace(self, *arguments: str) -> list[bytes]:
        """Run curl and return the lines it sent."""
        done = programs.run(require("curl"), *self._options, "-v", *arguments, home=self._home)
        assert done.returncode == 0, done.stderr
        return re.findall(rb"(?m)^> ([^\r\n]*)", done.stderr)


def as_curl_shows(message: Message) -> bytes:
    """Return a message as curl writes it."""
    return message.wire or b"\r\n"


@pytest.mark.parametrize("way", WAYS)
@departs("An empty message is written as one CRLF.")
def test_everything(service: Service, mailbox: Mailbox, tmp_path: Path, way: str) -> None:
    """LIST, UIDL, and RETR of every message."""
    curl = Curl(service, mailbox, way, tmp_path)
    listing = [b"%d %d" % (n, len(m.wire)) for n, m in enumerate(mailbox.messages, 1)]
    assert curl(curl.url).split(b"\r\n") == [*listing, b""]
    unique_ids = curl(curl.url, "-X", "UIDL").split(b"\r\n")
    names = map(maildirs.unique_part, maildirs.files(mailbox.maildir))
    assert unique_ids == [*(f"{n} {name}".encode() for n, name in enumerate(names, 1)), b""]
    curl(f"{curl.url}[1-{len(mailbox.messages)}]", "-o", "message#1")
    for number, message in enumerate(mailbox.messages, 1):
        assert (tmp_path / f"message{number}").read_bytes() == as_curl_shows(message), message.name


def test_top(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """TOP, as a command of the user's own, for no line, some and more than there are."""
    mailbox = new_mailbox(HARD[:-1])
    curl = Curl(service, mailbox, "implicit TLS", tmp_path)
    for number, message in enumerate(mailbox.messages, 1):
        for lines in (0, 2, 1_000) if number % 5 == 0 else (1,):
            shown = curl(curl.url, "-X", f"TOP {number} {lines}")
            assert shown == message.top(lines), (message.name, lines)


@pytest.mark.parametrize("way", WAYS)
def test_delete(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """DELE, as a command of the user's own: that message goes, no other."""
    mailbox = new_mailbox(HARD)
    curl = Curl(service, mailbox, way, tmp_path)
    before = maildirs.files(mailbox.maildir)
    curl(curl.url + "3", "-l", "-X", "DELE")
    assert maildirs.files(mailbox.maildir) == [*before[:2], *before[3:]]
    assert curl(curl.url + "3") == mailbox.messages[3].wire


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        pytest.param(("--login-options", "AUTH=PLAIN"), rb"AUTH PLAIN", id="AUTH PLAIN"),
        pytest.param(
            ("--login-options", "AUTH=PLAIN", "--sasl-ir"),
            rb"AUTH PLAIN \S+",
            id="AUTH PLAIN with an initial response",
        ),
    ],
)
def test_sasl(
    service: Service, new_mailbox: NewMailbox, tmp_path: Path, options: tuple[str, ...], sent: bytes
) -> None:
    """Login by SASL."""
    curl = Curl(service, new_mailbox(HARD[:1]), "STLS", tmp_path)
    commands = curl.trace(curl.url, *options)
    assert any(re.fullmatch(sent, command) for command in commands), commands


def test_user_and_password(
    passwords_only: Service, new_mailbox: NewMailbox, tmp_path: Path
) -> None:
    """Login by USER and PASS, which curl takes where no SASL mechanism is offered."""
    curl = Curl(passwords_only, new_mailbox(HARD[:1], passwords_only), "STLS", tmp_path)
    commands = curl.trace(curl.url)
    assert [command.split()[0] for command in commands][-3:] == [b"USER", b"PASS", b"LIST"]


@pytest.mark.parametrize("way", ["STLS", "implicit TLS"])
def test_stranger(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """A certificate of an authority that is not trusted ends the session before the login."""
    curl = Curl(service, new_mailbox(HARD[:1]), way, tmp_path)
    options = (*WAYS[way][2], "-u", "somebody:secret", "--cacert", str(service.stranger))
    done = programs.run(require("curl"), "-sS", *options, curl.url, home=tmp_path)
    assert done.returncode == 60, done.stderr


@pytest.mark.parametrize(
    ("asked", "mechanism"),
    [
        ("AUTH=PLAIN", "PLAIN"),
        ("AUTH=LOGIN", "LOGIN"),
        ("AUTH=CRAM-MD5", "CRAM-MD5"),
        ("AUTH=+APOP", "APOP"),
    ],
)
def test_every_mechanism(
    all_mechanisms: AllMechanisms,
    new_mailbox: NewMailbox,
    tmp_path: Path,
    asked: str,
    mechanism: str,
) -> None:
    """Every way to log in that both know, under TLS."""
    mailbox = new_mailbox(HARD[:1], of=all_mechanisms)
    curl = Curl(all_mechanisms, mailbox, "implicit TLS", tmp_path)
    assert curl(f"{curl.url}1", "--login-options", asked) == as_curl_shows(mailbox.messages[0])
    assert all_mechanisms.ways_in(mailbox.name) == [mechanism]


def test_a_client_certificate(
    all_mechanisms: AllMechanisms, new_mailbox: NewMailbox, tmp_path: Path
) -> None:
    """EXTERNAL, by a certificate and without a password."""
    mailbox = new_mailbox(HARD[:1], of=all_mechanisms)
    certificate, key = all_mechanisms.client_certificate(mailbox.name, tmp_path)
    curl = Curl(all_mechanisms, replace(mailbox, password=""), "implicit TLS", tmp_path)
    shown = ("--cert", str(certificate), "--key", str(key), "--login-options", "AUTH=EXTERNAL")
    assert curl(f"{curl.url}1", *shown) == as_curl_shows(mailbox.messages[0])
    assert all_mechanisms.ways_in(mailbox.name) == ["EXTERNAL"]
