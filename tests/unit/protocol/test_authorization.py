"""AUTHORIZATION: names, mechanisms, base64, TLS; what is offered and what is forgotten."""

import pytest

from restante.protocol.authorization import (
    MAXIMUM_RESPONSES,
    Authorization,
    Exchange,
    decode,
    offer_after_login,
)
from restante.protocol.commands import Command, Verb
from restante.protocol.events import (
    ApopAttempted,
    CleartextRefused,
    LoginAttempted,
    SaslAnswered,
    SaslCancelled,
    SaslStarted,
    TlsRequested,
)
from restante.protocol.legality import Phase
from restante.protocol.offers import Offer
from restante.protocol.replies import Output

IN_CLEAR = Offer(user=False, mechanisms=(), stls=True, only_under_tls=frozenset({"USER", "PLAIN"}))


def said(output: Output) -> bytes:
    buffers, output.buffers = output.buffers or [], None
    return b"".join(buffers)


def test_a_name_waits_for_its_password() -> None:
    """conformance: 1939-S-40, 1939-S-42, 1939-S-43"""
    state, output = Authorization(Offer()), Output()
    phases = [state.phase]
    state.user(Command(Verb.USER, name=b"alice"), output)
    assert said(output) == b"+OK name taken, send the password\r\n"
    phases.append(state.phase)
    event = state.password(Command(Verb.PASS, data=b"secret"))
    assert event == LoginAttempted(b"alice", b"secret")
    phases.append(state.phase)
    assert phases == [Phase.AUTHORIZATION, Phase.NAMED, Phase.AUTHORIZATION]


@pytest.mark.parametrize("verb", [*Verb, None])
def test_a_name_survives_only_what_may_stand_between(verb: Verb | None) -> None:
    """conformance: 1939-S-42"""
    state = Authorization(Offer())
    state.name = b"alice"
    state.forget(verb)
    assert (state.name is None) == (verb not in {Verb.CAPA, Verb.USER, Verb.PASS})


def test_utf8_is_taken_where_it_is_offered() -> None:
    """conformance: 6856-S-02, 6856-S-03"""
    output = Output()
    for offer, due in ((Offer(utf8=True), True), (Offer(), False)):
        state = Authorization(offer)
        state.say_utf8(output)
        assert state.utf8 is due
        assert said(output).startswith(b"+OK " if due else b"-ERR ")


def test_passwords_in_clear_are_refused_before_they_are_sent() -> None:
    """conformance: 2595-S-12, 2595-S-14, 8314-S-09"""
    state, output = Authorization(IN_CLEAR), Output()
    assert state.user(Command(Verb.USER, name=b"alice"), output) == CleartextRefused("USER")
    assert said(output) == b"-ERR passwords are not taken in clear, use TLS\r\n"
    plain = Command(Verb.AUTH, name=b"PLAIN", data=b"AA==")
    assert state.auth(plain, output) == CleartextRefused("PLAIN")
    assert said(output) == b"-ERR passwords are not taken in clear, use TLS\r\n"
    assert state.name is None


APOP = Command(Verb.APOP, name=b"mrose", data=b"c4c9334bac560ecc979e58001b3e22fb")
TIMESTAMP = b"<1896.697170952@dbc.mtview.ca.us>"


def test_a_digest_is_offered_with_the_timestamp_it_was_made_of() -> None:
    """conformance: 1939-S-60"""
    output = Output()
    event = Authorization(Offer(apop=True), TIMESTAMP).apop(APOP, output)
    digest = bytes.fromhex("c4c9334bac560ecc979e58001b3e22fb")
    assert event == ApopAttempted(b"mrose", TIMESTAMP, digest)
    assert "mrose" not in repr(event)
    assert said(output) == b""


@pytest.mark.parametrize(
    ("offer", "timestamp"), [(Offer(), TIMESTAMP), (Offer(apop=True), b""), (Offer(), b"")]
)
def test_without_timestamp_or_offer_there_is_no_apop(offer: Offer, timestamp: bytes) -> None:
    """What was said in clear is forgotten under TLS. conformance: 1939-S-91"""
    output = Output()
    assert Authorization(offer, timestamp).apop(APOP, output) is None
    assert said(output) == b"-ERR this way to authenticate is not offered\r\n"


def test_a_digest_in_clear_is_refused_where_passwords_are() -> None:
    """conformance: 2595-S-12"""
    output = Output()
    offer = Offer(user=False, only_under_tls=frozenset({"APOP"}))
    assert Authorization(offer).apop(APOP, output) == CleartextRefused("APOP")
    assert said(output) == b"-ERR passwords are not taken in clear, use TLS\r\n"


