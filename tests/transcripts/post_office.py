"""A post office in memory: accounts, their letters, and a driver that answers a session from them.

Nothing here waits and nothing here is the code under test, `ServerSession` excepted: what a real
driver does with sockets, stores and credentials is done at once, so that a dialogue can be shown
with the session alone.
"""

from dataclasses import dataclass, field, replace

from restante.errors import (
    AuthenticationFailed,
    MaildropInUse,
    MessageVanished,
    PermanentFailure,
    Refusal,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.identity import PasswordCredentials
from restante.protocol import (
    Event,
    LoginAttempted,
    MessageRequested,
    Offer,
    SaslAnswered,
    SaslStarted,
    ServerSession,
    SessionEnded,
    SessionOptions,
    TlsRequested,
    UpdateRequested,
)
from restante.sasl import MechanismError, PlainServer
from restante.sasl.mechanism import Challenge
from transcripts.maildrops import Drop

_WITH_PASSWORDS = Offer(
    user=True,
    mechanisms=("PLAIN",),
    stls=True,
    utf8=True,
    utf8_names=True,
    ascii_headers=True,
    languages=("en", "de"),
)
OFFERS = {
    "clear": _WITH_PASSWORDS,
    "none": replace(_WITH_PASSWORDS, stls=False),
    "strict": replace(
        _WITH_PASSWORDS,
        user=False,
        mechanisms=(),
        only_under_tls=frozenset({"USER", "PLAIN"}),
    ),
    "tls": replace(_WITH_PASSWORDS, stls=False),
}
"""By the kind of listener; `tls` is also what any of them becomes under TLS."""


@dataclass(frozen=True)
class Letter:
    """A message that keeps the number it was filed under, however often it is renumbered."""

    filed: int
    octets: bytes
    unique_id: bytes


@dataclass
class Account:
    """Somebody with a password and letters."""

    password: bytes
    letters: list[Letter] = field(default_factory=list)
    held: bool = False
    vanished: set[int] = field(default_factory=set)

    def file(self, octets: bytes) -> None:
        """Add a letter."""
        filed = max((letter.filed for letter in self.letters), default=0) + 1
        self.letters.append(Letter(filed, octets, b"id-%d" % filed))


@dataclass
class Faults:
    """What goes wrong next; each happens once."""

    opening: Refusal | None = None
    message_after: int | None = None
    """Octets of a message that can be read before its disk fails."""
    update: bool = False


class PostOffice:
    """Accounts that several sessions share."""

    def __init__(self) -> None:
        self.accounts: dict[bytes, Account] = {}
        self.faults = Faults()

    def add(self, name: str, password: str, letters: tuple[bytes, ...]) -> Account:
        """Add an account with its letters."""
        account = self.accounts[name.encode()] = Account(password.encode())
        for octets in letters:
            account.file(octets)
        return account

    def authenticate(self, name: bytes, password: bytes) -> Account:
        """Return whose name and password these are."""
        account = self.accounts.get(name)
        if account is None or account.password != password:
            raise AuthenticationFailed
        return account

    def open(self, account: Account) -> list[Letter]:
        """Lock an account's letters and return them."""
        fault, self.faults.opening = self.faults.opening, None
        if fault is not None:
            raise fault
        if account.held:
            raise MaildropInUse
        account.held = True
        return list(account.letters)


class Desk:
    """The driver of one session; what it sends collects in `sent`."""

    def __init__(
        self, office: PostOffice, port: str = "clear", options: SessionOptions | None = None
    ) -> None:
        self.session = ServerSession(OFFERS[port], options or SessionOptions())
        self.sent = bytearray()
        self.events: list[Event] = []
        self.closed = False
        self.negotiating = False
        """Whether the next octets are those of a TLS handshake."""
        self.largest_send = 0
        self.piece_octets = 65_536
        self._office = office
        self._account: Account | None = None
        self._letters: list[Letter] = []
        self._mechanism = PlainServer()
        self.pump()

    def receive(self, octets: bytes) -> None:
        """Take octets of the client and answer all that can be answered."""
        if not self.closed:
            self.session.receive_data(octets)
            self.pump()

    def receive_eof(self) -> None:
        """Take note that the client sends no more."""
        if not self.closed:
            self.session.receive_eof()
            self.pump()

    def make_tls(self) -> None:
        """Do as if a handshake had been made."""
        self.negotiating = False
        self.session.tls_established(OFFERS["tls"])
        self.pump()

    def hang_up(self) -> None:
        """Give the letters back, as a connection that is gone does."""
        self.closed = True
        if self._account is not None:
            self._account.held = False
            self._account = None

    def pump(self) -> None:
        """Answer events and send what waits, until octets are missing."""
        while not self.closed:
            event = self.session.next_event()
            if event is None and not self._send():
                return
            if event is not None:
                self.events.append(event)
                self._answer(event)
                self._send()

    def _send(self) -> int:
        data = b"".join(self.session.data_to_send())
        self.sent += data
        self.largest_send = max(self.largest_send, len(data))
        return len(data)

    def _answer(self, event: Event) -> None:
        match event:
            case LoginAttempted(name, password):
                self._admit(name, password)
            case SaslStarted(_, response):
                self._mechanism = PlainServer()
                self._step(response)
            case SaslAnswered(response):
                self._step(response)
            case MessageRequested(number, _):
                self._message(number)
            case UpdateRequested(numbers):
                self._update(numbers)
            case SessionEnded():
                self._send()
                self.hang_up()
            case TlsRequested():
                self.negotiating = True
            case _:
                pass

    def _step(self, response: bytes | None) -> None:
        try:
            outcome = self._mechanism.start(response)
        except MechanismError as error:
            self.session.refuse(Refusal(str(error)))
            return
        if isinstance(outcome, Challenge):
            self.session.challenge(outcome.data)
            return
        assert isinstance(outcome, PasswordCredentials)
        acting_as = outcome.authorization_name
        password = outcome.password.reveal()
        own = acting_as in ("", outcome.name)
        self._admit(outcome.name.encode() if own else b"", password)

    def _admit(self, name: bytes, password: bytes) -> None:
        try:
            account = self._office.authenticate(name, password)
            self._letters = self._office.open(account)
        except Refusal as refusal:
            self.session.refuse(refusal)
            return
        self._account = account
        octets, unique_ids = [], []
        for letter in self._letters:
            octets.append(letter.octets)
            unique_ids.append(letter.unique_id)
        self._drop = Drop(octets, unique_ids)
        self.session.admit(self._drop)

    def _message(self, number: int) -> None:
        assert self._account is not None
        if self._letters[number - 1].filed in self._account.vanished:
            self.session.refuse(MessageVanished())
            return
        data = self._drop.messages[number - 1]
        readable, self._office.faults.message_after = self._office.faults.message_after, None
        for start in range(0, len(data), self.piece_octets):
            piece = data[start : start + self.piece_octets]
            if readable is not None and start + len(piece) > readable:
                self._fail_message(piece[: readable - start])
                return
            if not self.session.message_data(piece):
                break
        self.session.message_end()

    def _fail_message(self, readable: bytes) -> None:
        if not readable:
            self.session.refuse(TemporaryFailure())
            return
        self.session.message_data(readable)
        event = self.session.message_failed()
        self.events.append(event)
        self._answer(event)

    def _update(self, numbers: tuple[int, ...]) -> None:
        assert self._account is not None
        if self._office.faults.update:
            self._office.faults.update = False
            event = self.session.update_failed(UpdateIncomplete(len(numbers)))
        else:
            gone = {self._letters[number - 1].filed for number in numbers}
            letters = self._account.letters
            self._account.letters = [each for each in letters if each.filed not in gone]
            event = self.session.update_done()
        self.events.append(event)
        self._answer(event)


def fault(kind: str) -> Refusal:
    """Return the refusal that a fault of this kind makes."""
    return {"temporary": TemporaryFailure(), "permanent": PermanentFailure()}[kind]
