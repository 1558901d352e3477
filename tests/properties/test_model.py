"""Random sessions on a mail host, held against the reference model of RFC 1939."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from properties.reference import Host, Reply, Session
from properties.streams import PATIENT
from transcripts.maildrops import HEADER
from transcripts.post_office import Desk, PostOffice

NAME, PASSWORD = b"alice", b"secret"

bodies = st.lists(st.sampled_from([b"x", b".", b"..", b"", b".y", b"two words"]), max_size=4)
letters = bodies.map(lambda lines: HEADER + b"".join(line + b"\r\n" for line in lines))
numbers = st.integers(1, 5) | st.sampled_from([0, 99, 10**10])
arguments = st.sampled_from([b"", b" ", b" x", b" -1", b" 1 2 3", b" 01"])


class AgainstTheModel(RuleBasedStateMachine):
    """Two connections to one account, one of them in use."""

    def __init__(self) -> None:
        super().__init__()
        self.office = PostOffice()
        self.account = self.office.add(NAME.decode(), PASSWORD.decode(), ())
        self.host = Host()

    @initialize(messages=st.lists(letters, max_size=4))
    def connect_first(self, messages: list[bytes]) -> None:
        for message in messages:
            self.deliver(message)
        self._connect()

    def _connect(self) -> None:
        self.desk = Desk(self.office, options=PATIENT)
        self.model = Session(self.host, NAME, PASSWORD)
        self.desk.sent.clear()

    # ---- what a client does

    @rule(
        name=st.sampled_from([NAME, NAME, NAME, b"bob"]),
        password=st.sampled_from([PASSWORD, PASSWORD, PASSWORD, b"wrong"]),
    )
    def log_in(self, name: bytes, password: bytes) -> None:
        self._say(b"USER " + name)
        self._say(b"PASS " + password)

    @rule(
        line=st.sampled_from([b"USER alice", b"USER", b"PASS secret", b"PASS wrong", b"uSeR bob"])
    )
    def half_a_login(self, line: bytes) -> None:
        self._say(line)

    @rule(line=st.sampled_from([b"STAT", b"LIST", b"NOOP", b"RSET", b"stat", b"XYZZY", b""]))
    def ask(self, line: bytes) -> None:
        self._say(line)

    @rule(verb=st.sampled_from([b"LIST", b"RETR", b"DELE", b"DELE"]), number=numbers)
    def on_a_message(self, verb: bytes, number: int) -> None:
        self._say(b"%b %d" % (verb, number))

    @rule(number=numbers, lines=st.integers(0, 6))
    def top(self, number: int, lines: int) -> None:
        self._say(b"TOP %d %d" % (number, lines))

    @rule(
        verb=st.sampled_from([b"STAT", b"NOOP", b"RSET", b"LIST", b"RETR", b"DELE", b"TOP"]),
        rest=arguments.filter(bool),
    )
    def malformed(self, verb: bytes, rest: bytes) -> None:
        self._say(verb + rest)

    @rule()
    def quit(self) -> None:
        self._say(b"QUIT")
        assert self.desk.closed
        self._connect()

    @rule()
    def drop(self) -> None:
        self.desk.receive_eof()
        self.desk.hang_up()
        self.model.drop()
        self._connect()

    # ---- what happens meanwhile

    @rule(message=letters)
    def deliver(self, message: bytes) -> None:
        self.account.file(message)
        filed = self.account.letters[-1].filed
        # Filing numbers start anew in an empty maildrop; the model only wants them to differ.
        self.host.letters.append((filed, message))

    @precondition(lambda self: not self.host.locked)
    @rule()
    def another_session_comes(self) -> None:
        self.account.held = self.host.locked = True
        self.other = True

    other = False

    @precondition(lambda self: self.other)
    @rule()
    def another_session_goes(self) -> None:
        self.account.held = self.host.locked = False
        self.other = False

    # ---- what has to be

    @invariant()
    def the_same_letters_are_there(self) -> None:
        kept = [(letter.filed, letter.octets) for letter in self.account.letters]
        assert kept == self.host.letters

    @invariant()
    def the_same_lock_is_held(self) -> None:
        assert self.account.held == self.host.locked

    def _say(self, line: bytes) -> None:
        expected = self.model.command(line)
        self.desk.receive(line + b"\r\n")
        sent = bytes(self.desk.sent)
        self.desk.sent.clear()
        _compare(line, sent, expected)
        assert self.desk.closed == self.model.over


def _compare(line: bytes, sent: bytes, expected: Reply) -> None:
    status, *rest = sent.split(b"\r\n")
    assert rest.pop() == b"", sent
    assert status.split(b" ")[0] == expected.status, (line, sent)
    if expected.line is not None:
        assert status == expected.line, line
    if expected.body is None:
        assert rest == [], (line, sent)
    else:
        assert rest.pop() == b".", (line, sent)
        unstuffed = tuple(each.removeprefix(b".") for each in rest)
        assert unstuffed == expected.body, line


class TestAgainstTheModel(AgainstTheModel.TestCase):  # type: ignore[misc, valid-type]
    """Random sessions.

    conformance: 1939-S-23, 1939-S-47, 1939-S-53, 1939-S-71, 1939-S-90, 1939-S-109, 1939-S-111
    conformance: TG-G-3, TG-T-2
    """

    settings = settings(max_examples=150, stateful_step_count=40)
