"""Perl's Net::POP3, from its standard library; TLS by IO::Socket::SSL, SASL by Authen::SASL."""

from pathlib import Path

import pytest

from interop import maildirs, programs
from interop.conftest import Mailbox, NewMailbox
from interop.messages import HARD, corpus
from interop.record import Peer, departs
from interop.service import Service

from conftest import require

PEER = Peer("Net::POP3", "client", "perl")

SCRIPT = Path(__file__).with_name("net_pop3.pl")
LISTENERS = {"clear": "none", "stls": "stls", "implicit": "implicit"}
EVERY_WAY = pytest.mark.parametrize(
    "way",
    [
        pytest.param("clear", id="in clear"),
        pytest.param("stls", id="STLS"),
        pytest.param("implicit", id="implicit TLS"),
    ],
)


class NetPop3:
    """The script, with an account of the service."""

    def __init__(self, service: Service, mailbox: Mailbox, home: Path) -> None:
        self._service = service
        self._mailbox = mailbox
        self.home = home

    def __call__(
        self, way: str, *, login: str = "login", action: str = "collect", trusting: str = ""
    ) -> tuple[int, list[str], str]:
        """Run it and return its status, the lines it printed, and its errors."""
        mailbox = self._mailbox
        done = programs.run(
            *(require("perl"), SCRIPT, way, login, str(self._service.ports[LISTENERS[way]])),
            *(trusting or self._service.authority, self.home, action),
            home=self.home,
            environment={"POP3_NAME": mailbox.name, "POP3_PASSWORD": mailbox.password},
        )
        return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


def as_it_gives(lines: bytes, way: str) -> bytes:
    """Return lines as Net::POP3 gives them."""
    return lines.replace(b"\r\n", b"\n") if way == "clear" else lines


@EVERY_WAY
@departs(
    "Without TLS, lines are handed over with LF for CRLF; under TLS as they are.",
    "`list` with a number tells no size for an empty message: 0 counts as nothing.",
)
def test_everything(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """USER and PASS, CAPA, STAT, LIST, UIDL, and RETR and TOP of every message; without TLS all
    but the line of 10 MB, which Net::POP3 then takes minutes of its own CPU for.
    """
    # It reads 1,024 octets and copies all that it has of the line, again and again.
    mailbox = new_mailbox(corpus()[:-1] if way == "clear" else corpus())
    status, lines, errors = NetPop3(service, mailbox, tmp_path)(way)
    assert status == 0, errors
    count = len(mailbox.messages)
    assert lines[0] == f"login {count}"
    assert {"PIPELINING", "SASL", "TOP", "UIDL", "USER"} <= set(lines[1].split())
    assert lines[2] == f"stat {count} {sum(len(m.wire) for m in mailbox.messages)}"
    told: list[str] = []
    for number, message in enumerate(mailbox.messages, 1):
        unique_id = maildirs.unique_part(maildirs.files(mailbox.maildir)[number - 1])
        told.append(f"message {number} {len(message.wire)} {unique_id}")
        told.append(f"size {number} {len(message.wire) or 'unknown'}")
        read = (tmp_path / str(number)).read_bytes()
        assert read == as_it_gives(message.wire, way), message.name
        top = (tmp_path / f"{number}.top").read_bytes()
        assert top == as_it_gives(message.top(2), way), message.name
    assert lines[3:] == told


@EVERY_WAY
def test_delete(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """DELE, RSET, and QUIT, which removes what is marked then."""
    mailbox = new_mailbox(HARD)
    first = maildirs.files(mailbox.maildir)[0]
    status, _, errors = NetPop3(service, mailbox, tmp_path)(way, action="delete")
    assert status == 0, errors
    assert maildirs.files(mailbox.maildir) == [first]


@EVERY_WAY
def test_sasl(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """Login by SASL PLAIN."""
    client = NetPop3(service, new_mailbox(HARD[:1]), tmp_path)
    status, lines, errors = client(way, login="auth")
    assert status == 0, errors
    assert lines[0] == "login 1"
    assert (tmp_path / "1").read_bytes() == as_it_gives(HARD[0].wire, way)


@pytest.mark.parametrize(
    "way", [pytest.param("stls", id="STLS"), pytest.param("implicit", id="implicit TLS")]
)
def test_stranger(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """A certificate of an authority that is not trusted ends the session before the login."""
    client = NetPop3(service, new_mailbox(HARD[:1]), tmp_path)
    status, lines, errors = client(way, trusting=str(service.stranger))
    assert status != 0
    assert lines == []
    assert "certificate verify failed" in errors
