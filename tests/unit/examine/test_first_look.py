"""The first look: every way in which there is nothing to examine is told in its own words."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from restante.examine.accounts import NO_ACCOUNTS
from restante.examine.case import Trait
from restante.examine.first_look import FirstLook, look_at
from restante.examine.obstacle import CannotExamine, Obstacle
from restante.examine.pace import Pace
from restante.examine.target import Account, Consent, Endpoint, Target, Tls
from restante.examine.trust import ANYBODY, PinnedTrust, Trust, VerifiedTrust, fingerprint_of
from unit.examine.behaving import Behaviour, answering, listening, saying, under_tls, until_gone

GREETING = b"+OK ready\r\n"
CAPABILITIES = b"+OK\r\nUSER\r\nSTLS\r\nIMPLEMENTATION Some Server 1.0\r\n.\r\n"
REPLIES = {
    b"CAPA": CAPABILITIES,
    b"USER": b"+OK\r\n",
    b"PASS": b"+OK\r\n",
    b"STAT": b"+OK 3 300\r\n",
    b"LIST": b"+OK\r\n1 100\r\n2 100\r\n3 100\r\n.\r\n",
    b"QUIT": b"+OK\r\n",
}
NO_STLS = REPLIES | {b"CAPA": b"+OK\r\nUSER\r\n.\r\n"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Trust:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return VerifiedTrust(file)


def look(
    port: int,
    tls: Tls = Tls.NONE,
    trust: Trust = ANYBODY,
    *,
    host: str = "127.0.0.1",
    patience: float = 0.5,
    pace: Pace | None = None,
) -> FirstLook:
    target = Target(
        endpoints=(Endpoint(host, port, tls, cleartext=True),),
        accounts=NO_ACCOUNTS,
        patience_seconds=patience,
        consent=Consent(removal=False, reading=False, clear_passwords=tls is Tls.NONE),
        trust=trust,
        pace=pace or Pace(),
    )
    return look_at(target, Account("ann", "the secret word"))


def obstacle(
    behave: Behaviour, tls: Tls = Tls.NONE, trust: Trust = ANYBODY, **more: float
) -> CannotExamine:
    began = time.monotonic()
    with listening(behave) as port, pytest.raises(CannotExamine) as caught:
        look(port, tls, trust, **more)  # type: ignore[arg-type]
    assert time.monotonic() - began < 10
    assert str(caught.value).isprintable()
    assert "the secret word" not in str(caught.value)
    return caught.value


def with_stls(context: ssl.SSLContext, replies: dict[bytes, bytes]) -> Behaviour:
    """Answer in clear up to STLS, and under TLS from there on."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        with connection.makefile("rb", buffering=0) as file:
            while (line := file.readline()).strip().upper() != b"STLS":
                if not line:
                    return
                connection.sendall(replies.get(line.split()[0].upper(), b"-ERR\r\n"))
        connection.sendall(b"+OK\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            answering(b"", replies)(inside)

    return behave


# ---- what is seen


def test_a_server_in_clear_is_seen() -> None:
    with listening(answering(GREETING, NO_STLS)) as port:
        seen = look(port)
    assert seen.server.greeting == "+OK ready"
    assert seen.endpoint.tls is Tls.NONE
    assert seen.messages == 3
    assert set(seen.capabilities) == {"clear", "transaction"}
    assert seen.lacks == {Trait.STLS, Trait.STRICT, Trait.TLS}


def test_a_port_with_stls_is_one_even_where_clear_is_asked_for() -> None:
    with listening(answering(GREETING, REPLIES)) as port:
        seen = look(port)
    assert seen.endpoint.tls is Tls.STLS
    assert not seen.lacks
    assert seen.endpoint.cleartext
    assert seen.server.tls is Tls.NONE
    assert seen.server.implementation == "Some Server 1.0"


def test_behind_stls_the_password_goes_under_tls(context: ssl.SSLContext, trusted: Trust) -> None:
    with listening(with_stls(context, REPLIES)) as port:
        seen = look(port, Tls.STLS, trusted)
    assert set(seen.capabilities) == {"clear", "tls", "transaction"}
    assert seen.server.tls_version == "TLSv1.3"


def test_a_port_that_hides_passwords_in_clear_is_strict(
    context: ssl.SSLContext, trusted: Trust
) -> None:
    strict = REPLIES | {b"CAPA": b"+OK\r\nSTLS\r\n.\r\n"}
    with listening(with_stls(context, strict)) as port:
        assert not look(port, Tls.STLS, trusted).endpoint.cleartext


def test_without_capa_user_is_asked_with_nobodys_name(
    context: ssl.SSLContext, trusted: Trust
) -> None:
    ancient = {key: value for key, value in REPLIES.items() if key != b"CAPA"}
    with listening(with_stls(context, ancient)) as port:
        seen = look(port, Tls.STLS, trusted)
    assert seen.endpoint.cleartext
    assert seen.before_login is None


def test_implicit_tls_is_verified(context: ssl.SSLContext, trusted: Trust) -> None:
    with listening(under_tls(context, answering(GREETING, REPLIES))) as port:
        assert look(port, Tls.IMPLICIT, trusted).server.tls_version == "TLSv1.3"


@pytest.mark.parametrize(
    ("stat", "lines", "messages"),
    [
        (b"+OK 0 0\r\n", b"+OK\r\n.\r\n", 0),
        (b"+OK 0 0\r\n", b"+OK\r\n1 10\r\n.\r\n", 1),
        (b"+OK 7 0\r\n", b"+OK\r\n.\r\n", 7),
        (b"+OK none\r\n", b"+OK\r\n.\r\n", None),
        (b"-ERR\r\n", b"+OK\r\n.\r\n", None),
        (b"+OK 0 0\r\n", b"-ERR\r\n", None),
    ],
)
def test_a_maildrop_is_empty_only_where_everything_says_so(
    stat: bytes, lines: bytes, messages: int | None
) -> None:
    with listening(answering(GREETING, NO_STLS | {b"STAT": stat, b"LIST": lines})) as port:
        assert look(port).messages == messages


def test_expire_0_is_noticed() -> None:
    replies = NO_STLS | {b"CAPA": b"+OK\r\nUSER\r\nEXPIRE 0\r\n.\r\n"}
    with listening(answering(GREETING, replies)) as port:
        assert look(port).removes_what_is_read


def test_many_and_long_capabilities_are_cut() -> None:
    many = b"+OK\r\nUSER\r\n" + b"".join(b"X%d %s\r\n" % (n, b"y" * 500) for n in range(5000))
    with listening(answering(GREETING, NO_STLS | {b"CAPA": many + b".\r\n"})) as port:
        announced = look(port, patience=5).capabilities["clear"]
    assert len(announced) <= 100
    assert max(len(each) for value in announced.values() for each in value) <= 80


def test_a_busy_maildrop_is_waited_for() -> None:
    left = [b"-ERR [IN-USE] busy\r\n"] * 2

    class Replies(dict[bytes, bytes]):
        def get(self, key: bytes, default: object = None) -> bytes:
            return left.pop() if key == b"PASS" and left else NO_STLS[key]

    with listening(answering(GREETING, Replies())) as port:
        assert look(port).messages == 3


def test_a_delay_between_logins_is_kept() -> None:
    replies = NO_STLS | {b"CAPA": b"+OK\r\nUSER\r\nLOGIN-DELAY 7\r\n.\r\n"}
    slept: list[float] = []
    pace = Pace(sleep=slept.append)
    with listening(answering(GREETING, replies)) as port:
        look(port, pace=pace)
    pace.before_login()
    assert 6 < slept[-1] <= 7


# ---- what is in the way


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(CannotExamine) as caught:
        look(995, host="no-such-host.invalid")
    assert caught.value.obstacle is Obstacle.HOST


def test_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(CannotExamine, match="refused") as caught:
        look(port)
    assert caught.value.obstacle is Obstacle.CONNECTION


@pytest.mark.parametrize("tls", list(Tls))
def test_a_server_that_says_nothing(tls: Tls) -> None:
    assert obstacle(until_gone, tls).obstacle is Obstacle.CONNECTION


def web(connection: socket.socket) -> None:
    with connection.makefile("rb") as file:
        for line in file:
            if not line.strip():
                break
    connection.sendall(b"HTTP/1.1 400 Bad \x1b[31m request\r\n\r\n<html>")


def test_a_web_server_is_provoked_and_quoted() -> None:
    found = obstacle(web, patience=3)
    assert "HTTP/1.1 400 Bad \\x1b[31m request" in str(found)


def test_a_web_server_under_tls(context: ssl.SSLContext, trusted: Trust) -> None:
    found = obstacle(under_tls(context, web), Tls.IMPLICIT, trusted, patience=3)
    assert "HTTP/1.1 400" in str(found)


@pytest.mark.parametrize("greeting", [b"220 mail ESMTP\r\n", b"* OK IMAP\r\n", b"\x00\x15\r\n\r\n"])
def test_another_protocol(greeting: bytes) -> None:
    found = obstacle(saying(greeting))
    assert found.obstacle is Obstacle.PROTOCOL
    assert "does not speak POP3" in str(found)


def test_a_server_that_refuses_at_once() -> None:
    found = obstacle(saying(b"-ERR too many \x07 connections\r\n"))
    assert found.obstacle is Obstacle.BUSY
    assert "too many \\x07 connections" in str(found)


def test_clear_text_where_tls_is_due() -> None:
    found = obstacle(saying(GREETING), Tls.IMPLICIT)
    assert found.obstacle is Obstacle.PROTOCOL
    assert "--tls stls" in str(found)


def test_tls_where_clear_text_is_due_is_hinted_at(context: ssl.SSLContext) -> None:
    found = obstacle(under_tls(context, answering(GREETING, REPLIES)), Tls.STLS)
    assert found.obstacle in (Obstacle.CONNECTION, Obstacle.PROTOCOL)


@pytest.mark.parametrize(
    "octets", [b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b"\x15\x03\x01\x00\x02\x02\x28"]
)
def test_garbage_in_the_handshake(octets: bytes) -> None:
    assert obstacle(saying(octets), Tls.IMPLICIT).obstacle is Obstacle.PROTOCOL


def test_garbage_behind_stls() -> None:
    replies = REPLIES | {b"STLS": b"+OK\r\ngarbage garbage garbage\r\n"}
    found = obstacle(answering(GREETING, replies), Tls.STLS)
    assert found.obstacle is Obstacle.PROTOCOL


def test_stls_that_is_refused_is_no_reason_to_go_on_in_clear() -> None:
    heard: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        with connection.makefile("rb") as file:
            for line in file:
                heard.append(line)
                connection.sendall(NO_STLS.get(line.split()[0], b"-ERR\r\n"))

    found = obstacle(behave, Tls.STLS)
    assert found.obstacle is Obstacle.PROTOCOL
    assert "--tls none" in str(found)
    assert b"the secret word" not in b"".join(heard)


@pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.STLS])
def test_a_certificate_of_nobody_known(
    context: ssl.SSLContext, authority: trustme.CA, tls: Tls
) -> None:
    behave = with_stls(context, REPLIES)
    if tls is Tls.IMPLICIT:
        behave = under_tls(context, answering(GREETING, REPLIES))
    found = obstacle(behave, tls, VerifiedTrust())
    assert found.obstacle is Obstacle.CERTIFICATE
    assert "No password was sent" in str(found)
    fingerprint = str(found).split("--fingerprint ")[1].split()[0]
    with listening(behave) as port:
        assert look(port, tls, PinnedTrust(fingerprint)).messages == 3