def test_what_is_offered_nowhere() -> None:
    """conformance: 5034-S-05"""
    state, output = Authorization(Offer(user=False)), Output()
    assert state.user(Command(Verb.USER, name=b"alice"), output) is None
    assert state.auth(Command(Verb.AUTH, name=b"CRAM-MD5"), output) is None
    assert said(output) == b"-ERR this way to authenticate is not offered\r\n" * 2


@pytest.mark.parametrize(
    ("data", "response"), [(None, None), (b"=", b""), (b"AGEAYg==", b"\0a\0b")]
)
def test_an_exchange_begins(data: bytes | None, response: bytes | None) -> None:
    """conformance: 5034-S-09"""
    state, output = Authorization(Offer()), Output()
    event = state.auth(Command(Verb.AUTH, name=b"PLAIN", data=data), output)
    assert event == SaslStarted("PLAIN", response)
    assert not output.buffers


def test_an_initial_response_has_to_be_base64() -> None:
    """conformance: 3206-S-07, 5034-S-15"""
    state, output = Authorization(Offer()), Output()
    assert state.auth(Command(Verb.AUTH, name=b"PLAIN", data=b"QQ="), output) is None
    assert said(output) == b"-ERR the initial response is not base64\r\n"


def test_tls_begins_only_where_it_is_offered_and_nothing_came_behind() -> None:
    """conformance: 2595-S-05, 2595-S-09"""
    output = Output()
    assert Authorization(Offer(stls=True)).stls(output, 0) == TlsRequested()
    assert said(output) == b"+OK begin TLS\r\n"
    assert Authorization(Offer(stls=True)).stls(output, 1) is None
    assert said(output) == b"-ERR octets behind STLS\r\n"
    assert Authorization(Offer(stls=False)).stls(output, 0) is None
    assert said(output) == b"-ERR TLS is not available here\r\n"


def test_a_response_is_decoded() -> None:
    """conformance: 5034-S-10, 5034-S-30"""
    exchange, output = Exchange(Authorization(Offer())), Output()
    assert exchange.phase is Phase.EXCHANGE
    assert exchange.answer(b"AGEAYg==", output) == SaslAnswered(b"\0a\0b")
    assert exchange.answer(b"", output) == SaslAnswered(b"")
    assert exchange.answer(b"NOOP", output) == SaslAnswered(b"4\xe3\x8f")
    assert not output.buffers


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"*", b"-ERR cancelled\r\n"),
        (b"=", b"-ERR the response is not base64\r\n"),
        (b"* ", b"-ERR the response is not base64\r\n"),
    ],
)
def test_an_exchange_is_cancelled(line: bytes, reply: bytes) -> None:
    """conformance: 3206-S-07, 5034-S-10, 5034-S-14"""
    exchange, output = Exchange(Authorization(Offer())), Output()
    assert exchange.answer(line, output) == SaslCancelled()
    assert said(output) == reply


def test_an_exchange_has_an_end() -> None:
    """conformance: 5034-S-29"""
    exchange, output = Exchange(Authorization(Offer())), Output()
    for _ in range(MAXIMUM_RESPONSES):
        assert exchange.answer(b"", output) == SaslAnswered(b"")
    assert exchange.answer(b"", output) == SaslCancelled()
    assert said(output) == b"-ERR too many responses\r\n"


@pytest.mark.parametrize(
    ("line", "data"), [(b"", b""), (b"QQ==", b"A"), (b"QUI=", b"AB"), (b"+/+/", b"\xfb\xff\xbf")]
)
def test_base64(line: bytes, data: bytes) -> None:
    assert decode(line) == data


@pytest.mark.parametrize(
    "line",
    [
        b"AGFsa WNl", b"=AAA", b"AAA=BBB", b"AAA", b"AA=", b"AA", b"A", b"AAAA=", b"AAA==", b"=",
        b"==", b"QQ==x", b"QQ==QQ==", b"QR==", b"QUJ=", b"Q-_=", b" QQ==", b"QQ== ", b"\xffQQ=",
        b"A===", b"QQ=\t=",
    ],
)  # fmt: skip
def test_what_is_not_base64(line: bytes) -> None:
    """conformance: 5034-S-15, 5034-S-16"""
    assert decode(line) is None


def test_after_login_only_stls_is_gone() -> None:
    """conformance: 2449-S-09, 2449-S-10, 5034-S-03"""
    offer = Offer(user=True, mechanisms=("PLAIN",), stls=True)
    assert offer_after_login(offer) == Offer(user=True, mechanisms=("PLAIN",), stls=False)
    under_tls = Offer(stls=False)
    assert offer_after_login(under_tls) is under_tls
