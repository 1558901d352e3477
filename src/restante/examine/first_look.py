"""The first look at a server: who it is, what it announces, whether the account opens.

It comes before every case, so that a wrong host, port, certificate or password is told once and
at once. It tries nothing out: a password is sent once, and only where it may be; mail is counted
and left alone.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from restante.examine.case import Trait
from restante.examine.examination import Announced, Server
from restante.examine.mistrust import LOOK, mistrust
from restante.examine.obstacle import CannotExamine, Obstacle
from restante.examine.outcome import Broken, NotTried, Outcome, Silent, Unmet
from restante.examine.record import Record
from restante.examine.replies import Status, capabilities_of
from restante.examine.stage import Stage
from restante.examine.target import Account, Endpoint, Target, Tls
from restante.examine.words import UNKNOWN_USER

_KEPT_CAPABILITIES, _KEPT_PARAMETERS = 100, 60
_SEARCHED = 1024
_PROVOKED_SECONDS = 3.0
_DROP_LISTING = re.compile(r"\+OK (\d{1,10})( .*)?")
_BUSY_CODES = ("IN-USE", "LOGIN-DELAY", "SYS/TEMP")


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was seen; `messages` is None where the server would not say how many there are."""

    server: Server
    endpoint: Endpoint
    capabilities: dict[str, Announced]
    messages: int | None

    @property
    def before_login(self) -> Announced | None:
        """Return what is announced where the password is sent."""
        seen = self.capabilities
        return seen.get("tls", seen.get("clear"))

    @property
    def lacks(self) -> frozenset[Trait]:
        """Return what this port was seen not to do; of other ports nothing is known."""
        if self.endpoint.tls is Tls.NONE:
            return frozenset({Trait.STLS, Trait.STRICT, Trait.TLS})
        return frozenset()

    @property
    def removes_what_is_read(self) -> bool:
        """Tell whether the server announces EXPIRE 0 (RFC 2449 §6.7)."""
        return any(seen.get("EXPIRE", ())[:1] == ("0",) for seen in self.capabilities.values())


@dataclass(slots=True)
class _Seen:
    """What has been seen so far."""

    greeting: str = ""
    tls_version: str | None = None
    cleartext: bool = True
    stls: bool = False
    capabilities: dict[str, Announced] = field(default_factory=dict)


def look_at(target: Target, account: Account) -> FirstLook:
    """Look at the first endpoint of a target; raises CannotExamine."""
    look = _Look(target, account)
    try:
        return look.take()
    finally:
        look.stage.close()


