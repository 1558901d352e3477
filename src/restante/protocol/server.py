"""ServerSession: one POP3 session seen from the server, octets in, events out.

A driver owns the connection and the clock. It feeds `receive_data`, asks `next_event` until that
returns None, sends what `data_to_send` returns, and answers the events that want an answer. While
an answer is due no further command is read, so replies come in the order of the commands however
many were pipelined (RFC 2449 §6.6).

The session answers alone whatever needs no maildrop: bad lines, wrong states, listings, marks.
State carries its data: outside TRANSACTION there is no listing to reach, between STLS and
`tls_established` there is nothing of what was said in clear.

What does not live here: sockets, TLS, time, credentials stores, messages.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from restante.errors import LocalProtocolError, Refusal
from restante.protocol.authorization import Authorization, Exchange, offer_after_login
from restante.protocol.commands import BadSyntax, Command, Verb, parse
from restante.protocol.events import (
    ApopAttempted,
    EndReason,
    Event,
    MessageRequested,
    SaslCancelled,
    SaslStarted,
    SessionEnded,
    TlsRequested,
    UpdateRequested,
)
from restante.protocol.languages import LANGUAGES, look_up
from restante.protocol.legality import LEGAL, Phase
from restante.protocol.lines import (
    COMMAND_OCTETS,
    Discarding,
    LineBuffer,
    LineFault,
    Refusing,
)
from restante.protocol.offers import Offer, SessionOptions, capabilities
from restante.protocol.replies import TERMINATION, Buffer, Output, status_line
from restante.protocol.screening import HeaderScreen
from restante.protocol.stuffing import DotStuffer, TopCut
from restante.protocol.transaction import Listing, Transaction

OUTPUT_OCTETS = 65_536
"""Commands are answered until this much waits to be sent; then the sending comes first."""

GOODBYE = status_line(True, "goodbye")
NOTHING_DONE = status_line(True, "nothing done")
MESSAGE_FOLLOWS = status_line(True, "message follows")
MAILDROP_OPEN = b"+OK maildrop has %d messages (%d octets)\r\n"
LANGUAGE_CHOSEN = b"+OK %b answers in English\r\n"
WRONG_STATE = "this command is not possible now"
TOO_MANY_BAD = "too many bad commands"

_WEB_METHODS = tuple(
    method + b" "
    for method in (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"DELETE", b"PRI")
)

_DISCARDING = Discarding()
_REFUSING = Refusing()


class Verifying:
    """The state while the driver judges credentials."""

    __slots__ = ("authorization", "exchange")

    def __init__(self, authorization: Authorization, exchange: Exchange | None) -> None:
        self.authorization = authorization
        self.exchange = exchange


class Negotiating:
    """The state between the agreement to STLS and the end of the handshake."""

    __slots__ = ()


class Sending:
    """The state while a message goes out."""

    __slots__ = ("cut", "screen", "stuffer", "transaction")

    def __init__(self, transaction: Transaction, lines: int | None) -> None:
        self.transaction = transaction
        self.cut = None if lines is None else TopCut(lines)
        self.screen = HeaderScreen() if transaction.ascii_headers else None
        self.stuffer: DotStuffer | None = None


class Updating:
    """The state UPDATE: marked messages are being removed."""

    __slots__ = ()


class Ended:
    """The state behind the last reply."""

    __slots__ = ()


_S = TypeVar("_S")

State = (
    Authorization | Exchange | Verifying | Negotiating | Transaction | Sending | Updating | Ended
)


class ServerSession:
    """One session, from the greeting to its end."""

    __slots__ = ("_bad", "_eof", "_fresh", "_lines", "_options", "_output", "_state")

    def __init__(self, offer: Offer, options: SessionOptions, timestamp: bytes = b"") -> None:
        """Begin; `timestamp` is for APOP, in its angle brackets and never given before."""
        self._options = options
        self._lines = LineBuffer(strict=options.strict_line_ends)
        self._output = Output()
        self._state: State = Authorization(offer, timestamp)
        self._bad = 0
        self._eof = False
        self._fresh = True
        if timestamp:
            # RFC 1939 §7 (APOP).
            self._output.write(b"%b %b\r\n" % (options.greeting_line[:-2], timestamp))
        else:
            self._output.write(options.greeting_line)

    # ---- what the driver asks

    @property
    def authenticated(self) -> bool:
        """Whether a maildrop is, or was until UPDATE, open."""
        return isinstance(self._state, (Transaction, Sending, Updating))

    @property
    def says_utf8(self) -> bool:
        """Whether the client whose credentials are judged has said UTF8."""
        return self._expect(Verifying).authorization.utf8

    @property
    def answer_due(self) -> bool:
        """Whether an event waits for the driver's answer."""
        return isinstance(self._state, (Verifying, Negotiating, Sending, Updating))

    @property
    def ended(self) -> bool:
        """Whether `SessionEnded` was given out."""
        return isinstance(self._state, Ended)

    @property
    def message_begun(self) -> bool:
        """Whether a part of a message was sent and its end was not."""
        return isinstance(self._state, Sending) and self._state.stuffer is not None

    @property
    def octets_waiting(self) -> int:
        """Octets received and not yet looked at; bound them by not reading more."""
        return self._lines.octets

    @property
    def input_waiting(self) -> bool:
        """Whether anything is left to be looked at, be it the end of what the client says."""
        return self._eof or self._lines.octets > 0

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take in octets from the client; what comes after the end is dropped.

        Raises:
            LocalProtocolError: TLS is being negotiated, so these octets are not the session's.
        """
        self._lines.append(data)

    def receive_eof(self) -> None:
        """Take note that the client sends no more; complete lines before it still count."""
        self._eof = True

    def data_to_send(self) -> list[Buffer]:
        """Return what waits to be sent, in order, uncopied."""
        output = self._output
        buffers, output.buffers = output.buffers, None
        output.octets = 0
        return buffers or []

    def next_event(self) -> Event | None:
        """Answer commands until something happens that the driver has to know.

        None: an answer of the driver's is due, output waits to be sent, or octets are missing.
        """
        output = self._output
        while output.octets < OUTPUT_OCTETS:
            state, lines = self._state, self._lines
            if not lines.octets:
                # So ends nearly every call.
                return self._input_over(state) if self._eof else None
            limit = COMMAND_OCTETS
            if isinstance(state, Authorization):
                # Known by how it begins: such a line may be too long to be seen whole.
                if self._fresh and lines.starts_like(*_WEB_METHODS):
                    return self._end(EndReason.WEB_CLIENT)
                if lines.octets > COMMAND_OCTETS and lines.starts_like(b"AUTH "):
                    limit = state.offer.sasl_octets
            elif isinstance(state, Exchange):
                limit = state.authorization.offer.sasl_octets
            elif not isinstance(state, Transaction):
                return None
            line = lines.next_line(limit)
            if line is None:
                return self._input_over(state) if self._eof else None
            event = self._take_line(state, line)
            if event is not None:
                return event
        return None

    # ---- what the driver answers

    def admit(self, listing: Listing, *, read_only: bool = False) -> None:
        """Open the maildrop: the lock is held, the listing stands (RFC 1939 §4).

        `read_only`: nothing in it can be marked.
        """
        state = self._expect(Verifying)
        self._bad = 0
        offer = offer_after_login(state.authorization.offer)
        ascii_headers = offer.ascii_headers and not state.authorization.utf8
        self._state = Transaction(listing, offer, read_only=read_only, ascii_headers=ascii_headers)
        self._output.reply(MAILDROP_OPEN, listing.count, listing.octets)

    def refuse(self, refusal: Refusal) -> None:
        """Answer a login or a message with a refusal; the session goes on where it was."""
        if isinstance(self._state, Sending):
            if self.message_begun:
                raise LocalProtocolError("the message has begun")
            self._state = self._state.transaction
        else:
            self._state = self._expect(Verifying).authorization
        self._output.negative(refusal.text, refusal.code)

    def challenge(self, data: bytes) -> None:
        """Send a challenge of the mechanism's."""
        state = self._expect(Verifying)
        if state.exchange is None:
            raise LocalProtocolError("only an exchange of SASL has challenges")
        self._state = state.exchange
        self._output.challenge(data)

    def offer_instead(self, offer: Offer) -> None:
        """Offer something else, before anything was asked: the layer below knows more now."""
        self._expect(Authorization).offer = offer

    def tls_established(self, offer: Offer) -> None:
        """Begin again under TLS; counters against abuse are all that is kept of before."""
        self._expect(Negotiating)
        self._lines = LineBuffer(strict=self._options.strict_line_ends)
        self._state = Authorization(offer)
        # RFC 6856 §7: somebody else may have chosen it.
        self._output.language = None

    def message_data(self, data: bytes) -> bool:
        """Send a piece of the message, lines ending in CRLF; False: no more is wanted of it.

        TOP shows no more, or the header is not for this client: `message_end` says so.
        """
        state = self._expect(Sending)
        if state.screen is not None:
            data = state.screen.screen(data)
            if not data:
                return state.screen.refusal is None
        return self._send(state, data)

    def message_end(self) -> bool:
        """End the message, or refuse it for its header; False: it was refused."""
        state = self._expect(Sending)
        if state.screen is not None:
            held = state.screen.end()
            if state.screen.refusal is not None:
                self._state = state.transaction
                self._output.reply(state.screen.refusal)
                return False
            if held:
                self._send(state, held)
        self._begin_message(state)
        self._state = state.transaction
        self._output.write(TERMINATION)
        return True

    def message_failed(self) -> SessionEnded:
        """End the session in the midst of a message.

        A termination octet would make what was sent look complete (RFC 1939 §3), so there is
        none.
        """
        self._expect(Sending)
        return self._end(EndReason.MESSAGE_FAILED)

    def update_done(self) -> SessionEnded:
        """Say that what was marked is removed, for good."""
        self._expect(Updating)
        return self._goodbye()

    def update_failed(self, refusal: Refusal) -> SessionEnded:
        """Say that some of what was marked is still there (RFC 1939 §6)."""
        self._expect(Updating)
        self._output.negative(refusal.text, refusal.code)
        return self._end(EndReason.QUIT)

    # ---- lines

    def _take_line(
        self, state: Authorization | Exchange | Transaction, line: bytes | LineFault
    ) -> Event | None:
        self._fresh = False
        if isinstance(line, LineFault):
            return self._bad_line(state, line)
        if isinstance(state, Exchange):
            return self._take_response(state, line)
        command = parse(line, utf8=state.offer.utf8_names)
        if isinstance(command, BadSyntax):
            return self._bad_command(state, None, command.value)
        action = _ACTIONS[state.phase].get(command.verb)
        if action is None:
            return self._bad_command(state, command.verb, WRONG_STATE)
        if isinstance(state, Transaction):
            self._bad = 0
        else:
            state.forget(command.verb)
        return action(self, state, command)

    def _take_response(self, state: Exchange, line: bytes) -> Event:
        event = state.answer(line, self._output)
        if isinstance(event, SaslCancelled):
            self._state = state.authorization
        else:
            self._state = Verifying(state.authorization, state)
        return event

    def _bad_line(
        self, state: Authorization | Exchange | Transaction, fault: LineFault
    ) -> Event | None:
        if fault is LineFault.ENDLESS:
            self._output.negative(fault.value)
            return self._end(EndReason.ENDLESS_LINE)
        if isinstance(state, Exchange):
            self._state = state.authorization
            self._output.negative(fault.value)
            return SaslCancelled()
        return self._bad_command(state, None, fault.value)

    def _bad_command(
        self, state: Authorization | Transaction, verb: Verb | None, text: str
    ) -> Event | None:
        self._bad += 1
        limit = self._options.bad_commands_in_a_row
        if isinstance(state, Authorization):
            state.forget(verb)
            limit = self._options.bad_commands_before_login
        if self._bad > limit:
            self._output.negative(TOO_MANY_BAD)
            return self._end(EndReason.BAD_COMMANDS)
        self._output.negative(text)
        return None

    # ---- commands in both states

    def _capa(self, state: Authorization | Transaction, command: Command) -> None:
        self._output.listing("capabilities follow", capabilities(state.offer, self._options))

    def _goodbye(self) -> SessionEnded:
        self._output.reply(GOODBYE)
        return self._end(EndReason.QUIT)

    def _lang(self, state: Authorization | Transaction, command: Command) -> None:
        """RFC 6856 §3.2; what `*` stands for depends on nobody (§7)."""
        output, offered = self._output, state.offer.languages
        if not offered:
            output.negative("there is no choice of languages here")
        elif not command.name:
            lines = (LANGUAGES[tag].listing for tag in offered)
            output.listing("languages follow", lines)
        elif (chosen := look_up(command.name.decode("ascii"), offered)) is None:
            output.negative("this language is not spoken here")
        else:
            output.language = chosen
            output.reply(LANGUAGE_CHOSEN, chosen.tag.encode("ascii"))

    # ---- AUTHORIZATION

    def _quit_before_login(self, state: Authorization, command: Command) -> SessionEnded:
        return self._goodbye()

    def _user(self, state: Authorization, command: Command) -> Event | None:
        return state.user(command, self._output)

    def _utf8(self, state: Authorization, command: Command) -> None:
        state.say_utf8(self._output)

    def _pass(self, state: Authorization, command: Command) -> Event:
        self._state = Verifying(state, None)
        return state.password(command)

    def _apop(self, state: Authorization, command: Command) -> Event | None:
        event = state.apop(command, self._output)
        if isinstance(event, ApopAttempted):
            self._state = Verifying(state, None)
        return event

    def _auth(self, state: Authorization, command: Command) -> Event | None:
        event = state.auth(command, self._output)
        if isinstance(event, SaslStarted):
            self._state = Verifying(state, Exchange(state))
        return event

    def _stls(self, state: Authorization, command: Command) -> Event | None:
        behind = self._lines.octets
        event = state.stls(self._output, behind)
        if isinstance(event, TlsRequested):
            self._state = Negotiating()
            self._lines = _REFUSING
        elif state.offer.stls:
            return self._end(EndReason.OCTETS_BEHIND_STLS)
        return event

    # ---- TRANSACTION

    def _message(self, state: Transaction, command: Command) -> Event | None:
        event = state.message(command, self._output)
        if isinstance(event, MessageRequested):
            self._state = Sending(state, event.lines)
        return event

    def _stat(self, state: Transaction, command: Command) -> None:
        state.stat(self._output)

    def _list(self, state: Transaction, command: Command) -> None:
        state.list(command, self._output)

    def _uidl(self, state: Transaction, command: Command) -> None:
        state.uidl(command, self._output)

    def _dele(self, state: Transaction, command: Command) -> None:
        state.dele(command, self._output)

    def _rset(self, state: Transaction, command: Command) -> None:
        state.rset(self._output)

    def _noop(self, state: Transaction, command: Command) -> None:
        self._output.reply(NOTHING_DONE)

    def _quit(self, state: Transaction, command: Command) -> Event:
        marked = state.marked
        if not marked:
            return self._goodbye()
        self._state = Updating()
        return UpdateRequested(marked)

    # ---- states

    def _begin_message(self, state: Sending) -> DotStuffer:
        if state.stuffer is None:
            state.stuffer = DotStuffer()
            self._output.reply(MESSAGE_FOLLOWS)
        return state.stuffer

    def _send(self, state: Sending, data: bytes) -> bool:
        stuffer = self._begin_message(state)
        if state.cut is not None:
            data = state.cut.cut(data)
        self._output.write(stuffer.stuff(data))
        return state.cut is None or not state.cut.done

    def _input_over(self, state: State) -> Event | None:
        if isinstance(state, (Authorization, Exchange, Transaction)):
            return self._end(EndReason.CLIENT_GONE)
        return None

    def _end(self, reason: EndReason) -> SessionEnded:
        self._state = Ended()
        self._lines = _DISCARDING
        return SessionEnded(reason)

    def _expect(self, kind: type[_S]) -> _S:
        if not isinstance(self._state, kind):
            raise LocalProtocolError(f"{kind.__name__} is not the state of this session")
        return self._state


