"""AUTHORIZATION: proving who one is (RFC 1939 §4 and §7, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2).

The states hold what they need and nothing of what they do not: a name only between USER and PASS,
a mechanism only during its exchange. The proof itself is the driver's to judge.
"""

from binascii import Error as BadBase64
from binascii import a2b_base64, b2a_base64, unhexlify
from dataclasses import replace

from restante.protocol.commands import Command, Verb
from restante.protocol.events import (
    ApopAttempted,
    CleartextRefused,
    Event,
    LoginAttempted,
    SaslAnswered,
    SaslCancelled,
    SaslStarted,
    TlsRequested,
)
from restante.protocol.legality import KEEPS_NAME, Phase
from restante.protocol.offers import Offer
from restante.protocol.replies import Output, status_line

UTF8_ON = status_line(True, "UTF-8 from here on")
NAME_TAKEN = status_line(True, "name taken, send the password")
MAXIMUM_RESPONSES = 8
"""Lines of a client in one exchange; no mechanism needs more."""


class Authorization:
    """The state before a login, with the name that USER gave, if it was the last command."""

    __slots__ = ("name", "offer", "phase", "timestamp", "utf8")

    def __init__(self, offer: Offer, timestamp: bytes = b"") -> None:
        self.offer = offer
        self.timestamp = timestamp
        """Of the greeting, for APOP; empty: there was none."""
        self.name: bytes | None = None
        self.phase = Phase.AUTHORIZATION
        """The row of the table of legality."""
        self.utf8 = False
        """Whether UTF8 was said."""

    def forget(self, verb: Verb | None) -> None:
        """Forget the name, unless this command leaves it standing; None: the line was none."""
        if verb not in KEEPS_NAME:
            self.name = None
            self.phase = Phase.AUTHORIZATION

    def user(self, command: Command, output: Output) -> Event | None:
        """Take a name; the answer is the same whether somebody has it or not (RFC 1939 §13)."""
        if not self.offer.user:
            return self._refuse("USER", output)
        self.name = command.name
        self.phase = Phase.NAMED
        output.reply(NAME_TAKEN)
        return None

    def password(self, command: Command) -> LoginAttempted:
        """Offer name and password as credentials."""
        assert self.name is not None
        assert command.data is not None
        name = self.name
        self.forget(None)
        return LoginAttempted(name, command.data)

    def apop(self, command: Command, output: Output) -> ApopAttempted | CleartextRefused | None:
        """Offer name and digest as credentials, if the greeting had a timestamp to digest."""
        if not (self.offer.apop and self.timestamp):
            return self._refuse("APOP", output)
        assert command.data is not None
        return ApopAttempted(command.name, self.timestamp, unhexlify(command.data))

    def auth(self, command: Command, output: Output) -> SaslStarted | CleartextRefused | None:
        """Begin an exchange, if the mechanism is offered and the initial response is base64."""
        mechanism = command.name.decode("ascii")
        if mechanism not in self.offer.mechanisms:
            return self._refuse(mechanism, output)
        if command.data is None:
            return SaslStarted(mechanism, None)
        # RFC 5034 §4: "=" alone is an initial response that is there and empty.
        response = b"" if command.data == b"=" else decode(command.data)
        if response is None:
            output.negative("the initial response is not base64")
            return None
        return SaslStarted(mechanism, response)

    def stls(self, output: Output, octets_behind: int) -> TlsRequested | None:
        """Agree to TLS, unless octets came behind the command: those are an injection."""
        if not self.offer.stls:
            output.negative("TLS is not available here")
            return None
        if octets_behind:
            output.negative("octets behind STLS")
            return None
        output.positive("begin TLS")
        return TlsRequested()

    def say_utf8(self, output: Output) -> None:
        """Take it that the client can do with UTF-8 (RFC 6856 §2.1)."""
        if not self.offer.utf8:
            output.negative("UTF8 is not offered here")
            return
        self.utf8 = True
        output.reply(UTF8_ON)

    def _refuse(self, mechanism: str, output: Output) -> CleartextRefused | None:
        if mechanism in self.offer.only_under_tls:
            output.negative("passwords are not taken in clear, use TLS")
            return CleartextRefused(mechanism)
        output.negative("this way to authenticate is not offered")
        return None


class Exchange:
    """A SASL exchange that waits for the client's response."""

    __slots__ = ("authorization", "responses")

    phase = Phase.EXCHANGE

    def __init__(self, authorization: Authorization) -> None:
        self.authorization = authorization
        self.responses = 0

    def answer(self, line: bytes, output: Output) -> SaslAnswered | SaslCancelled:
        """Take one line as a response; RFC 5034 §4: `*` cancels, bad base64 fails."""
        self.responses += 1
        if line == b"*":
            output.negative("cancelled")
            return SaslCancelled()
        response = decode(line)
        if response is None:
            output.negative("the response is not base64")
            return SaslCancelled()
        if self.responses > MAXIMUM_RESPONSES:
            output.negative("too many responses")
            return SaslCancelled()
        return SaslAnswered(response)


def decode(line: bytes) -> bytes | None:
    """Return what strict and canonical base64 stands for; None for anything else."""
    try:
        data = a2b_base64(line, strict_mode=True)
    except BadBase64:
        return None
    return data if b2a_base64(data, newline=False) == line else None


def offer_after_login(offer: Offer) -> Offer:
    """Return what CAPA announces in TRANSACTION: the same, STLS excepted (RFC 2595 §4)."""
    return replace(offer, stls=False) if offer.stls else offer
