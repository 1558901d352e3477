"""ServerSession: states, the answers of a driver, and what ends a session."""

import pytest

from restante import protocol
from restante.errors import (
    AuthenticationFailed,
    LocalProtocolError,
    MaildropInUse,
    MessageVanished,
    PermanentFailure,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.protocol.commands import Verb
from restante.protocol.events import (
    ApopAttempted,
    CleartextRefused,
    EndReason,
    Event,
    LoginAttempted,
    MessageRequested,
    SaslAnswered,
    SaslCancelled,
    SaslStarted,
    SessionEnded,
    TlsRequested,
    UpdateRequested,
)
from restante.protocol.legality import LEGAL, Phase
from restante.protocol.lines import ENDLESS_OCTETS, SASL_OCTETS
from restante.protocol.offers import Offer, SessionOptions
from restante.protocol.server import OUTPUT_OCTETS, ServerSession
from transcripts.maildrops import HEADER, MAILDROPS, Drop

WRONG_STATE = b"-ERR this command is not possible now\r\n"
STRICT = Offer(user=False, mechanisms=(), stls=True, only_under_tls=frozenset({"USER", "PLAIN"}))
LINES = {
    Verb.APOP: b"APOP a " + b"0" * 32, Verb.AUTH: b"AUTH PLAIN", Verb.DELE: b"DELE 1",
    Verb.PASS: b"PASS x", Verb.RETR: b"RETR 1", Verb.TOP: b"TOP 1 0", Verb.USER: b"USER alice",
}  # fmt: skip


def session(offer: Offer | None = None, options: SessionOptions | None = None) -> ServerSession:
    """Return a session whose greeting has been sent."""
    made = ServerSession(offer or Offer(stls=True), options or SessionOptions())
    made.data_to_send()
    return made


def said(session: ServerSession) -> bytes:
    return b"".join(session.data_to_send())


def tell(session: ServerSession, *lines: bytes) -> Event | None:
    """Send lines in one segment and return the first event."""
    session.receive_data(b"".join(line + b"\r\n" for line in lines))
    return session.next_event()


def logged_in(maildrop: str = "M2", offer: Offer | None = None) -> ServerSession:
    """Return a session in TRANSACTION."""
    made = session(offer)
    assert tell(made, b"USER alice", b"PASS secret") == LoginAttempted(b"alice", b"secret")
    made.admit(Drop(MAILDROPS[maildrop]))
    said(made)
    return made


# ---- greeting


def test_it_speaks_first() -> None:
    """conformance: 1939-S-02, 1939-S-56, TG-A1-5, TG-A1-7"""
    made = ServerSession(Offer(), SessionOptions())
    assert made.next_event() is None
    assert made.data_to_send() == [b"+OK POP3 server ready\r\n"]
    assert made.data_to_send() == []
    assert not made.authenticated
    assert not made.answer_due
    assert not made.ended


def test_a_greeting_that_is_none_is_refused_at_once() -> None:
    """conformance: 1939-S-13"""
    with pytest.raises(ValueError, match="512"):
        ServerSession(Offer(), SessionOptions(greeting="x" * 600))


# ---- USER and PASS


def test_a_login() -> None:
    """conformance: 1939-S-34, 1939-S-46, 1939-S-51, TG-A2-3, TG-A2-4, TG-T-1"""
    made = session()
    assert tell(made, b"STAT") is None
    assert said(made) == WRONG_STATE
    assert tell(made, b"USER alice") is None
    assert said(made) == b"+OK name taken, send the password\r\n"
    assert tell(made, b"PASS secret", b"STAT") == LoginAttempted(b"alice", b"secret")
    assert made.answer_due
    assert said(made) == b""
    assert made.next_event() is None
    made.admit(Drop(MAILDROPS["M2"]))
    assert made.authenticated
    assert made.next_event() is None
    assert said(made) == b"+OK maildrop has 2 messages (320 octets)\r\n+OK 2 320\r\n"


@pytest.mark.parametrize(
    ("refusal", "reply"),
    [
        (AuthenticationFailed(), b"-ERR [AUTH] authentication failed\r\n"),
        (MaildropInUse(), b"-ERR [IN-USE] another session holds this maildrop\r\n"),
        (TemporaryFailure(), b"-ERR [SYS/TEMP] temporary failure, try again later\r\n"),
        (PermanentFailure(), b"-ERR [SYS/PERM] the maildrop cannot be opened\r\n"),
    ],
)
def test_a_login_is_refused_and_may_be_tried_again(
    refusal: AuthenticationFailed, reply: bytes
) -> None:
    """conformance: 1939-S-38, 1939-S-43, 1939-S-48, 1939-S-50, 3206-S-01, 3206-S-02, 3206-S-03"""
    made = session()
    tell(made, b"USER alice", b"PASS bad")
    said(made)
    made.refuse(refusal)
    assert tell(made, b"PASS secret") is None
    assert said(made) == reply + WRONG_STATE
    assert tell(made, b"USER alice", b"PASS secret") == LoginAttempted(b"alice", b"secret")


def test_pass_wants_user_immediately_before() -> None:
    """conformance: 1939-S-42"""
    for between in (b"NOOP", b"XYZZY", b"", b"CAPA x", b"AUTH FOO", b"PASS", b"a\0b", b"STLS x"):
        made = session(Offer(stls=False))
        assert tell(made, b"USER alice", between, b"PASS secret") is None
        assert said(made).endswith(WRONG_STATE)


def test_capa_and_another_user_may_stand_before_pass() -> None:
    """conformance: 1939-S-39"""
    made = session()
    event = tell(made, b"USER bob", b"CAPA", b"USER alice", b"PASS secret")
    assert event == LoginAttempted(b"alice", b"secret")


# ---- AUTH


def test_an_exchange() -> None:
    """conformance: 1734-S-01, 5034-S-06, 5034-S-08, 5034-S-19"""
    made = session()
    assert tell(made, b"auth plain") == SaslStarted("PLAIN", None)
    made.challenge(b"")
    assert said(made) == b"+ \r\n"
    assert tell(made, b"AGEAYg==", b"NOOP") == SaslAnswered(b"\0a\0b")
    assert made.next_event() is None
    made.admit(Drop(()))
    assert made.next_event() is None
    assert said(made) == b"+OK maildrop has 0 messages (0 octets)\r\n+OK nothing done\r\n"


def test_an_initial_response() -> None:
    """conformance: 5034-S-01, 5034-S-17"""
    made = session()
    assert tell(made, b"AUTH PLAIN AGEAYg==", b"USER a") == SaslStarted("PLAIN", b"\0a\0b")
    made.refuse(AuthenticationFailed())
    assert made.next_event() is None
    assert said(made).startswith(b"-ERR [AUTH] authentication failed\r\n+OK ")


def test_several_challenges() -> None:
    made = session()
    tell(made, b"AUTH PLAIN")
    made.challenge(b"one")
    assert tell(made, b"") == SaslAnswered(b"")
    made.challenge(b"two")
    assert tell(made, b"QQ==") == SaslAnswered(b"A")
    assert said(made) == b"+ b25l\r\n+ dHdv\r\n"


@pytest.mark.parametrize("line", [b"*", b"=", b"QUIT now", b"a\0", b"a\rb", b"A" * SASL_OCTETS])
def test_an_exchange_ends_and_the_session_goes_on(line: bytes) -> None:
    """conformance: 3206-S-07, 5034-S-14, 5034-S-15, 5034-S-17, 5034-S-30"""
    made = session()
    tell(made, b"AUTH PLAIN")
    made.challenge(b"")
    said(made)
    assert tell(made, line, b"CAPA") == SaslCancelled()
    assert said(made).startswith(b"-ERR ")
    assert not made.answer_due
    assert made.next_event() is None
    assert said(made).startswith(b"+OK capabilities follow\r\n")


def test_an_exchange_in_a_line_without_end() -> None:
    made = session()
    tell(made, b"AUTH PLAIN")
    made.challenge(b"")
    said(made)
    made.receive_data(b"A" * (SASL_OCTETS + ENDLESS_OCTETS + 1))
    assert made.next_event() == SessionEnded(EndReason.ENDLESS_LINE)
    assert said(made) == b"-ERR line too long, closing\r\n"


def test_lines_of_an_exchange_may_be_long() -> None:
    """conformance: 2449-S-03, 5034-S-12, 5034-S-13"""
    made = session()
    assert tell(made, b"AUTH PLAIN " + b"QUFB" * 2000) == SaslStarted("PLAIN", b"AAA" * 2000)
    made.challenge(b"")
    assert tell(made, b"QUFB" * 3000) == SaslAnswered(b"AAA" * 3000)


def test_mechanisms_that_are_not_offered() -> None:
    """conformance: 1939-S-23, 5034-S-04, 5034-S-05"""
    made = session()
    assert tell(made, b"AUTH FOO") is None
    assert said(made) == b"-ERR this way to authenticate is not offered\r\n"
    made = logged_in()
    assert tell(made, b"AUTH PLAIN") is None
    assert said(made) == WRONG_STATE


def test_passwords_in_clear() -> None:
    """conformance: 2595-S-12, 2595-S-13, 2595-S-14, 4616-S-05, 5034-S-26"""
    made = session(STRICT)
    assert tell(made, b"USER alice", b"PASS secret") == CleartextRefused("USER")
    assert made.next_event() is None
    assert tell(made, b"AUTH PLAIN AGEAYg==") == CleartextRefused("PLAIN")
    assert said(made).count(b"-ERR ") == 3


# ---- STLS


def test_everything_said_in_clear_is_forgotten() -> None:
    """conformance: 2595-S-04, 2595-S-07, 2595-S-08, 2595-S-10"""
    made = session()
    assert tell(made, b"USER alice", b"STLS") == TlsRequested()
    assert said(made).endswith(b"\r\n+OK begin TLS\r\n")
    assert made.answer_due
    assert made.next_event() is None
    with pytest.raises(LocalProtocolError):
        made.receive_data(b"PASS secret\r\n")
    made.tls_established(Offer(stls=False))
    assert tell(made, b"PASS secret", b"STAT", b"STLS") is None
    assert said(made) == WRONG_STATE * 2 + b"-ERR TLS is not available here\r\n"


def test_octets_behind_stls_end_the_session() -> None:
    """conformance: 2449-S-26, 2595-S-09"""
    for behind in (b"USER alice\r\n", b"\x16", b"\n"):
        made = session()
        made.receive_data(b"STLS\r\n" + behind)
        assert made.next_event() == SessionEnded(EndReason.OCTETS_BEHIND_STLS)
        assert said(made) == b"-ERR octets behind STLS\r\n"
        assert made.ended


def test_octets_behind_an_stls_that_was_not_offered_are_commands() -> None:
    """conformance: 2595-S-05, 2595-S-06"""
    made = session(Offer(stls=False))
    assert tell(made, b"STLS", b"NOOP") is None
    assert said(made) == b"-ERR TLS is not available here\r\n" + WRONG_STATE
    made = logged_in()
    assert tell(made, b"STLS", b"NOOP") is None
    assert said(made) == WRONG_STATE + b"+OK nothing done\r\n"


def test_bad_commands_in_clear_still_count_under_tls() -> None:
    made = session(Offer(stls=True))
    tell(made, *[b"XYZZY"] * 10, b"STLS")
    made.tls_established(Offer())
    assert tell(made, b"XYZZY") == SessionEnded(EndReason.BAD_COMMANDS)


# ---- messages


def test_a_message() -> None:
    """conformance: 1939-S-17, 1939-S-80, 1939-S-82"""
    made = logged_in("MD")
    for _ in range(2):
        assert tell(made, b"RETR 1", b"NOOP") == MessageRequested(1, None)
        assert not made.message_begun
        assert made.message_data(HEADER)
        assert made.message_begun
        assert made.message_data(b".\r\n..\r\n.x\r\nx.\r\n")
        assert made.next_event() is None
        made.message_end()
        assert not made.message_begun
        assert made.next_event() is None
        expected = HEADER + b"..\r\n...\r\n..x\r\nx.\r\n.\r\n+OK nothing done\r\n"
        assert said(made) == b"+OK message follows\r\n" + expected


def test_an_empty_message() -> None:
    made = logged_in("ME")
    tell(made, b"RETR 1")
    made.message_end()
    assert said(made) == b"+OK message follows\r\n.\r\n"


def test_top() -> None:
    """conformance: 1939-S-94"""
    made = logged_in("MT")
    assert tell(made, b"TOP 1 1") == MessageRequested(1, 1)
    assert made.message_data(HEADER)
    assert not made.message_data(b"line 1\r\nline 2\r\n")
    made.message_end()
    assert said(made) == b"+OK message follows\r\n" + HEADER + b"line 1\r\n.\r\n"


@pytest.mark.parametrize("line", [b"RETR 1", b"TOP 1 0"])
def test_a_message_is_refused(line: bytes) -> None:
    """conformance: 1939-S-19"""
    made = logged_in()
    tell(made, line)
    made.refuse(MessageVanished())
    assert tell(made, b"NOOP") is None
    assert said(made) == b"-ERR this message is no longer there\r\n+OK nothing done\r\n"


def test_a_message_that_fails_halfway_gets_no_end() -> None:
    """conformance: 1939-S-83"""
    made = logged_in()
    tell(made, b"RETR 1", b"NOOP")
    made.message_data(HEADER)
    with pytest.raises(LocalProtocolError):
        made.refuse(TemporaryFailure())
    assert made.message_failed() == SessionEnded(EndReason.MESSAGE_FAILED)
    assert said(made) == b"+OK message follows\r\n" + HEADER
    assert made.next_event() is None


def test_commands_of_an_open_maildrop() -> None:
    """conformance: 1939-S-23, 1939-S-87, 1939-S-90, 2449-S-05"""
    made = logged_in()
    commands = (b"LIST 1", b"UIDL 1", b"DELE 1", b"STAT", b"RSET", b"RETR 9", b"TOP 9 0")
    assert tell(made, *commands, b"LIST", b"UIDL") is None
    assert said(made) == (
        b"+OK 1 120\r\n+OK 1 id-1\r\n+OK marked\r\n+OK 1 200\r\n+OK no message is marked\r\n"
        b"-ERR no such message\r\n-ERR no such message\r\n"
        b"+OK scan listing follows\r\n1 120\r\n2 200\r\n.\r\n"
        b"+OK unique-id listing follows\r\n1 id-1\r\n2 id-2\r\n.\r\n"
    )


def test_capa_before_and_after() -> None:
    """conformance: 2449-S-05, 2449-S-09, 2449-S-10, 2449-S-12, 2595-S-02"""
    made = session()
    tell(made, b"CAPA")
    before = said(made)
    made = logged_in()
    tell(made, b"CAPA")
    assert said(made) == before.replace(b"STLS\r\n", b"")


# ---- the table


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("phase", [Phase.AUTHORIZATION, Phase.NAMED, Phase.TRANSACTION])
def test_every_command_in_every_state(verb: Verb, phase: Phase) -> None:
    """conformance: 1939-S-23, TG-G-3, TG-G-6"""
    offer = Offer(apop=True, stls=True, utf8=True, languages=("en",))
    made = logged_in(offer=offer) if phase is Phase.TRANSACTION else with_timestamp(offer)
    said(made)
    if phase is Phase.NAMED:
        tell(made, b"USER alice")
        said(made)
    event = tell(made, LINES.get(verb, verb.value.encode()))
    reply = said(made)
    if phase in LEGAL[verb]:
        assert event is not None or reply.startswith(b"+OK")
    else:
        assert (event, reply) == (None, WRONG_STATE)


# ---- UTF8 and LANG

INTERNATIONAL = "Subject: Grüße\n\nzweite Zeile ☃\n".encode()
FOR_ALL = Offer(stls=True, utf8=True, utf8_names=True, ascii_headers=True, languages=("en", "de"))


def with_international(*before: bytes, offer: Offer = FOR_ALL) -> ServerSession:
    """Return a session of a maildrop with one such message, logged in behind some commands."""
    made = session(offer)
    assert isinstance(tell(made, *before, b"USER alice", b"PASS secret"), LoginAttempted)
    made.admit(Drop((INTERNATIONAL,)))
    said(made)
    return made


@pytest.mark.parametrize("line", [b"RETR 1", b"TOP 1 1"])
def test_without_utf8_no_header_beyond_ascii_goes_out(line: bytes) -> None:
    """conformance: 6856-S-05, 6856-S-06, 6856-S-25"""
    made = with_international()
    assert isinstance(tell(made, line), MessageRequested)
    assert made.message_data(b"Subject: short\r\n")
    assert not made.message_begun
    assert not made.message_data("To: jörg\r\n\r\n".encode())
    assert not made.message_end()
    assert said(made) == b"-ERR [UTF8] this message can be read in UTF8 mode only\r\n"
    assert tell(made, b"LIST 1", b"STAT") is None
    assert said(made) == b"+OK 1 38\r\n+OK 1 38\r\n"


def test_a_body_goes_out_as_it_is() -> None:
    """conformance: 6856-S-05"""
    made = with_international()
    tell(made, b"TOP 1 1")
    assert made.message_data(b"Subject: x\r\n\r")
    assert said(made) == b""
    assert not made.message_data("\n☃\r\n.\r\n".encode())
    assert made.message_end()
    assert said(made).decode() == "+OK message follows\r\nSubject: x\r\n\r\n☃\r\n.\r\n"


def test_a_message_that_is_all_header_goes_out_at_its_end() -> None:
    made = with_international()
    tell(made, b"RETR 1", b"RETR 1")
    assert made.message_data(b"Subject: x\r\n")
    assert made.message_end()
    assert said(made) == b"+OK message follows\r\nSubject: x\r\n.\r\n"
    assert made.next_event() == MessageRequested(1, None)
    assert made.message_end()
    assert said(made) == b"+OK message follows\r\n.\r\n"


@pytest.mark.parametrize(
    ("before", "offer"),
    [((b"UTF8",), FOR_ALL), ((), Offer(utf8=True)), ((b"UTF8", b"LANG en", b"CAPA"), FOR_ALL)],
)
def test_in_utf8_mode_it_comes_as_it_is(before: tuple[bytes, ...], offer: Offer) -> None:
    """conformance: 6856-S-08, 6856-S-10"""
    made = with_international(*before, offer=offer)
    tell(made, b"RETR 1")
    assert made.message_data(INTERNATIONAL)
    assert made.message_end()
    assert INTERNATIONAL in said(made)


def test_tls_forgets_the_mode_and_the_language() -> None:
    """conformance: 6856-S-11, 2595-S-10"""
    made = session(FOR_ALL)
    assert tell(made, b"UTF8", b"LANG de", b"STLS") == TlsRequested()
    assert said(made).endswith(b"+OK TLS kann beginnen\r\n")
    made.tls_established(FOR_ALL)
    assert isinstance(tell(made, b"USER alice", b"PASS secret"), LoginAttempted)
    made.admit(Drop((INTERNATIONAL,)))
    assert b"name taken" in said(made)
    tell(made, b"RETR 1")
    assert not made.message_data(INTERNATIONAL.replace(b"\n", b"\r\n"))


def test_who_judges_may_know_of_the_mode() -> None:
    for before, says in (((), False), ((b"UTF8",), True)):
        made = session(FOR_ALL)
        with pytest.raises(LocalProtocolError):
            _ = made.says_utf8
        tell(made, *before, b"USER alice", b"PASS secret")
        assert made.says_utf8 is says


@pytest.mark.parametrize(("offer", "taken"), [(FOR_ALL, True), (Offer(utf8=True), False)])
def test_names_beyond_ascii_are_taken_where_that_is_announced(offer: Offer, taken: bool) -> None:
    """conformance: 6856-S-12, 6856-S-16"""
    made = session(offer)
    event = tell(made, "USER jörg".encode(), "PASS größe".encode())
    assert (event == LoginAttempted("jörg".encode(), "größe".encode())) is taken
    assert said(made).startswith(b"+OK name taken" if taken else b"-ERR only printable ASCII")


def test_a_language_is_chosen_and_spoken() -> None:
    """conformance: 6856-S-18, 6856-S-19, 6856-S-21, 6856-S-23"""
    made = session(FOR_ALL)
    assert tell(made, b"LANG", b"LANG de-AT", b"LANG fr", b"LANG e!n", b"PASS x") is None
    assert said(made).decode().splitlines() == [
        "+OK languages follow",
        "en English",
        "de Deutsch",
        ".",
        "+OK de Antworten auf Deutsch",
        "-ERR diese Sprache wird hier nicht gesprochen",
        "-ERR hier gehört ein Sprachbereich her",
        "-ERR dieser Befehl ist jetzt nicht möglich",
    ]
    assert isinstance(tell(made, b"USER alice", b"PASS secret"), LoginAttempted)
    made.refuse(AuthenticationFailed())
    assert said(made).endswith(b"-ERR [AUTH] Anmeldung fehlgeschlagen\r\n")
    assert tell(made, b"LANG *", b"NOOP") is None
    assert said(made) == b"+OK en answers in English\r\n-ERR this command is not possible now\r\n"


def test_a_language_stays_behind_the_login() -> None:
    """conformance: 6856-S-17"""
    made = with_international(b"LANG de")
    assert tell(made, b"NOOP", b"LANG en", b"NOOP") is None
    assert said(made) == b"+OK nichts getan\r\n+OK en answers in English\r\n+OK nothing done\r\n"


def test_there_may_be_no_choice() -> None:
    made = session(Offer())
    assert tell(made, b"LANG", b"LANG en", b"UTF8") is None
    assert said(made) == (
        2 * b"-ERR there is no choice of languages here\r\n" + b"-ERR UTF8 is not offered here\r\n"
    )


# ---- endings


def test_quit_before_a_login() -> None:
    """conformance: 1939-S-36, 1939-S-114, TG-U-9"""
    made = session()
    assert tell(made, b"QUIT", b"NOOP") == SessionEnded(EndReason.QUIT)
    assert said(made) == b"+OK goodbye\r\n"
    made.receive_data(b"NOOP\r\n")
    assert made.octets_waiting == 0
    assert made.next_event() is None
    assert said(made) == b""


def test_quit_with_nothing_marked() -> None:
    made = logged_in()
    assert tell(made, b"DELE 1", b"RSET", b"QUIT") == SessionEnded(EndReason.QUIT)
    assert said(made).endswith(b"+OK goodbye\r\n")


def test_an_update() -> None:
    """conformance: 1939-S-107, 1939-S-112, 1939-S-114, TG-U-2, TG-U-4"""
    made = logged_in("M5")
    assert tell(made, b"DELE 4", b"DELE 2", b"QUIT", b"NOOP") == UpdateRequested((2, 4))
    assert made.answer_due
    assert made.authenticated
    assert said(made) == b"+OK marked\r\n" * 2
    assert made.update_done() == SessionEnded(EndReason.QUIT)
    assert said(made) == b"+OK goodbye\r\n"
    assert made.next_event() is None
    assert said(made) == b""


def test_an_update_that_fails() -> None:
    """conformance: 1939-S-108, TG-U-8"""
    made = logged_in()
    tell(made, b"DELE 1", b"QUIT")
    said(made)
    assert made.update_failed(UpdateIncomplete(1)) == SessionEnded(EndReason.QUIT)
    assert said(made) == b"-ERR [SYS/TEMP] some deleted messages not removed\r\n"


def test_the_client_goes_without_quit() -> None:
    """conformance: 1939-S-08, 1939-S-111, TG-U-7"""
    made = logged_in()
    made.receive_data(b"DELE 1\r\nQUIT")
    made.receive_eof()
    assert made.next_event() == SessionEnded(EndReason.CLIENT_GONE)
    assert said(made) == b"+OK marked\r\n"
    assert made.ended


def test_complete_lines_before_the_end_still_count() -> None:
    """conformance: 1939-S-115"""
    made = logged_in()
    made.receive_data(b"DELE 1\r\nQUIT\r\n")
    made.receive_eof()
    assert made.next_event() == UpdateRequested((1,))


def test_the_client_goes_while_an_answer_is_due() -> None:
    made = session()
    tell(made, b"USER alice", b"PASS bad")
    made.receive_eof()
    assert made.next_event() is None
    made.refuse(AuthenticationFailed())
    assert made.next_event() == SessionEnded(EndReason.CLIENT_GONE)


def test_too_many_bad_commands_before_a_login() -> None:
    """conformance: 1939-S-20, 1939-S-28"""
    made = session()
    assert tell(made, *[b"XYZZY", b"CAPA"] * 10) is None
    assert said(made).count(b"-ERR unknown command\r\n") == 10
    assert tell(made, b"a\0b", b"CAPA") == SessionEnded(EndReason.BAD_COMMANDS)
    assert said(made) == b"-ERR too many bad commands\r\n"


def test_too_many_bad_commands_in_a_row() -> None:
    """conformance: 1939-S-28"""
    made = logged_in()
    assert tell(made, b"DELE 1", *[b"XYZZY"] * 50, b"NOOP", *[b"USER a"] * 50) is None
    assert tell(made, b"") == SessionEnded(EndReason.BAD_COMMANDS)
    assert said(made).endswith(b"-ERR too many bad commands\r\n")


def test_bad_commands_before_a_login_are_forgiven_by_it() -> None:
    made = session(options=SessionOptions(bad_commands_in_a_row=1))
    tell(made, *[b"XYZZY"] * 9, b"USER alice", b"PASS secret")
    made.admit(Drop(()))
    said(made)
    assert tell(made, b"XYZZY") is None
    assert said(made) == b"-ERR unknown command\r\n"
    assert tell(made, b"XYZZY") == SessionEnded(EndReason.BAD_COMMANDS)


@pytest.mark.parametrize(
    "segments",
    [
        (b"GET / HTTP/1.1\r\n", b"Host: mail\r\n"),
        (b"POST / HTTP/1.1\r\nHost: mail\r\n\r\nUSER alice\r\nPASS secret\r\n",),
        (b"G", b"ET /" + b"x" * 300, b" HTTP/1.1\r\nUSER alice\r\n"),
        (b"GET /\0 HTTP/1.1\r\n",),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",),
    ],
)
def test_a_web_client_hears_nothing(segments: tuple[bytes, ...]) -> None:
    made = session()
    events = []
    for segment in segments:
        made.receive_data(segment)
        events.append(made.next_event())
    assert [event for event in events if event] == [SessionEnded(EndReason.WEB_CLIENT)]
    assert said(made) == b""


def test_what_looks_like_the_web_later_is_a_bad_command() -> None:
    made = session()
    assert tell(made, b"GETX / HTTP/1.1", b"GET / HTTP/1.1") is None
    assert said(made) == b"-ERR unknown command\r\n" * 2
    assert tell(logged_in(), b"GET / HTTP/1.1") is None


def test_a_line_without_end() -> None:
    """conformance: 1939-S-27"""
    made = logged_in()
    made.receive_data(b"DELE 1\r\n" + b"a" * (ENDLESS_OCTETS + 1))
    assert made.next_event() == SessionEnded(EndReason.ENDLESS_LINE)
    assert said(made) == b"+OK marked\r\n-ERR line too long, closing\r\n"


def test_line_ends_may_be_held_to_the_letter() -> None:
    """conformance: 1939-S-06"""
    made = session(options=SessionOptions(strict_line_ends=True))
    made.receive_data(b"CAPA\nSTLS\r\n")
    assert made.next_event() == TlsRequested()
    assert said(made) == b"-ERR lines end in CRLF\r\n+OK begin TLS\r\n"
    made.tls_established(Offer())
    made.receive_data(b"CAPA\n")
    assert made.next_event() is None
    assert said(made) == b"-ERR lines end in CRLF\r\n"


# ---- the driver's part


def test_a_flood_of_commands_waits_for_its_replies_to_be_sent() -> None:
    """conformance: 2449-S-24"""
    made = logged_in()
    count = 3 * OUTPUT_OCTETS // len(b"+OK nothing done\r\n")
    made.receive_data(b"NOOP\r\n" * count)
    replies = 0
    for _ in range(4):
        assert made.next_event() is None
        sent = said(made)
        assert len(sent) < OUTPUT_OCTETS + 512
        replies += sent.count(b"+OK")
    assert replies == count
    assert made.octets_waiting == 0


def test_the_end_waits_for_the_replies_as_well() -> None:
    made = logged_in()
    made.receive_data(b"NOOP\r\n" * (OUTPUT_OCTETS // 10))
    made.receive_eof()
    assert made.next_event() is None
    assert made.octets_waiting
    said(made)
    assert made.next_event() == SessionEnded(EndReason.CLIENT_GONE)


def test_the_end_is_left_to_be_looked_at() -> None:
    made = logged_in()
    assert not made.input_waiting
    made.receive_data(b"RETR 1\r\n")
    assert made.input_waiting
    assert made.next_event() == MessageRequested(1, None)
    assert not made.input_waiting
    made.receive_eof()
    assert made.input_waiting
    assert made.next_event() is None


def test_answers_that_nobody_asked_for_are_errors_of_the_driver() -> None:
    made = session()
    refusal = TemporaryFailure()
    for answer in (
        lambda: made.admit(Drop(())),
        lambda: made.refuse(refusal),
        lambda: made.challenge(b""),
        lambda: made.tls_established(Offer()),
        lambda: made.message_data(b""),
        lambda: made.message_end(),
        lambda: made.message_failed(),
        lambda: made.update_done(),
        lambda: made.update_failed(refusal),
    ):
        with pytest.raises(LocalProtocolError):
            answer()
    tell(made, b"USER alice", b"PASS secret")
    with pytest.raises(LocalProtocolError):
        made.challenge(b"")


def test_what_the_package_shows() -> None:
    assert protocol.ServerSession is ServerSession
    assert all(hasattr(protocol, name) for name in protocol.__all__)


TIMESTAMP = b"<1896.697170952@dbc.mtview.ca.us>"
DIGEST = b"c4c9334bac560ecc979e58001b3e22fb"


def with_timestamp(offer: Offer | None = None) -> ServerSession:
    return ServerSession(offer or Offer(apop=True, stls=True), SessionOptions(), TIMESTAMP)


def test_the_greeting_has_a_timestamp_where_apop_is_offered() -> None:
    """conformance: 1939-S-56, 1939-S-57, TG-A3-2"""
    made = with_timestamp()
    assert said(made) == b"+OK POP3 server ready " + TIMESTAMP + b"\r\n"
    tell(made, b"CAPA")
    assert b"APOP" not in said(made)


def test_a_digest_is_judged_and_may_be_tried_again() -> None:
    """RFC 1939 §7 (APOP). conformance: 1939-S-60, 1939-S-62, 1939-S-63"""
    made = with_timestamp()
    said(made)
    for right in (False, True):
        event = tell(made, b"APOP mrose " + DIGEST)
        assert event == ApopAttempted(b"mrose", TIMESTAMP, bytes.fromhex(DIGEST.decode()))
        assert made.answer_due
        if right:
            made.admit(Drop(MAILDROPS["M2"]))
        else:
            made.refuse(AuthenticationFailed())
    assert said(made).split(b"\r\n")[:2] == [
        b"-ERR [AUTH] authentication failed",
        b"+OK maildrop has 2 messages (320 octets)",
    ]
    assert made.authenticated


def test_apop_does_not_come_between_user_and_pass() -> None:
    """conformance: 1939-S-63"""
    made = with_timestamp()
    said(made)
    assert tell(made, b"USER mrose", b"APOP mrose " + DIGEST) is None
    assert said(made).endswith(WRONG_STATE)
    # The name is forgotten, so that PASS finds none.
    assert tell(made, b"PASS x") is None
    assert said(made) == WRONG_STATE


def test_the_timestamp_is_forgotten_under_tls() -> None:
    """What stood in a greeting that was read in clear may be anybody's (RFC 2595 §4)."""
    made = with_timestamp()
    tell(made, b"STLS")
    made.tls_established(Offer(apop=True))
    said(made)
    assert tell(made, b"APOP mrose " + DIGEST) is None
    assert said(made) == b"-ERR this way to authenticate is not offered\r\n"


def test_there_is_no_challenge_to_a_digest() -> None:
    made = with_timestamp()
    tell(made, b"APOP mrose " + DIGEST)
    with pytest.raises(LocalProtocolError):
        made.challenge(b"x")


def test_the_offer_may_be_another_before_anything_was_asked() -> None:
    made = session(Offer(mechanisms=("PLAIN",)))
    made.offer_instead(Offer(mechanisms=("SCRAM-SHA-256-PLUS", "PLAIN")))
    tell(made, b"CAPA")
    assert b"\r\nSASL SCRAM-SHA-256-PLUS PLAIN\r\n" in said(made)
    assert isinstance(tell(made, b"AUTH PLAIN"), SaslStarted)
    with pytest.raises(LocalProtocolError):
        made.offer_instead(Offer())


def test_a_line_of_sasl_is_as_long_as_the_offer_says() -> None:
    """Tokens are longer than anything else. conformance: 5034-S-12"""
    long = b"A" * (SASL_OCTETS + 8)
    for octets, taken in ((SASL_OCTETS, False), (2 * SASL_OCTETS, True)):
        made = session(Offer(mechanisms=("PLAIN",), sasl_octets=octets))
        assert isinstance(tell(made, b"AUTH PLAIN " + long), SaslStarted) == taken
        if taken:
            made.challenge(b"")
            assert isinstance(tell(made, long), SaslAnswered)
        else:
            assert said(made) == b"-ERR line too long\r\n"


def test_a_login_with_fewer_rights_marks_nothing() -> None:
    made = session()
    tell(made, b"USER alice", b"PASS secret")
    made.admit(Drop(MAILDROPS["M2"]), read_only=True)
    said(made)
    tell(made, b"DELE 1", b"DELE 3", b"STAT", b"RSET")
    assert said(made).split(b"\r\n")[:-1] == [
        b"-ERR this login may collect mail, not remove it",
        b"-ERR no such message",
        b"+OK 2 320",
        b"+OK no message is marked",
    ]
    assert isinstance(tell(made, b"QUIT"), SessionEnded)
