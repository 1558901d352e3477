"""What a session asks for, answered by stores and authenticators that behave and that do not."""

import asyncio
import base64
import io
import re
from collections.abc import Callable, Collection

import pytest

from restante.errors import (
    MessageVanished,
    PermanentFailure,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.identity import (
    Credentials,
    DigestCredentials,
    Identity,
    MutualIdentity,
    PasswordCredentials,
    Peer,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
)
from restante.maildrop import DropListing, Maildrop, MessageReader
from restante.secret import Secret
from restante.server.outlet import CHUNK_OCTETS
from restante.stores.memory import MemoryDrop, MemoryStore
from restante.telemetry import Event
from unit.server.booth import ALICE, LOG_IN, Booth, SteppedLoop

DEFECT = ZeroDivisionError("with the password in it")
LETTER = b"Subject: x\n\nbody\n"


class TrickyStore:
    """A store whose every call a test can replace."""

    def __init__(self, mail: MemoryStore) -> None:
        self.mail = mail
        self.slow = False
        """Nothing is ready: all goes through the executor."""
        self.on_open: Callable[[], None] = lambda: None
        self.on_close: Callable[[], None] = lambda: None
        self.on_open_message: Callable[[], None] = lambda: None
        self.on_read: Callable[[int], None] = lambda nth: None
        self.on_close_reader: Callable[[], None] = lambda: None
        self.on_remove: Callable[[], None] = lambda: None
        self.closed = 0

    def open_ready(self, identity: Identity) -> "TrickyDrop | None":
        return None if self.slow else self.open(identity)

    def open(self, identity: Identity) -> "TrickyDrop":
        self.on_open()
        return TrickyDrop(self, self.mail.open(identity))

    def close(self) -> None:
        self.mail.close()


class TrickyDrop:
    def __init__(self, store: TrickyStore, inner: Maildrop) -> None:
        self._store = store
        self._inner = inner

    @property
    def listing(self) -> DropListing:
        return self._inner.listing

    def open_message(self, number: int) -> "TrickyReader":
        self._store.on_open_message()
        return TrickyReader(self._store, self._inner.open_message(number))

    def remove(self, numbers: Collection[int]) -> None:
        self._store.on_remove()
        self._inner.remove(numbers)

    def close(self) -> None:
        self._store.closed += 1
        self._inner.close()
        self._store.on_close()


class TrickyReader:
    def __init__(self, store: TrickyStore, inner: MessageReader) -> None:
        self._store = store
        self._inner = inner
        self._reads = 0

    def read_ready(self, octets: int) -> bytes | None:
        return None if self._store.slow else self.read(octets)

    def read(self, octets: int) -> bytes:
        self._reads += 1
        self._store.on_read(self._reads)
        return self._inner.read(octets)

    def close(self) -> None:
        self._inner.close()
        self._store.on_close_reader()


@pytest.fixture
def tricky(booth: Booth) -> TrickyStore:
    store = TrickyStore(booth.mail)
    booth.service.store = store
    return store


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def failing_read(error: Exception, nth: int) -> Callable[[int], None]:
    def fail(number: int) -> None:
        if number == nth:
            raise error

    return fail


def faults(booth: Booth) -> list[object]:
    """Return the faults logged, after looking that nothing escaped and nothing was told."""
    assert booth.loop.faults == []
    assert "password in it" not in repr(booth.log.events)
    return [fields["reason"] for fields in booth.log.named(Event.FAULT)]


# ---- what was not foreseen


@pytest.mark.parametrize("slow", [False, True])
def test_a_defect_of_a_store_at_login_costs_one_login(
    booth: Booth, tricky: TrickyStore, *, slow: bool
) -> None:
    tricky.slow = slow
    tricky.on_open = failing(DEFECT)
    client = booth.connect()
    assert client.log_in() == b"-ERR [SYS/TEMP] temporary failure, try again later"
    assert faults(booth) == ["ZeroDivisionError"]
    tricky.on_open = lambda: None
    assert client.log_in().startswith(b"+OK")


@pytest.mark.parametrize("slow", [False, True])
def test_a_defect_of_a_reader_costs_one_reply(
    booth: Booth, tricky: TrickyStore, *, slow: bool
) -> None:
    booth.deposit(LETTER)
    tricky.slow = slow
    tricky.on_read = failing_read(DEFECT, 1)
    client = booth.connect()
    client.log_in()
    assert client.send(b"RETR 1\r\n") == b"-ERR [SYS/TEMP] temporary failure, try again later\r\n"
    assert faults(booth) == ["ZeroDivisionError"]
    assert client.send(b"NOOP\r\n").startswith(b"+OK")


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("error", [DEFECT, TemporaryFailure(), OSError(5, "EIO")])
def test_what_fails_in_the_midst_of_a_message_ends_it_without_its_end(
    booth: Booth, tricky: TrickyStore, *, slow: bool, error: Exception
) -> None:
    booth.deposit(b"x" * 3 * CHUNK_OCTETS, LETTER)
    tricky.slow = slow
    tricky.on_read = failing_read(error, 2)
    client = booth.connect()
    client.log_in()
    reply = client.send(b"DELE 2\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
    assert reply.endswith(b"xxx")
    assert client.closed
    assert tricky.closed == 1
    assert booth.kept == 2
    (logged,) = booth.log.named(Event.MESSAGE_FAILED)
    assert logged["user"] == "alice"
    assert booth.log.named(Event.LOGOUT)[0]["reason"] == "message could not be read"
    assert booth.loop.faults == []


def test_a_defect_before_a_reader_exists_ends_the_session(
    booth: Booth, tricky: TrickyStore
) -> None:
    booth.deposit(LETTER, LETTER)
    tricky.on_open_message = failing(DEFECT)
    client = booth.connect()
    client.log_in()
    client.send(b"DELE 2\r\nRETR 1\r\n")
    assert client.closed
    assert faults(booth) == ["ZeroDivisionError"]
    assert tricky.closed == 1
    assert booth.kept == 2
    assert booth.connect().log_in().startswith(b"+OK")


def test_a_defect_of_an_update_is_told_as_one_that_removed_nothing(
    booth: Booth, tricky: TrickyStore
) -> None:
    """conformance: 1939-S-108, 1939-S-110."""
    booth.deposit(LETTER, LETTER)
    tricky.on_remove = failing(DEFECT)
    client = booth.connect()
    client.log_in()
    reply = client.send(b"DELE 1\r\nDELE 2\r\nQUIT\r\n").splitlines()[-1]
    assert reply == b"-ERR [SYS/TEMP] some deleted messages not removed"
    assert faults(booth) == ["ZeroDivisionError"]
    (failed,) = booth.log.named(Event.UPDATE_FAILED)
    assert failed["remaining"] == 2
    assert client.closed
    assert tricky.closed == 1


def test_a_defect_at_giving_back_changes_no_answer(booth: Booth, tricky: TrickyStore) -> None:
    booth.deposit(LETTER)
    tricky.on_close = tricky.on_close_reader = failing(DEFECT)
    client = booth.connect()
    client.log_in()
    assert client.send(b"RETR 1\r\n").endswith(b"body\r\n.\r\n")
    assert client.send(b"QUIT\r\n") == b"+OK goodbye\r\n"
    assert faults(booth) == ["ZeroDivisionError", "ZeroDivisionError"]


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("where", ["listing", "message"])
def test_a_store_that_returns_nonsense_costs_one_session_and_no_lock(
    booth: Booth,
    tricky: TrickyStore,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    *,
    slow: bool,
) -> None:
    """What is half done would hold the maildrop for as long as the client stays."""
    booth.deposit(LETTER)
    tricky.slow = slow
    with monkeypatch.context() as patch:
        if where == "listing":
            patch.setattr(TrickyDrop, "listing", property(lambda drop: "no listing"))
        else:
            patch.setattr(TrickyReader, "read", lambda reader, octets: "no octets")
        client = booth.connect()
        client.send(LOG_IN + b"RETR 1\r\n")
        assert client.closed
    assert faults(booth) == [AttributeError.__name__ if where == "listing" else TypeError.__name__]
    assert tricky.closed == 1
    assert booth.limits.total() == 0
    assert booth.connect().log_in().startswith(b"+OK")


class Coroutine:
    """An authenticator that answers by a coroutine alone."""

    def __init__(self, outcome: Identity | Exception) -> None:
        self._outcome = outcome

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        await asyncio.sleep(0)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def test_an_authenticator_may_answer_by_a_coroutine(loop: SteppedLoop) -> None:
    booth = Booth(loop, authenticator=Coroutine(ALICE))
    assert booth.connect().log_in() == b"+OK maildrop has 0 messages (0 octets)"


def test_a_defect_of_an_authenticator_costs_one_login(loop: SteppedLoop) -> None:
    booth = Booth(loop, authenticator=Coroutine(DEFECT))
    client = booth.connect()
    assert client.log_in() == b"-ERR [SYS/TEMP] temporary failure, try again later"
    assert faults(booth) == ["ZeroDivisionError"]
    assert client.send(b"CAPA\r\n").startswith(b"+OK")


# ---- login


def test_an_absent_answer_holds_back_what_was_pipelined(booth: Booth) -> None:
    """conformance: 2449-S-23."""
    booth.gatekeeper.held = True
    client = booth.connect()
    assert client.send(LOG_IN + b"STAT\r\n").count(b"+OK") == 1
    booth.gatekeeper.release()
    booth.loop.settle()
    assert client.taken.splitlines()[-2:] == [b"+OK maildrop has 0 messages (0 octets)", b"+OK 0 0"]


def test_a_client_that_leaves_withdraws_its_login(booth: Booth) -> None:
    booth.gatekeeper.held = True
    client = booth.connect()
    client.send(LOG_IN)
    client.lose()
    assert booth.gatekeeper.withdrawn == 1


def test_a_refusal_in_the_midst_of_an_exchange_says_whose_it_is(loop: SteppedLoop) -> None:
    booth = Booth(loop, mechanisms=("SCRAM-SHA-256",))
    booth.gatekeeper.outcomes[SaltRequest] = ScramParameters(b"salt", 4096)
    client = booth.connect()
    client.send(b"AUTH SCRAM-SHA-256 %b\r\n" % base64.b64encode(b"n,,n=alice,r=mine"))
    proof = base64.b64encode(b"p" * 32)
    final = base64.b64encode(b"c=biws,r=another,p=" + proof)
    assert client.send(final + b"\r\n").startswith(b"-ERR [AUTH]")
    [line] = booth.log.named(Event.AUTH_FAILED)
    assert (line["reason"], line["user"]) == ("another nonce", "alice")


@pytest.mark.parametrize("how", [b"*", b"QUIT", b"AAAA", b"!", None])
def test_whoever_proves_a_password_and_gives_up_is_in_the_log(
    loop: SteppedLoop, how: bytes | None
) -> None:
    """The server's proof tells that the password is right, and the client need not log in."""
    booth = Booth(loop, mechanisms=("SCRAM-SHA-256",))
    booth.gatekeeper.outcomes[SaltRequest] = ScramParameters(b"salt", 4096)
    proved = MutualIdentity("alice", device="phone", server_signature=b"s" * 32)
    booth.gatekeeper.outcomes[ScramCredentials] = proved
    client = booth.connect()
    first = client.send(b"AUTH SCRAM-SHA-256 %b\r\n" % base64.b64encode(b"n,,n=alice,r=mine"))
    nonce = base64.b64decode(first[2:]).split(b",")[0]
    proof = base64.b64encode(b"p" * 32)
    final = base64.b64encode(b"c=biws,%b,p=%b" % (nonce, proof))
    assert client.send(final + b"\r\n").startswith(b"+ ")
    assert not booth.log.named(Event.LOGIN_ABANDONED)
    if how is None:
        client.lose()
    else:
        assert client.send(how + b"\r\n").startswith(b"-ERR")
        client.lose()
    [line] = booth.log.named(Event.LOGIN_ABANDONED)
    assert (line["mech"], line["device"], line["user"]) == ("SCRAM-SHA-256", "phone", "alice")
    assert not booth.log.named(Event.LOGIN)


@pytest.mark.parametrize("slow", [False, True])
def test_the_reasons_a_maildrop_is_not_opened_for(
    booth: Booth, tricky: TrickyStore, *, slow: bool
) -> None:
    tricky.slow = slow
    for error, code in ((PermanentFailure(), b"[SYS/PERM]"), (TemporaryFailure(), b"[SYS/TEMP]")):
        tricky.on_open = failing(error)
        assert booth.connect().log_in().startswith(b"-ERR " + code)
    assert len(booth.log.named(Event.MAILDROP_FAILED)) == 2


def test_a_maildrop_in_use_is_waited_for_and_then_told(booth: Booth) -> None:
    """conformance: 1939-S-48."""
    holder, client = booth.connect(), booth.connect()
    holder.log_in()
    assert client.send(LOG_IN).count(b"+OK") == 1
    booth.wait(3)
    assert client.taken.endswith(b"-ERR [IN-USE] another session holds this maildrop\r\n")
    assert len(booth.log.named(Event.MAILDROP_IN_USE)) == 1
    client.send(LOG_IN)
    holder.lose()
    booth.wait(1)
    assert client.taken.endswith(b"+OK maildrop has 0 messages (0 octets)\r\n")


def test_a_client_gone_while_its_maildrop_opens_leaves_it_unlocked(
    booth: Booth, tricky: TrickyStore
) -> None:
    tricky.slow = booth.executor.held = True
    client = booth.connect()
    client.send(LOG_IN)
    client.lose()
    booth.executor.release()
    booth.loop.settle()
    booth.mail.open(ALICE).close()


def test_a_disk_may_take_longer_than_a_client_may_to_say_who_it_is(
    booth: Booth, tricky: TrickyStore
) -> None:
    tricky.slow = True
    booth.executor.held = True
    client = booth.connect()
    assert client.send(LOG_IN).count(b"+OK") == 1
    booth.wait(300)
    assert not client.closed
    booth.executor.release()
    booth.loop.settle()
    assert client.taken.splitlines()[-1].startswith(b"+OK maildrop has 0 messages")


def test_a_login_that_a_disk_refused_late_is_over_all_the_same(
    booth: Booth, tricky: TrickyStore
) -> None:
    tricky.slow = True
    tricky.on_open = failing(TemporaryFailure())
    booth.executor.held = True
    client = booth.connect()
    client.send(LOG_IN)
    booth.wait(300)
    booth.executor.release()
    booth.loop.settle()
    assert client.taken.splitlines()[-1].startswith(b"-ERR [SYS/TEMP] ")
    booth.wait(2)
    assert client.closed


def test_a_login_is_logged_with_what_it_opened(booth: Booth) -> None:
    booth.deposit(LETTER)
    client = booth.connect("192.0.2.7")
    client.log_in()
    client.send(b"RETR 1\r\nTOP 1 0\r\nDELE 1\r\nQUIT\r\n")
    (login,), (logout,) = booth.log.named(Event.LOGIN), booth.log.named(Event.LOGOUT)
    assert (login["user"], login["mech"], login["messages"]) == ("alice", "USER", 1)
    assert "rip=192.0.2.7" in str(login["peer"])
    assert (logout["reason"], logout["top"], logout["removed"]) == ("quit", 1, 1)
    assert str(logout["retr"]).startswith("1/")


# ---- UPDATE


def test_quit_removes_what_is_marked(booth: Booth) -> None:
    booth.deposit(LETTER, LETTER)
    client = booth.connect()
    client.log_in()
    assert client.send(b"DELE 1\r\nQUIT\r\n").endswith(b"+OK goodbye\r\n")
    assert booth.kept == 1


def test_the_reply_to_quit_waits_for_the_disk(booth: Booth) -> None:
    """conformance: 1939-S-112."""
    booth.deposit(LETTER)
    client = booth.connect()
    client.log_in()
    booth.executor.held = True
    assert client.send(b"DELE 1\r\nQUIT\r\n") == b"+OK marked\r\n"
    booth.executor.release()
    booth.loop.settle()
    assert client.taken.endswith(b"+OK goodbye\r\n")


@pytest.mark.parametrize("way", ["lose", "end", "kick", "cut"])
def test_an_update_that_has_begun_is_finished(booth: Booth, way: str) -> None:
    """conformance: 1939-S-107, 1939-S-115."""
    booth.deposit(LETTER)
    client = booth.connect()
    client.log_in()
    booth.executor.held = True
    client.send(b"DELE 1\r\nQUIT\r\n")
    if way == "lose":
        client.lose()
    elif way == "end":
        client.end()
    elif way == "kick":
        booth.service.registry.kick(client.connection.peer.session)
    else:
        booth.service.cut()
    booth.executor.release()
    booth.loop.settle()
    assert booth.kept == 0
    booth.mail.open(ALICE).close()
    (logout,) = booth.log.named(Event.LOGOUT)
    assert (logout["reason"], logout["removed"]) == ("quit", 1)
    assert client.taken.endswith(b"+OK goodbye\r\n") == (way == "end")


@pytest.mark.parametrize("way", ["lose", "end", "kick", "cut", "drain"])
def test_without_quit_nothing_is_removed(booth: Booth, way: str) -> None:
    """conformance: 1939-S-111, 1939-S-113."""
    booth.deposit(LETTER)
    client = booth.connect()
    client.log_in()
    client.send(b"DELE 1\r\n")
    if way == "lose":
        client.lose()
    elif way == "end":
        client.end()
    elif way == "kick":
        booth.service.registry.kick(client.connection.peer.session)
    elif way == "cut":
        booth.service.cut()
    else:
        booth.service.begin_drain()
    assert booth.kept == 1
    assert client.closed
    assert client.taken.endswith(b"+OK marked\r\n")
    booth.mail.open(ALICE).close()


def test_an_update_that_removed_some_says_so(booth: Booth, tricky: TrickyStore) -> None:
    booth.deposit(LETTER, LETTER, LETTER)
    tricky.on_remove = failing(UpdateIncomplete(2))
    client = booth.connect()
    client.log_in()
    client.send(b"DELE 1\r\nDELE 2\r\nDELE 3\r\nQUIT\r\n")
    (failed,), (logout,) = booth.log.named(Event.UPDATE_FAILED), booth.log.named(Event.LOGOUT)
    assert (failed["remaining"], logout["removed"]) == (2, 1)


def test_an_update_that_ends_in_a_defect_gives_the_maildrop_back(
    booth: Booth, tricky: TrickyStore
) -> None:
    booth.deposit(LETTER)
    tricky.on_remove = failing(TemporaryFailure("no text of a reply holds [brackets]"))
    client = booth.connect()
    client.log_in()
    client.send(b"DELE 1\r\nQUIT\r\n")
    assert faults(booth) == [ValueError.__name__]
    assert client.closed
    assert tricky.closed == 1
    booth.mail.open(ALICE).close()


@pytest.mark.parametrize("command", [b"RETR 1\r\n", b"DELE 1\r\nQUIT\r\n"])
def test_work_that_cannot_be_handed_over_gives_the_maildrop_back(
    booth: Booth, tricky: TrickyStore, monkeypatch: pytest.MonkeyPatch, command: bytes
) -> None:
    booth.deposit(LETTER)
    client = booth.connect()
    client.log_in()
    tricky.slow = True

    def submit(*work: object, **options: object) -> object:
        raise DEFECT

    monkeypatch.setattr(booth.executor, "submit", submit)
    client.send(command)
    assert faults(booth) == [type(DEFECT).__name__]
    assert client.closed
    assert (tricky.closed, booth.kept) == (1, 1)


# ---- messages


def test_a_message_that_vanished_is_refused_and_the_rest_is_well(
    booth: Booth, tricky: TrickyStore
) -> None:
    booth.deposit(LETTER, LETTER)
    tricky.on_read = failing_read(MessageVanished(), 1)
    client = booth.connect()
    client.log_in()
    assert client.send(b"RETR 1\r\n") == b"-ERR this message is no longer there\r\n"
    tricky.on_read = lambda nth: None
    assert client.send(b"RETR 2\r\n").startswith(b"+OK")


def test_a_disk_that_is_slow_stalls_its_own_session_alone(
    booth: Booth, tricky: TrickyStore
) -> None:
    booth.deposit(LETTER)
    slow, quick = booth.connect(), booth.connect()
    slow.log_in()
    tricky.slow = booth.executor.held = True
    assert slow.send(b"RETR 1\r\nNOOP\r\n") == b""
    assert booth.executor.waiting == 1
    assert quick.send(b"CAPA\r\n").startswith(b"+OK")
    booth.executor.release()
    booth.loop.settle()
    assert slow.taken.endswith(b"body\r\n.\r\n+OK nothing done\r\n")


def test_a_client_gone_while_the_disk_is_waited_for(booth: Booth, tricky: TrickyStore) -> None:
    booth.deposit(LETTER)
    client = booth.connect()
    client.log_in()
    tricky.slow = booth.executor.held = True
    client.send(b"RETR 1\r\n")
    client.lose()
    assert tricky.closed == 0, "a maildrop is not given back under the hands of its reader"
    booth.executor.release()
    booth.loop.settle()
    assert tricky.closed == 1


def test_a_reply_goes_out_in_one_write(booth: Booth) -> None:
    booth.deposit(b"x" * 70 * 1000)
    client = booth.connect()
    client.log_in()
    before = client.transport.writes
    client.send(b"RETR 1\r\n")
    assert client.transport.writes == before + 1


# ---- the end of a server


def test_a_drain_lets_the_reply_under_way_end(booth: Booth, tricky: TrickyStore) -> None:
    booth.deposit(LETTER)
    client = booth.connect()
    client.log_in()
    tricky.slow = booth.executor.held = True
    client.send(b"RETR 1\r\n")
    booth.service.begin_drain()
    assert not client.closed
    booth.executor.release()
    booth.loop.settle()
    assert client.taken.endswith(b"body\r\n.\r\n")
    assert client.closed
    assert booth.log.named(Event.LOGOUT)[0]["reason"] == "server stopping"


def test_a_drain_lets_a_login_have_its_answer(booth: Booth) -> None:
    booth.gatekeeper.held = True
    client = booth.connect()
    client.send(LOG_IN)
    booth.service.begin_drain()
    assert not client.closed
    booth.gatekeeper.release()
    booth.loop.settle()
    assert client.taken.endswith(b"+OK maildrop has 0 messages (0 octets)\r\n")
    assert client.closed


def test_kick_names_one(booth: Booth) -> None:
    one, other = booth.connect(), booth.connect()
    assert booth.service.registry.kick(one.connection.peer.session)
    assert one.transport.aborted
    assert not other.closed
    assert not booth.service.registry.kick("nobody")


def test_who_tells_what_a_session_is_at(booth: Booth) -> None:
    booth.deposit(LETTER)
    client = booth.connect()
    booth.wait(2)
    described = client.connection.describe()
    assert (described["account"], described["state"]) == (None, "authorization")
    client.log_in()
    client.send(b"RETR 1\r\n")
    booth.wait(5)
    described = client.connection.describe()
    assert (described["account"], described["state"]) == ("alice", "transaction")
    assert (described["messages"], described["retrieved"]) == (1, 1)
    assert described["logged_in_seconds"] == 5.0
    assert described["idle_seconds"] == 4.0


# ---- SASL


def test_plain_by_challenge_and_at_once(booth: Booth) -> None:
    """conformance: 5034-S-01."""
    message = base64.b64encode(b"\0alice\0secret")
    client = booth.connect()
    assert client.send(b"AUTH PLAIN\r\n") == b"+ \r\n"
    assert client.send(message + b"\r\n").startswith(b"+OK maildrop")
    client.lose()
    assert booth.connect().send(b"AUTH PLAIN " + message + b"\r\n").startswith(b"+OK maildrop")
    assert [login["mech"] for login in booth.log.named(Event.LOGIN)] == ["PLAIN", "PLAIN"]


@pytest.mark.parametrize("response", [b"*", b"AA==", base64.b64encode(b"no nul at all")])
def test_an_exchange_that_leads_nowhere_asks_nobody(booth: Booth, response: bytes) -> None:
    client = booth.connect()
    client.send(b"AUTH PLAIN\r\n")
    assert client.send(response + b"\r\n").startswith(b"-ERR")
    assert booth.gatekeeper.asked == []
    assert client.log_in().startswith(b"+OK")


def test_a_password_in_clear_where_it_may_not_be_is_logged_without_its_name(
    loop: SteppedLoop,
) -> None:
    booth = Booth(loop, cleartext="tls")
    client = booth.connect()
    assert client.send(b"USER alice\r\n").startswith(b"-ERR")
    (refused,) = booth.log.named(Event.CLEARTEXT_REFUSED)
    assert "alice" not in repr(refused)


# ---- APOP

DIGEST = b"c4c9334bac560ecc979e58001b3e22fb"


@pytest.fixture
def with_apop(loop: SteppedLoop) -> Booth:
    """A service that offers APOP."""
    return Booth(loop, mechanisms=("PLAIN", "APOP", "USER"))


def test_every_greeting_has_a_timestamp_of_its_own(with_apop: Booth, booth: Booth) -> None:
    """conformance: 1939-S-56, 1939-S-57, 1939-S-58"""
    greetings = {with_apop.connect().taken for _ in range(20)}
    assert len(greetings) == 20
    form = rb"\+OK POP3 server ready <[0-9a-f]+\.[0-9]+@pop\.example\.org>\r\n"
    assert all(re.fullmatch(form, greeting) for greeting in greetings)
    assert booth.connect().taken == b"+OK POP3 server ready\r\n"


def test_a_digest_is_asked_about_with_its_timestamp(with_apop: Booth) -> None:
    """conformance: 1939-S-60, 1939-S-62"""
    with_apop.gatekeeper.outcomes[DigestCredentials] = Identity("alice")
    client = with_apop.connect()
    timestamp = client.taken.split()[-1]
    assert client.send(b"APOP Alice " + DIGEST + b"\r\n").startswith(b"+OK maildrop has 0 ")
    (asked,) = with_apop.gatekeeper.questions
    digest = Secret(bytes.fromhex(DIGEST.decode()))
    assert asked == DigestCredentials("Alice", timestamp, digest, "APOP")
    (login,) = with_apop.log.named(Event.LOGIN)
    assert (login["mech"], login["user"]) == ("APOP", "alice")


def test_a_wrong_digest_is_refused_as_a_wrong_password_is(with_apop: Booth) -> None:
    """conformance: 3206-S-04"""
    client = with_apop.connect()
    refused = client.send(b"USER alice\r\nPASS wrong\r\n").splitlines()[-1]
    assert client.send(b"APOP alice " + DIGEST + b"\r\n") == refused + b"\r\n"
    assert [failed["mech"] for failed in with_apop.log.named(Event.AUTH_FAILED)] == ["USER", "APOP"]


# ---- UTF8

INTERNATIONAL = "Subject: Grüße\n\nzweite Zeile ☃\n".encode()


@pytest.fixture
def with_utf8(loop: SteppedLoop) -> Booth:
    """A service that offers UTF8, with one message that needs it."""
    made = Booth(loop, mechanisms=("USER", "APOP"), utf8=True)
    made.deposit(INTERNATIONAL)
    return made


def test_a_client_without_utf8_is_refused_what_needs_it(with_utf8: Booth) -> None:
    """conformance: 6856-S-05, 6856-S-06"""
    client = with_utf8.connect()
    client.send(b"USER alice\r\nPASS secret\r\n")
    for line in (b"RETR 1\r\n", b"TOP 1 0\r\n"):
        assert client.send(line).startswith(b"-ERR [UTF8] ")
    assert client.send(b"LIST 1\r\n") == b"+OK 1 38\r\n"
    client.send(b"QUIT\r\n")
    failures = with_utf8.log.named(Event.MESSAGE_FAILED)
    assert failures[0]["reason"] == "header beyond ASCII for a client without UTF8"
    (logout,) = with_utf8.log.named(Event.LOGOUT)
    assert (logout["retr"], logout["top"]) == ("0/0", 0)


def test_a_client_with_utf8_has_it(with_utf8: Booth) -> None:
    """conformance: 6856-S-08"""
    client = with_utf8.connect()
    client.send(b"UTF8\r\nUSER alice\r\nPASS secret\r\n")
    wire = INTERNATIONAL.replace(b"\n", b"\r\n")
    assert client.send(b"RETR 1\r\n") == b"+OK message follows\r\n" + wire + b".\r\n"
    assert not with_utf8.log.named(Event.MESSAGE_FAILED)


def test_surrogates_are_for_clients_without_utf8(loop: SteppedLoop) -> None:
    """conformance: 6856-S-05, 6856-S-09, 6856-S-10, 6858-S-03"""
    booth = Booth(loop, mechanisms=("USER",), utf8=True, international_headers="surrogate")
    booth.deposit(INTERNATIONAL)
    assert booth.service.surrogates is not None
    wire = INTERNATIONAL.replace(b"\n", b"\r\n")
    surrogate = b"Subject: =?utf-8?b?R3LDvMOfZQ==?=" + wire[wire.index(b"\r\n") :]
    for before, due in ((b"", surrogate), (b"UTF8\r\n", wire), (b"", surrogate)):
        client = booth.connect()
        client.send(before + b"USER alice\r\nPASS secret\r\n")
        assert client.send(b"RETR 1\r\n").partition(b"\r\n")[2] == due + b".\r\n"
        sizes = b"+OK 1 %d\r\n" % len(due)
        assert client.send(b"LIST 1\r\nSTAT\r\nTOP 1 0\r\n").startswith(2 * sizes)
        client.send(b"QUIT\r\n")


class PlacedStore(MemoryStore):
    """A store that knows the places of its own maildrops."""

    def place(self, identity: Identity) -> int:
        return 7

    def place_of(self, maildrop: Maildrop) -> int:
        assert isinstance(maildrop, MemoryDrop)
        return 7


def test_a_message_is_removed_whose_surrogate_was_shown(loop: SteppedLoop) -> None:
    store = PlacedStore()
    store.deposit(ALICE, io.BytesIO(INTERNATIONAL))
    booth = Booth(
        loop, store=store, mechanisms=("USER",), utf8=True, international_headers="surrogate"
    )
    client = booth.connect()
    client.send(b"USER alice\r\nPASS secret\r\n")
    assert booth.service.surrogates is not None
    assert booth.service.surrogates.place(ALICE) == 7
    assert client.send(b"DELE 1\r\nQUIT\r\n") == b"+OK marked\r\n+OK goodbye\r\n"
    assert store.listing(ALICE).count == 0


def test_names_and_passwords_are_asked_about_in_utf8(with_utf8: Booth) -> None:
    """conformance: 6856-S-12"""
    with_utf8.gatekeeper.outcomes[DigestCredentials] = Identity("alice")
    client = with_utf8.connect()
    client.send("USER jörg\r\nPASS größe\r\n".encode())
    with_utf8.connect().send("APOP jörg ".encode() + DIGEST + b"\r\n")
    by_password, by_digest = with_utf8.gatekeeper.questions
    assert by_password == PasswordCredentials("jörg", Secret("größe".encode()))
    assert by_digest.name == "jörg"


@pytest.mark.parametrize("password", ["a\ue000", "a\u200e", "\u05d0a", "\u00ad"])
def test_a_password_that_nobody_may_have_is_asked_about_nowhere(
    with_utf8: Booth, password: str
) -> None:
    """conformance: 6856-S-13"""
    client = with_utf8.connect()
    client.send(b"USER alice\r\n")
    refused = client.send(f"PASS {password}\r\n".encode())
    assert refused == b"-ERR [AUTH] authentication failed\r\n"
    assert not with_utf8.gatekeeper.questions


# ---- rights


def test_a_login_that_may_only_read_removes_nothing(with_apop: Booth) -> None:
    with_apop.deposit(b"Subject: one\n\n1\n")
    with_apop.gatekeeper.outcomes[DigestCredentials] = Identity("alice", read_only=True)
    client = with_apop.connect()
    client.send(b"APOP alice " + DIGEST + b"\r\n")
    assert client.send(b"DELE 1\r\n") == b"-ERR this login may collect mail, not remove it\r\n"
    assert client.send(b"RETR 1\r\n").startswith(b"+OK")
    client.send(b"QUIT\r\n")
    assert with_apop.kept == 1
