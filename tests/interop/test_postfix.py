"""Postfix delivering by its `virtual` agent, as the user whose mail Restante serves."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from interop.conftest import needs_root
from interop.messages import HARD, Message, real
from interop.postfix import Postfix
from interop.record import Peer
from interop.service import MAIL_USER, Service, open_folder

from conftest import require
from serving import Dialogue

PEER = Peer("Postfix", "deliverer", "postfix")

USERS = ("alice", "bob")
PASSWORD = "secret"
MESSAGES = 240
"""Sent to each user."""
PATIENCE_SECONDS = 60.0
HEADER = "X-Serial: {}\r\nMessage-Id: <{}@example.org>\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n"
SERIAL = re.compile(rb"\r\nX-Serial: (\d+)\r\n")


@pytest.fixture
def places() -> Iterator[tuple[Service, Postfix]]:
    """A service and a Postfix over the same Maildirs, none of which exists yet."""
    require("postfix")
    needs_root()
    with open_folder("postfix") as folder:
        service = Service(folder / "restante", user=MAIL_USER)
        for user in USERS:
            service.account(user, PASSWORD)
        with service, Postfix(folder / "postfix", service.mail, list(USERS)) as postfix:
            yield service, postfix


def letter(serial: int) -> bytes:
    """Return a message to be sent, which says its number; hand-made and real ones take turns."""
    bodies = (*(m.wire for m in HARD if b"\0" not in m.wire and _has_plain_ends(m)), *_mail())
    head = HEADER.format(serial, serial) + f"From: sender@example.org\r\nSubject: {serial}\r\n\r\n"
    return head.encode() + bodies[serial % len(bodies)]


def _mail() -> tuple[bytes, ...]:
    return tuple(message.wire for message in real() if message.name.startswith("msg_"))


def _has_plain_ends(message: Message) -> bool:
    """Say whether SMTP can carry a message as it is: no CR but in its line ends, some octets."""
    return b"\r" not in message.wire.replace(b"\r\n", b"") and message.wire != b""


class Collector:
    """Somebody who collects the mail of one user again and again, in one of three ways."""

    def __init__(self, service: Service, user: str) -> None:
        self._service = service
        self._user = user
        self._turn = 0
        self.collected: Counter[int] = Counter()
        """How often each number was collected by a QUIT that succeeded."""
        self.busy = 0
        """Sessions that found the maildrop taken."""
        self.early = 0
        """Sessions that found mail before all of it had been delivered."""

    def session(self) -> int:
        """Run one session and return how many messages it saw."""
        self._turn += 1
        with Dialogue(
            "127.0.0.1", self._service.ports["implicit"], self._service.verifying_context()
        ) as dialogue:
            reply = dialogue.log_in(self._user, PASSWORD)
            if not reply.startswith(b"+OK"):
                assert reply.startswith(b"-ERR [IN-USE]"), reply
                self.busy += 1
                return 0
            return self._transact(dialogue)

    def _transact(self, dialogue: Dialogue) -> int:
        opened = dialogue.say(b"STAT")
        serials = self._retrieve_all(dialogue)
        numbers = sorted(serials)
        if self._turn % 3 == 1:
            # Every other one, after a change of mind.
            for number in numbers:
                assert dialogue.say(b"DELE %d" % number).startswith(b"+OK")
            assert dialogue.say(b"RSET").startswith(b"+OK")
            numbers = numbers[::2]
        # What was delivered meanwhile is for the next session.
        assert dialogue.say(b"STAT") == opened
        for number in numbers:
            assert dialogue.say(b"DELE %d" % number).startswith(b"+OK")
        if self._turn % 3 == 2:
            # Gone without QUIT: nothing was promised, and nothing may be removed.
            return len(serials)
        assert dialogue.say(b"QUIT").startswith(b"+OK")
        self.collected.update(serials[number] for number in numbers)
        return len(serials)

    def _retrieve_all(self, dialogue: Dialogue) -> dict[int, int]:
        assert dialogue.say(b"UIDL").startswith(b"+OK")
        serials: dict[int, int] = {}
        for line in dialogue.lines():
            number, unique_id = line.split()
            assert dialogue.say(b"RETR " + number).startswith(b"+OK")
            lines = dialogue.lines()
            sent = b"".join(text.removeprefix(b".") + b"\r\n" for text in lines)
            serials[int(number)] = self._check(unique_id.decode(), sent)
        return serials

    def _check(self, unique_id: str, sent: bytes) -> int:
        # The session holds the maildrop, so nobody takes the file away meanwhile.
        file = self._service.mail / self._user / "new" / unique_id
        assert sent == Message(unique_id, file.read_bytes()).wire
        found = SERIAL.search(sent)
        assert found is not None
        serial = int(found[1])
        assert sent.endswith(letter(serial))
        assert b"\r\nDelivered-To: " + self._user.encode() + b"@" in sent
        return serial


def collect(collector: Collector, delivered: threading.Event) -> None:
    """Collect until everything has been delivered and two sessions have found nothing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    empty = 0
    while empty < 2:
        assert time.monotonic() < deadline
        complete = delivered.is_set()
        busy = collector.busy
        seen = collector.session()
        collector.early += seen > 0 and not delivered.is_set()
        empty = empty + 1 if complete and not seen and collector.busy == busy else 0