# What a command does depends on the state as well: each action gets the one it is written for.
_Action = Callable[[ServerSession, Any, Command], Event | None]

_BEFORE_LOGIN: dict[Verb, _Action] = {
    Verb.CAPA: ServerSession._capa,
    Verb.QUIT: ServerSession._quit_before_login,
    Verb.USER: ServerSession._user,
    Verb.PASS: ServerSession._pass,
    Verb.APOP: ServerSession._apop,
    Verb.AUTH: ServerSession._auth,
    Verb.STLS: ServerSession._stls,
    Verb.UTF8: ServerSession._utf8,
    Verb.LANG: ServerSession._lang,
}

_WITH_MAILDROP: dict[Verb, _Action] = {
    Verb.CAPA: ServerSession._capa,
    Verb.QUIT: ServerSession._quit,
    Verb.STAT: ServerSession._stat,
    Verb.LIST: ServerSession._list,
    Verb.UIDL: ServerSession._uidl,
    Verb.RETR: ServerSession._message,
    Verb.TOP: ServerSession._message,
    Verb.DELE: ServerSession._dele,
    Verb.NOOP: ServerSession._noop,
    Verb.RSET: ServerSession._rset,
    Verb.LANG: ServerSession._lang,
}

_ACTIONS: dict[Phase, dict[Verb, _Action]] = {
    phase: {
        verb: (_WITH_MAILDROP if phase is Phase.TRANSACTION else _BEFORE_LOGIN)[verb]
        for verb, phases in LEGAL.items()
        if phase in phases
    }
    for phase in Phase
}
"""What is legal in each phase, and what it does."""
