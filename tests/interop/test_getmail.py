"""getmail6, which delivers into a Maildir and remembers unique-ids."""

import email
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop import maildirs, programs
from interop.conftest import Mailbox, NewMailbox
from interop.messages import HARD, LONG_LINE, Message, corpus
from interop.record import Peer, departs
from interop.service import HOST, MAIL_USER, Service, open_folder

from conftest import require
from serving import eventually

RUNS = 5
LOST_CHILD = "operation error (waiting child pid"
PEER = Peer("getmail6", "client", "getmail6")

# It has no STLS.
RETRIEVERS = {
    "in clear": ("SimplePOP3Retriever", "none"),
    "implicit TLS": ("SimplePOP3SSLRetriever", "implicit"),
}
EVERY_WAY = pytest.mark.parametrize("way", RETRIEVERS)


class Getmail:
    """getmail with one account, run by somebody who is not root, which it insists on."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.maildir = maildirs.make(home / "collected")
        self._user = MAIL_USER if os.geteuid() == 0 else None

    def configure(
        self,
        service: Service,
        mailbox: Mailbox,
        way: str,
        *options: str,
        authority: Path | None = None,
    ) -> None:
        """Write its configuration."""
        retriever, listener = RETRIEVERS[way]
        trusted = self.home / "authority.pem"
        shutil.copy(authority or service.authority, trusted)
        lines = [
            *("[retriever]", f"type = {retriever}", f"server = {HOST}"),
            *(f"port = {service.ports[listener]}", "timeout = 30"),
            *(f"username = {mailbox.name}", f"password = {mailbox.password}"),
            *([f"ca_certs = {trusted}"] if listener == "implicit" else []),
            *("[destination]", "type = Maildir", f"path = {self.maildir}/"),
            *("[options]", "delivered_to = false", "received = false", *options),
        ]
        (self.home / "getmailrc").write_text("\n".join(lines) + "\n")
        if self._user is not None:
            for path in (self.home, *self.home.rglob("*")):
                shutil.chown(path, self._user)

    def __call__(self) -> tuple[int, str]:
        """Run getmail and return its status and what it said.

        On a busy machine it may lose sight of a child of its own, and stops; it goes on where it
        was when it is run again.
        """
        for _ in range(RUNS):
            done = programs.run(
                *(require("getmail"), "--getmaildir", str(self.home), "--rcfile", "getmailrc"),
                home=self.home,
                user=self._user,
            )
            said = (done.stdout + done.stderr).decode(errors="replace")
            if LOST_CHILD not in said:
                break
        return done.returncode, said

    def collected(self) -> list[bytes]:
        """Return what it has collected, in no order that matters."""
        return sorted(maildirs.collected(self.maildir))


@pytest.fixture
def getmail() -> Iterator[Getmail]:
    """getmail in a home that its user can enter."""
    with open_folder("getmail") as home:
        yield Getmail(home)


def as_collected(message: Message) -> bytes:
    """Return what Python's email package makes of a message, behind the Return-Path."""
    parsed = email.message_from_bytes(message.wire.replace(b"\r\n", b"\n"))
    sender = str(parsed["Return-Path"] or parsed["Sender"] or "unknown").strip().strip("<>")
    del parsed["Return-Path"]
    written = parsed.as_bytes(policy=parsed.policy.clone(linesep="\n"))
    return f"Return-Path: <{sender}>\n".encode() + written


@EVERY_WAY
@departs(
    "Each message is parsed and written again by Python's email package: long fields are folded "
    "anew, a CR alone ends a line, a Return-Path stands on top.",
)
def test_keep(service: Service, new_mailbox: NewMailbox, getmail: Getmail, way: str) -> None:
    """Every message, once, but the line of 10 MB; they stay on the server, and the next run takes
    none.
    """
    mailbox = new_mailbox(corpus()[:-1])
    getmail.configure(service, mailbox, way, "read_all = false", "delete = false")
    for _ in range(2):
        status, said = getmail()
        assert status == 0, said
        assert getmail.collected() == sorted(map(as_collected, mailbox.messages))
    assert mailbox.remaining == len(mailbox.messages)


@EVERY_WAY
def test_delete(service: Service, new_mailbox: NewMailbox, getmail: Getmail, way: str) -> None:
    """Every message but the line of 10 MB, removed from the server when it was delivered."""
    mailbox = new_mailbox(corpus()[:-1])
    getmail.configure(service, mailbox, way, "delete = true")
    status, said = getmail()
    assert status == 0, said
    assert getmail.collected() == sorted(map(as_collected, mailbox.messages))
    assert mailbox.remaining == 0


@departs("A message with a line of more than 1 MiB is passed over, and the session given up in it.")
def test_long_line(service: Service, new_mailbox: NewMailbox, getmail: Getmail) -> None:
    """A line of 10 MB among other messages: nothing is removed that was not asked for by QUIT.

    QUIT is said before the message is read, so whether it is heard depends on how much of the
    message the network has taken by then: what is removed has to agree with what was heard.
    """
    mailbox = new_mailbox((HARD[0], LONG_LINE))
    getmail.configure(service, mailbox, "implicit TLS", "delete = true")
    _, said = getmail()
    assert "line too long" in said
    assert getmail.collected() == [as_collected(HARD[0])]
    eventually(lambda: bool(endings(service, mailbox)))
    [ending] = endings(service, mailbox)
    heard = "reason=quit " in ending
    assert f" removed={int(heard)} " in ending
    assert mailbox.remaining == 2 - int(heard)
    assert max(path.stat().st_size for path in maildirs.files(mailbox.maildir)) > 1 << 20


def endings(service: Service, mailbox: Mailbox) -> list[str]:
    """Return what the server says of the ends of an account's sessions."""
    lines = service.log().splitlines()
    return [line for line in lines if " logout: " in line and f"user={mailbox.name}" in line]


def test_stranger(service: Service, new_mailbox: NewMailbox, getmail: Getmail) -> None:
    """A certificate of an authority that is not trusted ends the session before the login."""
    mailbox = new_mailbox(HARD[:1])
    options = ("implicit TLS", "delete = true")
    getmail.configure(service, mailbox, *options, authority=service.stranger)
    _, said = getmail()
    assert "certificate verify failed" in said.lower()
    assert mailbox.remaining == 1