def test_a_certificate_for_another_name(authority: trustme.CA, trusted: Trust) -> None:
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pop.example.org").configure_cert(other)
    found = obstacle(under_tls(other, answering(GREETING, REPLIES)), Tls.IMPLICIT, trusted)
    assert found.obstacle is Obstacle.CERTIFICATE
    assert "127.0.0.1" in str(found)


def test_a_certificate_with_another_fingerprint(context: ssl.SSLContext) -> None:
    behave = under_tls(context, answering(GREETING, REPLIES))
    found = obstacle(behave, Tls.IMPLICIT, PinnedTrust(fingerprint_of(b"another")))
    assert found.obstacle is Obstacle.CERTIFICATE


def test_a_wrong_password_is_tried_once() -> None:
    tries: list[bytes] = []

    class Replies(dict[bytes, bytes]):
        def get(self, key: bytes, default: object = None) -> bytes:
            if key != b"PASS":
                return NO_STLS[key]
            tries.append(key)
            return b"-ERR [AUTH] not \x1b this one, not the secret word\r\n"

    found = obstacle(answering(GREETING, Replies()))
    assert found.obstacle is Obstacle.CREDENTIALS
    assert "'ann'" in str(found)
    assert len(tries) == 1


@pytest.mark.parametrize("code", ["IN-USE", "LOGIN-DELAY", "SYS/TEMP"])
def test_a_login_that_is_put_off(code: str) -> None:
    replies = NO_STLS | {b"PASS": f"-ERR [{code}] later\r\n".encode()}
    pace = Pace(sleep=lambda seconds: time.sleep(min(seconds, 0.1)))
    with listening(answering(GREETING, replies)) as port, pytest.raises(CannotExamine) as caught:
        look(port, pace=pace)
    assert caught.value.obstacle is Obstacle.BUSY


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 65536)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"+OK ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.0005)


@pytest.mark.parametrize("behave", [flood, drip], ids=["flood", "drip"])
@pytest.mark.parametrize("tls", list(Tls))
def test_a_flood_ends(behave: Behaviour, tls: Tls) -> None:
    assert obstacle(behave, tls).obstacle in (Obstacle.CONNECTION, Obstacle.PROTOCOL)


@pytest.mark.parametrize("word", [b"CAPA", b"USER", b"PASS", b"STAT", b"LIST"])
@pytest.mark.parametrize("reply", [b"", b"+OK\r\nx", b"+OK " + b"x" * 2_000_000, b"\x00\xff\r\n"])
def test_a_reply_that_is_none_ends(word: bytes, reply: bytes) -> None:
    with listening(answering(GREETING, NO_STLS | {word: reply})) as port, suppress(CannotExamine):
        look(port)


@pytest.fixture(autouse=True)
def no_sleep_is_long() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 15
