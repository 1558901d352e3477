"""Where a case is played: its connections, its accounts and the words that stand for them.

Steps write `{user}` and `{password}`; `Stage.send` puts the account of the hour in their place,
while the record keeps the words.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Callable, Mapping

from restante.examine.case import Case, Start
from restante.examine.fixtures import Fixture
from restante.examine.guard import Guard
from restante.examine.outcome import Broken, NotTried, Unmet, Unreachable
from restante.examine.proofs import timestamp_in
from restante.examine.record import Record
from restante.examine.replies import Answer, Status, capabilities_of
from restante.examine.seen import Seen
from restante.examine.target import Account, Endpoint, Target, Tls
from restante.examine.wire import Wire
from restante.examine.words import SECRET_WORDS, WORD, placeholders

Capabilities = Mapping[str, tuple[str, ...]]
_TEMPORARY = re.compile(r"IN-USE|LOGIN-DELAY|SYS/TEMP")


class Stage:
    """The connections of one case in play, one of them current."""

    def __init__(self, case: Case, target: Target, endpoint: Endpoint, record: Record) -> None:
        self.case = case
        self.target = target
        self.endpoint = endpoint
        self.record = record
        self._account: Account | None = None
        self.greeting = ""
        self.seen = Seen()
        self._guard = Guard(target)
        self.capabilities: Callable[[], Capabilities | None] = self.probe
        self._words: dict[bytes, bytes] = placeholders(None, None)
        self._wires: dict[str, Wire] = {}
        self._opened = 0
        self._current = "first"

    def provide_accounts(self) -> None:
        """Get the accounts the case needs, their maildrops filled."""
        mail = None if self.case.mail is None else [f.stored for f in self.case.mail]
        accounts = self.target.accounts
        scratch = self.case.scratch
        account = accounts.provide(
            mail, password=self.case.password, scratch=scratch, turn=0, named=self.case.named
        )
        second = None
        if self.case.second_account:
            second = accounts.provide([], password=None, scratch=scratch, turn=1)
        self.cast(account, second)

    def cast(self, account: Account, second: Account | None = None) -> None:
        """Have these accounts stand behind the words in braces."""
        self._account = account
        self._words = placeholders(account, second)
        self._guard.passwords = {each.password.encode() for each in (account, second) if each}
        # A password of the case's own is read in its title and its steps.
        own = 0 if self.case.password is None else 2
        self.record.hide(self._words[key] for key in SECRET_WORDS[own:] if key in self._words)

    @property
    def account(self) -> Account | None:
        """Return the account of the case, from now on one that the server may know of.

        Cases that ask for it compute proofs, which would have to prepare other characters first.
        """
        self._guard.named = True
        account = self._account
        if account is not None and not (account.name + account.password).isascii():
            raise NotTried("it needs a name and a password of ASCII characters")
        return account

    def certified_context(self) -> ssl.SSLContext:
        """Return a context for a handshake that says whose account it is about."""
        if self._account is None:
            raise NotTried("there is no account to show a certificate of")
        self._guard.named = True
        context = self.target.trust.new_context()
        self.target.accounts.certificate(self._account).present_in(context)
        return context

    @property
    def has_token(self) -> bool:
        """Tell whether there is a bearer token to show."""
        return b"{token}" in self._words

    @property
    def wire(self) -> Wire:
        """Return the current connection."""
        return self._wires[self._current]

    def use(self, name: str) -> None:
        """Make another connection the current one."""
        self._current = name

    def connect(self, name: str | None = None, *, tls: bool = True) -> None:
        """Open a connection and make it current; with implicit TLS up to the end of that."""
        self._current = name or self._current
        if old := self._wires.pop(self._current, None):
            old.close()
        self._opened += 1
        address = (self.endpoint.host, self.endpoint.port)
        patience = self.target.patience_seconds
        self.target.pace.check()
        self._wires[self._current] = Wire(
            address,
            patience,
            self.record,
            self._opened,
            until=self.target.pace.until,
            watch=self._guard.watch,
        )
        if tls and self.endpoint.tls is Tls.IMPLICIT:
            self.start_tls()

    def start_tls(
        self, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None
    ) -> None:
        """Do the handshake on the current connection; without a context, an ordinary one."""
        trust = self.target.trust
        try:
            self.wire.start_tls(context or trust.context(), session)
            if context is None and self.wire.tls is not None:
                trust.learn(self.wire.tls.certificate)
        except OSError as error:
            cause = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            raise Unmet(f"the TLS handshake failed: {cause or error}") from error

    def begin(self, start: Start, name: str | None = None) -> None:
        """Open a connection and bring it to where the case begins."""
        if start is Start.NOWHERE:
            return
        self.connect(name)
        if start is Start.CONNECTED:
            return
        self._greeted()
        if start is Start.TRANSACTION:
            self.log_in()

    def _greeted(self) -> None:
        """Read the greeting, and go under TLS where passwords need it."""
        try:
            greeting = self.wire.status()
        except Broken as failure:
            raise Unreachable(f"there is no greeting: {failure}") from failure
        if not greeting.positive:
            raise NotTried(f"the server greets with {greeting.line[:80]!a}")
        self.greeting = greeting.line
        in_clear = self.endpoint.cleartext and self.target.consent.clear_passwords
        if self.case.traits or in_clear or self.endpoint.tls is not Tls.STLS:
            return
        if not self.ask("STLS").positive:
            raise NotTried("STLS is refused, and nothing may be sent in clear")
        self.start_tls()

    def fill(self, octets: bytes) -> bytes:
        """Return the octets with the words in braces replaced, to be sent on this connection."""
        return WORD.sub(lambda word: self._meaning(word[0]), octets)

    def _meaning(self, word: bytes) -> bytes:
        """Return what stands behind a word, where it may be said."""
        if word not in self._words:
            return word
        self._guard.let_pass(word, self._wires.get(self._current))
        return self._words[word]

    def send(self, octets: bytes, *, cut: int = 0) -> None:
        """Send octets with the words in braces replaced."""
        self.wire.send(self.fill(octets), shown=octets, cut=cut)

    def ask_sasl(self, message: bytes, command: bytes = b"AUTH PLAIN ") -> Status:
        """Send a SASL message in base64, behind a command or, with none, as a continuation."""
        encoded = base64.b64encode(self.fill(message))
        shown = command + b"<base64 of " + message + b">\r\n"
        self.wire.send(command + encoded + b"\r\n", shown=shown)
        return self.wire.status()

    def ask(self, line: str) -> Status:
        """Send one command and read the first line of the reply."""
        self.send(line.encode("latin-1") + b"\r\n")
        return self.wire.status()

    def ask_lines(self, line: str) -> Answer:
        """Send one command and read a multi-line reply."""
        self.send(line.encode("latin-1") + b"\r\n")
        return self.wire.answer()

    def log_in(self) -> None:
        """Enter the Transaction state, waiting for what is about to pass."""
        pauses = self.target.pace.pauses(self.target.patience_seconds)
        while not (reply := self.present()).positive:
            if not self._may_pass(reply) or not pauses.take():
                # Who is shut out for wrong credentials has no session any more.
                shut_out = self.target.pace.guessed
                refused = f"the login is refused: {reply.line[:80]!a}"
                raise Unreachable(refused) if shut_out else NotTried(refused)
            self.connect()
            self._greeted()

    def _may_pass(self, reply: Status) -> bool:
        """Tell whether a login may succeed a little later.

        Some servers shut out for a while whoever showed wrong credentials, and cases did.
        """
        if reply.code == "LOGIN-DELAY":
            self.target.pace.be_slower()
        return self.target.pace.guessed or bool(_TEMPORARY.match(reply.code or ""))

    def present(self) -> Status:
        """Show the credentials by the way the server offers."""
        offered = self.capabilities()
        if offered is not None and "USER" not in offered and "PLAIN" in offered.get("SASL", ()):
            return self.ask("AUTH PLAIN {plain}")
        name = self.ask("USER {user}")
        return self.ask("PASS {password}") if name.positive else name

    def log_in_again(self, within: str = "") -> None:
        """Enter the Transaction state on a new connection, which must work by now."""
        pauses = self.target.pace.pauses(self.target.patience_seconds)
        while True:
            try:
                self.begin(Start.TRANSACTION, self._current)
            except Unreachable as failure:
                if not pauses.take():
                    raise Unmet(f"a new login fails{within}: {failure}") from failure
            except NotTried as refusal:
                self.target.pace.check()
                raise Unmet(f"a new login fails{within}: {refusal}") from refusal
            else:
                return

    def greets_with_timestamp(self) -> bool:
        """Tell whether the server offers APOP, on a connection of its own."""
        before = self._current
        self.begin(Start.CONNECTED, "probe")
        try:
            return timestamp_in(self.wire.status().line) is not None
        except (Unmet, Broken):
            return False
        finally:
            self._wires.pop("probe").close()
            self._current = before

    def probe(self) -> Capabilities | None:
        """Ask for the capabilities before a login, on a connection of its own."""
        before = self._current
        self.begin(Start.GREETED, "probe")
        try:
            return capabilities_of(self.ask_lines("CAPA"))
        except (Unmet, Broken):
            return None
        finally:
            self._wires.pop("probe").close()
            self._current = before

    def deliver(self, fixture: Fixture) -> None:
        """Put one more message into the maildrop of the account."""
        if self._account is None:
            raise NotTried("there is no account to deliver to")
        self.target.accounts.deposit(self._account, fixture.stored)

    def close(self) -> None:
        """Close every connection."""
        for wire in self._wires.values():
            wire.close()


def offers(capabilities: Capabilities | None, wanted: str) -> bool:
    """Tell whether a capability such as `UIDL` or `SASL PLAIN` is announced.

    A server without CAPA may still have what RFC 1939 has; `CAPA` stands for CAPA itself.
    """
    tag, _, parameter = wanted.partition(" ")
    if wanted == "CAPA":
        return capabilities is not None
    if capabilities is None:
        return tag in ("USER", "TOP", "UIDL") and not parameter
    return tag in capabilities and (not parameter or parameter in capabilities[tag])
