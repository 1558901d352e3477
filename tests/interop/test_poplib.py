"""poplib, from Python's standard library."""

import platform
import poplib
import ssl
from collections.abc import Callable
from typing import cast

import pytest

from interop.all_mechanisms import AllMechanisms
from interop.conftest import Mailbox, NewMailbox
from interop.messages import HARD, Message, corpus
from interop.record import Peer, departs
from interop.service import HOST, Service

PEER = Peer("poplib", "client", "", told=f"Python {platform.python_version()}")

TIMEOUT_SECONDS = 30
LONGEST_LINE_OCTETS = 2_048


def clear(service: Service) -> poplib.POP3:
    return poplib.POP3(HOST, service.ports["none"], timeout=TIMEOUT_SECONDS)


def stls(service: Service) -> poplib.POP3:
    maildrop = poplib.POP3(HOST, service.ports["stls"], timeout=TIMEOUT_SECONDS)
    maildrop.stls(service.verifying_context())
    return maildrop


def implicit(service: Service) -> poplib.POP3:
    return poplib.POP3_SSL(
        HOST,
        service.ports["implicit"],
        timeout=TIMEOUT_SECONDS,
        context=service.verifying_context(),
    )


WAYS = {"in clear": clear, "STLS": stls, "implicit TLS": implicit}
EVERY_WAY = pytest.mark.parametrize("connect", WAYS.values(), ids=WAYS)
Connect = Callable[[Service], poplib.POP3]


def log_in(maildrop: poplib.POP3, mailbox: Mailbox) -> poplib.POP3:
    maildrop.user(mailbox.name)
    maildrop.pass_(mailbox.password)
    return maildrop


def is_too_long(message: Message) -> bool:
    """Say whether a message has a line that poplib refuses, stuffing and line end counted."""
    return any(
        len(line) + line.startswith(b".") + 2 > LONGEST_LINE_OCTETS
        for line in message.wire.split(b"\r\n")
    )


def readable() -> tuple[Message, ...]:
    return tuple(message for message in corpus() if not is_too_long(message))


def joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


@EVERY_WAY
def test_everything(service: Service, new_mailbox: NewMailbox, connect: Connect) -> None:
    """STAT, LIST, UIDL, TOP, NOOP, CAPA, and RETR of every message without a line too long for
    poplib.
    """
    mailbox = new_mailbox(readable())
    maildrop = log_in(connect(service), mailbox)
    sizes = [len(message.wire) for message in mailbox.messages]
    assert maildrop.stat() == (len(sizes), sum(sizes))
    listing = [b"%d %d" % (number, size) for number, size in enumerate(sizes, 1)]
    assert maildrop.list()[1] == listing
    unique_ids = maildrop.uidl()[1]
    for number, message in enumerate(mailbox.messages, 1):
        assert joined(maildrop.retr(number)[1]) == message.wire, message.name
        assert joined(maildrop.top(number, 2)[1]) == message.top(2), message.name
        # The annotation of `list` forgets what it returns for one message.
        assert cast("bytes", maildrop.list(number)) == b"+OK " + listing[number - 1]
        assert maildrop.uidl(number) == b"+OK " + unique_ids[number - 1]
    assert maildrop.noop().startswith(b"+OK")
    assert {"UIDL", "TOP", "PIPELINING"} <= maildrop.capa().keys()
    maildrop.quit()
    assert mailbox.remaining == len(sizes)


@EVERY_WAY
def test_delete(service: Service, new_mailbox: NewMailbox, connect: Connect) -> None:
    """DELE, RSET, and QUIT, which removes what is marked then."""
    mailbox = new_mailbox(HARD)
    maildrop = log_in(connect(service), mailbox)
    maildrop.dele(1)
    maildrop.rset()
    for number in range(2, len(HARD) + 1):
        maildrop.dele(number)
    assert maildrop.stat() == (1, len(HARD[0].wire))
    maildrop.quit()
    maildrop = log_in(connect(service), mailbox)
    assert joined(maildrop.retr(1)[1]) == HARD[0].wire
    maildrop.quit()
    assert mailbox.remaining == 1


@pytest.mark.parametrize("way", ["STLS", "implicit TLS"])
def test_stranger(service: Service, way: str) -> None:
    """A certificate of an authority that is not trusted ends the session before the login."""
    context = ssl.create_default_context(cafile=str(service.stranger))
    port = service.ports["stls" if way == "STLS" else "implicit"]

    def begin() -> None:
        if way == "STLS":
            poplib.POP3(HOST, port, timeout=TIMEOUT_SECONDS).stls(context)
        else:
            poplib.POP3_SSL(HOST, port, timeout=TIMEOUT_SECONDS, context=context)

    with pytest.raises(ssl.SSLCertVerificationError):
        begin()


def test_utf8_is_not_offered(service: Service, new_mailbox: NewMailbox) -> None:
    """UTF8, which is not offered, is refused and the session goes on."""
    maildrop = clear(service)
    with pytest.raises(poplib.error_proto, match="-ERR"):
        maildrop.utf8()
    assert log_in(maildrop, new_mailbox(HARD[:1])).stat()[0] == 1
    maildrop.quit()


@departs("A message with a line of more than 2,048 octets, its CRLF counted, is refused.")
def test_long_lines(service: Service, new_mailbox: NewMailbox) -> None:
    """Lines longer than poplib takes: nothing is lost, the session can be had again."""
    too_long = tuple(message for message in corpus() if is_too_long(message))
    mailbox = new_mailbox(too_long)
    assert {"line of 2049 octets", "long line", "sndhdr.au"} <= {m.name for m in too_long}
    for number in range(1, len(too_long) + 1):
        maildrop = log_in(implicit(service), mailbox)
        with pytest.raises(poplib.error_proto, match="line too long"):
            maildrop.retr(number)
        maildrop.close()
    assert mailbox.remaining == len(too_long)


def test_apop(all_mechanisms: AllMechanisms, new_mailbox: NewMailbox) -> None:
    """APOP, by the timestamp of the greeting."""
    mailbox = new_mailbox(HARD[:1], of=all_mechanisms)
    maildrop = implicit(all_mechanisms)
    maildrop.apop(mailbox.name, mailbox.password)
    assert maildrop.stat()[0] == 1
    maildrop.quit()
    assert all_mechanisms.ways_in(mailbox.name) == ["APOP"]
