"""Driver: answers the events of one session with an authenticator and a store.

What finds everything in memory is done at once; what may wait for a disk runs in the service's
executor, and the session goes on when it is done. While it runs the client's further commands
wait in the session, so the order of replies is never at stake.

A lock is given back in every way a session can end (RFC 1939 §6). UPDATE begins with QUIT and with
nothing else, and once begun it is finished even if the client is gone.
"""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack, cast

from restante.errors import (
    AuthenticationFailed,
    MaildropInUse,
    Refusal,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.identity import (
    AnswersByCall,
    Credentials,
    DigestCredentials,
    GivesSalts,
    Identity,
    Outcome,
    PasswordCredentials,
    Question,
    SaltRequest,
    ScramParameters,
)
from restante.maildrop import Maildrop, MailStore, MessageReader
from restante.protocol import (
    ApopAttempted,
    CleartextRefused,
    EndReason,
    LoginAttempted,
    MessageRequested,
    SaslAnswered,
    SaslCancelled,
    SaslStarted,
    SessionEnded,
    TlsRequested,
    UpdateRequested,
)
from restante.protocol import Event as SessionEvent
from restante.sasl import MechanismError
from restante.sasl.mechanism import Challenge, Step
from restante.sasl.saslprep import is_preparable
from restante.secret import Secret
from restante.server.exchange import Exchange, Verdict
from restante.server.opening import open_maildrop
from restante.server.outlet import CHUNK_OCTETS
from restante.server.registry import SessionDescription
from restante.server.surrogates import SurrogateDrop
from restante.telemetry import Event

if TYPE_CHECKING:
    from restante.server.connection import Connection
    from restante.server.service import Service

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

TOP_OCTETS = 16_384
"""TOP is asked for the header mostly: no more than this is read at once for it."""


class MalformedMessage(Refusal):
    """A SASL message outside its mechanism's grammar: no failure of credentials, so no code."""


class Driver:
    """The answers to one session."""

    __slots__ = (
        "_busy",
        "_connection",
        "_ended",
        "_exchange",
        "_logged_in_at",
        "_maildrop",
        "_octets_sent",
        "_opening",
        "_reader",
        "_removed",
        "_retrieved",
        "_service",
        "_tops",
        "_unflushed",
        "_updating",
        "_user",
        "_whole",
        "_withdraw",
    )

    def __init__(self, service: "Service", connection: "Connection") -> None:
        self._service = service
        self._connection = connection
        self._maildrop: Maildrop | None = None
        self._reader: MessageReader | None = None
        self._exchange: Exchange | None = None
        self._withdraw: Callable[[], object] | None = None
        """Gives up a login that is under way."""
        self._user: str | None = None
        """Whose maildrop it is, once it is open."""
        self._logged_in_at = 0.0
        self._busy = False
        self._opening = False
        self._ended = False
        self._updating = False
        self._whole = True
        self._retrieved = self._tops = self._octets_sent = self._removed = self._unflushed = 0

    # ---- what the connection asks

    def advance(self) -> None:
        """Answer what can be answered now."""
        try:
            self._answer()
        except Exception as error:
            self._fail(error)

    def _go_on(self, first: Callable[[Unpack[_Ts]], None], *arguments: *_Ts) -> None:
        """Do something first, then answer."""
        try:
            first(*arguments)
            self._answer()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """End the session for a defect, which costs this one alone."""
        self._log_fault(error)
        self._connection.drop("fault")

    def _answer(self) -> None:
        connection = self._connection
        session = connection.session
        turns = 0
        while not (self._ended or connection.congested or self._busy):
            if self._reader is not None:
                self._read_message(self._reader)
                continue
            # While an answer of ours is due there is none.
            event = session.next_event()
            if event is not None:
                _ANSWERS[type(event)](self, event)
                continue
            if not connection.flush() or not session.input_waiting:
                break
            turns += 1
            if turns > 1:
                # A client that pipelines without end must not keep the others waiting.
                self._service.loop.call_soon(self.advance)
                break
        if self._ended:
            return
        if self._busy or connection.congested:
            connection.flush()
        if session.octets_waiting or connection.reading_paused:
            connection.throttle_reading()
        if self._service.draining:
            self.drain()

    def drain(self) -> None:
        """End the session if it waits for a command; otherwise it ends behind its reply."""
        waiting = self._busy or self._withdraw is not None or self._reader is not None
        if not (waiting or self._ended or self._connection.congested):
            self._end("server stopping")
            self._connection.close(linger=True)

    def abandon(self, reason: str) -> None:
        """Give everything back without UPDATE: the client is gone, or has to go.

        An UPDATE that has begun was asked for, and is finished.
        """
        if not (self._ended or self._updating):
            self._end(reason)

    @property
    def opening(self) -> bool:
        """Whether somebody who has proved an identity waits for the maildrop."""
        return self._opening

    def describe(self) -> SessionDescription:
        """Return what `who` tells of the session itself."""
        if self._user is None or self._maildrop is None:
            return {"account": None, "state": "authorization"}
        listing = self._maildrop.listing
        return {
            "account": self._user,
            "state": "transaction",
            "logged_in_seconds": round(self._service.loop.time() - self._logged_in_at, 3),
            "messages": listing.count,
            "octets": listing.octets,
            "retrieved": self._retrieved,
        }

    # ---- login

    def _login_attempted(self, event: LoginAttempted) -> None:
        if not event.password.isascii() and not is_preparable(event.password):
            # RFC 6856 §2.2; nobody is asked, so there is nothing to guess here.
            self._connection.session.refuse(AuthenticationFailed())
            return
        name = event.name.decode("utf-8")
        self._ask(PasswordCredentials(name, Secret(event.password)))

    def _apop_attempted(self, event: ApopAttempted) -> None:
        name = event.name.decode("utf-8")
        self._ask(DigestCredentials(name, event.timestamp, Secret(event.digest), "APOP"))

    def _sasl_started(self, event: SaslStarted) -> None:
        mechanism = self._service.mechanisms.begin(event.mechanism, self._connection.channel)
        exchange = self._exchange = Exchange(mechanism)
        self._sasl_step(exchange, partial(exchange.start, event.initial_response))

    def _sasl_answered(self, event: SaslAnswered) -> None:
        assert self._exchange is not None
        self._sasl_step(self._exchange, partial(self._exchange.respond, event.response))

    def _sasl_step(self, exchange: Exchange, step: Callable[[], Step | Verdict]) -> None:
        try:
            outcome = step()
        except MechanismError as error:
            self._give_up_exchange()
            self._connection.session.refuse(MalformedMessage(str(error)))
            return
        except Refusal as refusal:
            self._exchange = None
            asked = SaltRequest(exchange.name, exchange.mechanism)
            self._log_refusal(asked, refusal, Event.AUTH_UNAVAILABLE)
            self._connection.session.refuse(refusal)
            return
        if isinstance(outcome, Challenge):
            self._connection.session.challenge(outcome.data)
        elif isinstance(outcome, Verdict):
            self._conclude(outcome.credentials, outcome.outcome)
        else:
            self._ask(outcome)

    def _sasl_cancelled(self, event: SaslCancelled) -> None:
        self._give_up_exchange()

    def _give_up_exchange(self) -> None:
        """Forget an exchange, and say so where it has shown that the client has the password."""
        exchange, self._exchange = self._exchange, None
        identity = None if exchange is None else exchange.proved
        if exchange is not None and identity is not None:
            self._service.log(
                Event.LOGIN_ABANDONED,
                peer=self._connection.origin,
                mech=exchange.mechanism,
                device=identity.device or None,
                user=identity.name,
            )

    def _cleartext_refused(self, event: CleartextRefused) -> None:
        peer = self._connection.origin
        self._service.flood_log(Event.CLEARTEXT_REFUSED, peer=peer, mech=event.mechanism)

    def _ask(self, question: Question) -> None:
        authenticator = self._service.authenticator
        if self._service.answers_by_call:
            self._withdraw = cast(AnswersByCall, authenticator).submit(
                question, self._connection.peer, partial(self._answered, question)
            )
        else:
            self._withdraw = self._task(self._ask_and_wait(question))

    def _task(self, work: Coroutine[None, None, None]) -> Callable[[], object]:
        return self._service.loop.create_task(work).cancel

    async def _ask_and_wait(self, question: Question) -> None:
        authenticator, peer = self._service.authenticator, self._connection.peer
        outcome: Outcome
        try:
            if isinstance(question, SaltRequest):
                outcome = await cast(GivesSalts, authenticator).salt(question, peer)
            else:
                outcome = await authenticator.authenticate(question, peer)
        except Exception as error:
            outcome = self._as_refusal(error)
        self._answered(question, outcome)

    def _answered(self, question: Question, outcome: Outcome) -> None:
        """Go on with what the authenticator said."""
        self._withdraw = None
        if isinstance(question, SaltRequest):
            self._go_on(self._salted, question, outcome)
            return
        assert not isinstance(outcome, ScramParameters)
        if isinstance(outcome, Refusal):
            self._log_refusal(question, outcome, Event.AUTH_UNAVAILABLE)
        self._go_on(self._judged, question, outcome)

    def _salted(self, request: SaltRequest, outcome: Outcome) -> None:
        assert self._exchange is not None
        if isinstance(outcome, ScramParameters):
            self._connection.session.challenge(self._exchange.salted(outcome).data)
            return
        assert isinstance(outcome, Refusal)
        self._exchange = None
        self._log_refusal(request, outcome, Event.AUTH_UNAVAILABLE)
        self._connection.session.refuse(outcome)

    def _judged(self, credentials: Credentials, outcome: Identity | Refusal) -> None:
        """Let a verdict count, unless its mechanism has a last word that comes before it."""
        exchange = self._exchange
        if exchange is not None:
            word = exchange.hold(credentials, outcome)
            if word is not None:
                self._connection.session.challenge(word.data)
                return
        self._conclude(credentials, outcome)

    def _conclude(self, credentials: Credentials, outcome: Identity | Refusal) -> None:
        self._exchange = None
        if isinstance(outcome, Refusal):
            self._connection.session.refuse(outcome)
        else:
            self._open_maildrop(credentials, outcome)

    def _open_maildrop(self, credentials: Credentials, identity: Identity) -> None:
        try:
            maildrop = self._store.open_ready(identity)
        except MaildropInUse:
            maildrop = None
        except Exception as error:
            self._refuse_login(credentials, self._as_refusal(error), Event.MAILDROP_FAILED)
            return
        if maildrop is None:
            self._opening = True
            self._withdraw = self._task(self._open_later(credentials, identity))
        else:
            self._admit(credentials, identity, maildrop)

    @property
    def _store(self) -> MailStore:
        """Where this client's maildrop is opened."""
        service = self._service
        if service.surrogates is None or self._connection.session.says_utf8:
            return service.store
        return service.surrogates

    async def _open_later(self, credentials: Credentials, identity: Identity) -> None:
        service = self._service
        try:
            maildrop = await open_maildrop(
                self._store,
                identity,
                service.executor,
                wait_seconds=service.options.limits.maildrop_wait_seconds,
            )
        except Exception as error:
            self._opened()
            refusal = self._as_refusal(error)
            self._go_on(self._refuse_login, credentials, refusal, Event.MAILDROP_FAILED)
        else:
            self._opened()
            self._go_on(self._admit, credentials, identity, maildrop)

    def _opened(self) -> None:
        self._opening = False
        self._withdraw = None

    def _admit(self, credentials: Credentials, identity: Identity, maildrop: Maildrop) -> None:
        connection = self._connection
        self._maildrop, self._user = maildrop, identity.name
        # By the last tick: everybody who comes between two shares the value.
        self._logged_in_at = self._service.now
        connection.logged_in()
        connection.session.admit(maildrop.listing, read_only=identity.read_only)
        self._service.log(
            Event.LOGIN,
            peer=connection.origin,
            mech=credentials.mechanism,
            messages=maildrop.listing.count,
            octets=maildrop.listing.octets,
            device=identity.device or None,
            user=identity.name,
        )

    def _refuse_login(self, credentials: Credentials, refusal: Refusal, event: Event) -> None:
        self._log_refusal(credentials, refusal, event)
        self._connection.session.refuse(refusal)

    def _log_refusal(self, question: Question, refusal: Refusal, event: Event) -> None:
        self._service.log(
            _LOGIN_REFUSALS.get(type(refusal), event),
            peer=self._connection.origin,
            mech=question.mechanism,
            reason=refusal.reason or _cause(refusal),
            user=question.name,
        )

    def _tls_requested(self, event: TlsRequested) -> None:
        self._connection.begin_tls()

    # ---- messages

    def _message_requested(self, event: MessageRequested) -> None:
        assert self._maildrop is not None
        self._whole = event.lines is None
        self._unflushed = 0
        self._reader = self._maildrop.open_message(event.number)

    def _read_message(self, reader: MessageReader) -> None:
        octets = CHUNK_OCTETS if self._whole else TOP_OCTETS
        try:
            data = reader.read_ready(octets)
        except Exception as error:
            self._message_refused(self._as_refusal(error))
            return
        if data is None:
            self._in_thread(partial(reader.read, octets), self._message_read)
        else:
            self._message_piece(data)

    def _message_read(self, future: "Future[bytes]") -> None:
        try:
            data = future.result()
        except Exception as error:
            self._message_refused(self._as_refusal(error))
        else:
            self._message_piece(data)

    def _message_piece(self, data: bytes) -> None:
        session = self._connection.session
        if data and session.message_data(data):
            self._octets_sent += len(data)
            self._unflushed += len(data)
            if self._unflushed >= CHUNK_OCTETS:
                self._unflushed = 0
                self._connection.flush()
            return
        sent = session.message_end()
        self._close_reader()
        if not sent:
            self._log_message_failure("header beyond ASCII for a client without UTF8")
        elif self._whole:
            self._retrieved += 1
        else:
            self._tops += 1

    def _message_refused(self, refusal: Refusal) -> None:
        self._close_reader()
        self._log_message_failure(refusal.reason or _cause(refusal) or refusal.text)
        session = self._connection.session
        if session.message_begun:
            self._session_ended(session.message_failed())
        else:
            session.refuse(refusal)

    def _log_message_failure(self, reason: str) -> None:
        origin = self._connection.origin
        self._service.flood_log(Event.MESSAGE_FAILED, peer=origin, reason=reason, user=self._user)

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            try:
                reader.close()
            except Exception as error:
                self._log_fault(error)

    # ---- UPDATE and the end

    def _update_requested(self, event: UpdateRequested) -> None:
        assert self._maildrop is not None
        remove = partial(self._maildrop.remove, event.numbers)
        self._in_thread(remove, partial(self._updated, len(event.numbers)), lasting=True)
        self._updating = True

    def _updated(self, marked: int, future: "Future[None]") -> None:
        # Whatever goes wrong from here on ends the session, and gives back what it holds.
        self._updating = False
        session = self._connection.session
        error = future.exception()
        if error is None:
            self._removed = marked
            self._session_ended(session.update_done())
            return
        if not isinstance(error, Refusal):
            self._log_fault(error)
            error = UpdateIncomplete(marked)
        remaining = error.remaining if isinstance(error, UpdateIncomplete) else marked
        self._removed = marked - remaining
        self._service.log(
            Event.UPDATE_FAILED,
            peer=self._connection.origin,
            remaining=remaining,
            reason=error.reason or _cause(error) or error.text,
            user=self._user,
        )
        self._session_ended(session.update_failed(error))

    def _session_ended(self, event: SessionEnded) -> None:
        self._end(event.reason.value)
        self._connection.flush()
        self._connection.close(linger=event.reason is not EndReason.QUIT)

    def _end(self, reason: str) -> None:
        self._ended = True
        if self._withdraw is not None:
            self._withdraw()
        self._give_up_exchange()
        self._log_end(reason)
        if not self._busy:
            self._release()

    def _release(self) -> None:
        self._close_reader()
        maildrop, self._maildrop = self._maildrop, None
        if maildrop is not None:
            try:
                maildrop.close()
            except Exception as error:
                self._log_fault(error)

    # ---- threads

    def _in_thread(
        self,
        work: Callable[[], _T],
        then: Callable[["Future[_T]"], None],
        *,
        lasting: bool = False,
    ) -> None:
        assert self._user is not None
        assert self._maildrop is not None
        places = self._service.places
        maildrop = self._maildrop
        inner = maildrop.inner if isinstance(maildrop, SurrogateDrop) else maildrop
        place = None if places is None else places.place_of(inner)
        future = self._service.executor.submit(self._user, place, work, lasting=lasting)
        self._busy = True
        loop = self._service.loop
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._back, then, done))

    def _back(self, then: Callable[["Future[_T]"], None], done: "Future[_T]") -> None:
        self._busy = False
        if self._ended:
            self._release()
            return
        self._go_on(then, done)

    # ---- the log

    def _log_end(self, reason: str) -> None:
        peer = self._connection.origin
        if self._user is None:
            if not self._connection.unnoticed:
                self._service.flood_log(Event.CONNECTION_ENDED, peer=peer, reason=reason)
            return
        self._service.log(
            Event.LOGOUT,
            peer=peer,
            reason=reason,
            top=self._tops,
            retr=f"{self._retrieved}/{self._octets_sent}",
            removed=self._removed,
            user=self._user,
        )

    def _as_refusal(self, error: Exception) -> Refusal:
        """Make a refusal of what nobody foresaw: a defect costs one answer, never the worker."""
        if isinstance(error, Refusal):
            return error
        self._log_fault(error)
        return TemporaryFailure(reason="fault")

    def _log_fault(self, error: BaseException) -> None:
        # The type alone: the arguments of an unforeseen error may hold anything.
        self._service.log(Event.FAULT, peer=self._connection.origin, reason=type(error).__name__)


def _cause(refusal: BaseException) -> str | None:
    """Describe what a refusal was raised from, for the log alone."""
    cause = refusal.__cause__
    return None if cause is None else f"{type(cause).__name__}: {cause}"


_LOGIN_REFUSALS: dict[type[Refusal], Event] = {
    AuthenticationFailed: Event.AUTH_FAILED,
    MaildropInUse: Event.MAILDROP_IN_USE,
}

_ANSWERS: dict[type[SessionEvent], Callable[[Driver, Any], None]] = {
    LoginAttempted: Driver._login_attempted,
    ApopAttempted: Driver._apop_attempted,
    SaslStarted: Driver._sasl_started,
    SaslAnswered: Driver._sasl_answered,
    SaslCancelled: Driver._sasl_cancelled,
    CleartextRefused: Driver._cleartext_refused,
    TlsRequested: Driver._tls_requested,
    MessageRequested: Driver._message_requested,
    UpdateRequested: Driver._update_requested,
    SessionEnded: Driver._session_ended,
}