def wait_for_delivery(postfix: Postfix, count: int) -> None:
    """Wait until Postfix has logged so many deliveries."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while postfix.log().count("status=sent (delivered to maildir)") < count:
        assert time.monotonic() < deadline, postfix.log()[-2_000:]
        time.sleep(0.05)


def test_delivery_while_sessions_run(places: tuple[Service, Postfix]) -> None:
    """Deliveries by several agents at once while sessions list, retrieve, mark, reset, remove and
    break off, two for each maildrop: every message collected exactly once, octet for octet as
    Postfix wrote it and as it was sent.
    """
    service, postfix = places
    delivered = threading.Event()
    collectors = {user: [Collector(service, user) for _ in range(2)] for user in USERS}
    with ThreadPoolExecutor(8) as pool:
        running = [
            pool.submit(collect, collector, delivered)
            for pair in collectors.values()
            for collector in pair
        ]
        senders = [
            pool.submit(postfix.send, [letter(serial) for serial in part], user)
            for user in USERS
            for part in (range(0, MESSAGES, 2), range(1, MESSAGES, 2))
        ]
        try:
            for sender in senders:
                sender.result(PATIENCE_SECONDS)
            wait_for_delivery(postfix, MESSAGES * len(USERS))
        finally:
            delivered.set()
        for collecting in running:
            collecting.result(PATIENCE_SECONDS * 2)
    for user, pair in collectors.items():
        total = sum((collector.collected for collector in pair), Counter[int]())
        assert total == Counter(range(MESSAGES))
        assert sum(collector.early for collector in pair) > 1, "nothing happened at once"
        assert list((service.mail / user / "new").iterdir()) == []
    assert "Traceback" not in service.log()


def test_a_maildir_that_postfix_makes(places: tuple[Service, Postfix]) -> None:
    """A maildrop that is empty until the first delivery makes its Maildir, of the right owner."""
    service, postfix = places
    maildir: Path = service.mail / "alice"

    def waiting() -> bytes:
        with Dialogue("127.0.0.1", service.ports["none"]) as dialogue:
            dialogue.log_in("alice", PASSWORD)
            return dialogue.say(b"STAT")

    assert waiting() == b"+OK 0 0"
    assert not maildir.exists()
    postfix.send([letter(0)], "alice")
    wait_for_delivery(postfix, 1)
    assert waiting().startswith(b"+OK 1 ")
    assert {path.owner() for path in (maildir, *maildir.rglob("*"))} == {MAIL_USER}