class _Look:
    """One first look, on one connection or two."""

    def __init__(self, target: Target, account: Account) -> None:
        self._target = target
        self._endpoint = target.endpoints[0]
        self._account = account
        self._record = Record()
        self._seen = _Seen()
        self.stage = self._new_stage()

    def take(self) -> FirstLook:
        """Look, from the name of the host to the number of messages."""
        _resolve(self._endpoint)
        self._connect()
        self._greeting()
        self._before_tls()
        self._go_under_tls()
        self._log_in()
        messages = self._after_login()
        seen = self._seen
        offered_stls = seen.stls and self._endpoint.tls is not Tls.IMPLICIT
        endpoint = replace(
            self._endpoint,
            tls=Tls.STLS if offered_stls else self._endpoint.tls,
            cleartext=seen.cleartext,
        )
        implementation = ""
        for announced in seen.capabilities.values():
            implementation = " ".join(announced.get("IMPLEMENTATION", ())) or implementation
        server = Server(
            self._endpoint.host,
            self._endpoint.port,
            self._endpoint.tls,
            seen.greeting,
            implementation,
            seen.tls_version,
        )
        return FirstLook(server, endpoint, seen.capabilities, messages)

    # ---- the steps

    def _connect(self) -> None:
        """Open the connection, with implicit TLS under it."""
        try:
            self.stage.connect()
        except NotTried as failure:
            raise self._obstacle(Obstacle.CONNECTION, str(failure)) from failure
        except Unmet as failure:
            raise self._tls_obstacle(failure) from failure
        self._note_tls()

    def _greeting(self) -> None:
        """Read the greeting."""
        with self._answering("there is no greeting"):
            try:
                greeting = self.stage.wire.status()
            except Silent as failure:
                raise Silent(f"{failure}{self._what_it_says_instead()}") from failure
        if not greeting.positive:
            raise self._obstacle(Obstacle.BUSY, f"it greets with {self._quoted(greeting)}")
        self._seen.greeting = greeting.line[:512]

    def _before_tls(self) -> None:
        """Find out what a port that begins in clear announces."""
        if self._endpoint.tls is Tls.IMPLICIT:
            self._capabilities("tls")
            return
        announced = self._capabilities("clear")
        seen = self._seen
        if announced is None:
            with self._answering("USER is not answered"):
                seen.cleartext = self.stage.ask(f"USER {UNKNOWN_USER}").positive
            seen.stls = self._endpoint.tls is Tls.STLS or self._takes_stls()
        else:
            seen.cleartext = takes_passwords(announced)
            seen.stls = "STLS" in announced or self._endpoint.tls is Tls.STLS

    def _takes_stls(self) -> bool:
        """Ask a server that announces nothing whether it has STLS, on a connection of its own."""
        try:
            self.stage.connect("aside")
            self.stage.wire.status()
            return self.stage.ask("STLS").positive
        except Outcome:
            return False
        finally:
            self.stage.use("first")

    def _go_under_tls(self) -> None:
        """Do STLS where the password needs it, or where it is the only way in."""
        seen = self._seen
        if self._endpoint.tls is Tls.IMPLICIT or not seen.stls:
            return
        if self._endpoint.tls is Tls.NONE and seen.cleartext:
            return
        with self._answering("STLS is not answered"):
            reply = self.stage.ask("STLS")
        if not reply.positive:
            raise self._obstacle(
                Obstacle.PROTOCOL,
                f"STLS is refused with {self._quoted(reply)}; --tls none would send the password"
                " in clear",
            )
        try:
            self.stage.start_tls()
        except Unmet as failure:
            raise self._tls_obstacle(failure) from failure
        self._note_tls()
        self._capabilities("tls")

    def _log_in(self) -> None:
        """Show the credentials, and again where that may help."""
        self.stage.cast(self._account)
        announced = self._seen.capabilities.get("tls", self._seen.capabilities.get("clear"))
        self.stage.capabilities = lambda: announced
        pauses = self._target.pace.pauses(self._target.patience_seconds)
        while True:
            with self._answering("the login is not answered"):
                reply = self.stage.present()
            if reply.positive:
                return
            busy = reply.code in _BUSY_CODES
            if not busy:
                raise self._refused(reply)
            if reply.code == "LOGIN-DELAY":
                self._target.pace.be_slower()
            if not pauses.take():
                raise self._obstacle(Obstacle.BUSY, f"the login is put off: {self._quoted(reply)}")

    def _after_login(self) -> int | None:
        """Return how many messages there are, as far as the server tells, and leave."""
        stage = self.stage
        self._capabilities("transaction")
        with self._answering("STAT is not answered"):
            stat = stage.ask("STAT")
        listed = None
        with self._answering("LIST is not answered"), contextlib.suppress(Unmet):
            listed = len(stage.ask_lines("LIST").lines)
        with contextlib.suppress(Outcome):
            stage.ask("QUIT")
        told = _DROP_LISTING.fullmatch(stat.line)
        if told is None or listed is None:
            return None
        return max(int(told[1]), listed)

    # ---- what they share

    def _new_stage(self) -> Stage:
        return Stage(LOOK, self._target, self._endpoint, self._record)

    def _capabilities(self, where: str) -> Announced | None:
        """Ask for the capabilities and keep them."""
        try:
            announced = capabilities_of(self.stage.ask_lines("CAPA"))
        except Unmet:
            return None
        except Broken as failure:
            raise self._obstacle(
                Obstacle.CONNECTION, f"CAPA is not answered: {failure}"
            ) from failure
        for delay in announced.get("LOGIN-DELAY", ())[:1]:
            if re.fullmatch(r"\d{1,6}", delay):
                self._target.pace.keep_apart(float(delay))
        kept = list(announced.items())[:_KEPT_CAPABILITIES]
        self._seen.capabilities[where] = {
            self._told(tag): tuple(map(self._told, parameters[:_KEPT_PARAMETERS]))
            for tag, parameters in kept
        }
        return self._seen.capabilities[where]

    def _note_tls(self) -> None:
        """Keep the version, and see that the certificate is one that passwords may go to."""
        layer = self.stage.wire.tls
        if layer is None:
            return
        self._seen.tls_version = layer.version
        if not self._target.trust.accepts(layer.certificate):
            reason = "it is not the one with that fingerprint"
            raise self._obstacle(Obstacle.CERTIFICATE, mistrust(reason, self._target))

    @contextlib.contextmanager
    def _answering(self, what: str) -> Iterator[None]:
        """Turn what the server does instead of answering into an obstacle."""
        try:
            yield
        except Unmet as failure:
            text = f"it does not speak POP3: {failure}"
            raise self._obstacle(Obstacle.PROTOCOL, text) from failure
        except (Broken, NotTried) as failure:
            raise self._obstacle(Obstacle.CONNECTION, f"{what}: {failure}") from failure

    def _what_it_says_instead(self) -> str:
        """Provoke a server that does not greet: many protocols begin with the client."""
        wire = self.stage.wire
        wire.patience_seconds = min(wire.patience_seconds, _PROVOKED_SECONDS)
        with contextlib.suppress(Outcome):
            wire.send(b"CAPA\r\n\r\n")
            return f"; provoked it says {wire.line()[:60]!a}"
        if self._endpoint.tls is Tls.IMPLICIT:
            return ""
        return "; it may want TLS from the first octet: --tls implicit"

    def _refused(self, reply: Status) -> CannotExamine:
        """Return what a refused login comes to."""
        text = f"the login of {self._account.name!a} is refused: {self._quoted(reply)}"
        return self._obstacle(Obstacle.CREDENTIALS, text)

    def _tls_obstacle(self, failure: Unmet) -> CannotExamine:
        """Return what a failed handshake comes to."""
        cause = failure.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            return self._obstacle(
                Obstacle.CERTIFICATE, mistrust(cause.verify_message, self._target)
            )
        if isinstance(cause, TimeoutError):
            return self._obstacle(Obstacle.CONNECTION, "the TLS handshake is not answered in time")
        hint = "" if self._endpoint.tls is Tls.STLS else "; is it a port for --tls stls?"
        return self._obstacle(Obstacle.PROTOCOL, f"{failure}{hint}")

    def _told(self, word: str) -> str:
        """Return a word of the server's as it may be told: no secret, and not long."""
        return self._record.redaction.text(word[:_SEARCHED])[:80]

    def _quoted(self, reply: Status) -> str:
        return ascii(reply.line[:120])

    def _obstacle(self, obstacle: Obstacle, text: str) -> CannotExamine:
        """Return the obstacle, without any secret that the server may have given back."""
        return CannotExamine(obstacle, self._record.redaction.text(text))


def takes_passwords(announced: Announced) -> bool:
    """Tell whether these capabilities offer a password to be sent as it is."""
    return "USER" in announced or bool({"PLAIN", "LOGIN"} & set(announced.get("SASL", ())))


def _resolve(endpoint: Endpoint) -> None:
    """Raise CannotExamine where there is no such host."""
    try:
        socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        raise CannotExamine(Obstacle.HOST, f"no such host: {cause}") from error
