"""The stage of a dialogue with the session alone."""

from transcripts.maildrops import letter
from transcripts.post_office import Desk, PostOffice, fault


class SessionPeer:
    """A client at a desk, its octets cut into segments of one size (0: uncut)."""

    def __init__(self, desk: Desk, segment: int) -> None:
        self._desk = desk
        self._segment = segment

    def send(self, octets: bytes) -> None:
        """Send octets."""
        size = self._segment or len(octets)
        for start in range(0, len(octets), size):
            self._desk.receive(octets[start : start + size])

    def line(self) -> bytes:
        """Return the next line; at the end of what was said the session must have ended."""
        sent = self._desk.sent
        end = sent.find(b"\n") + 1
        if not end:
            assert self._desk.closed, "the server says nothing"
            end = len(sent)
        line = bytes(sent[:end])
        del sent[:end]
        return line

    def start_tls(self) -> None:
        """Make TLS; nothing may have been said in clear behind the agreement."""
        assert not self._desk.sent, f"{bytes(self._desk.sent)!r} was said in clear"
        self._desk.make_tls()

    def end(self) -> None:
        """Send no more."""
        self._desk.receive_eof()

    def close(self) -> None:
        """Drop the connection."""
        self._desk.receive_eof()
        self._desk.hang_up()


class SessionStage:
    """A post office whose every desk is one session."""

    def __init__(self, segment: int) -> None:
        self._office = PostOffice()
        self._segment = segment

    def account(self, name: str, password: str, letters: tuple[bytes, ...]) -> None:
        """Add an account."""
        self._office.add(name, password, letters)

    def connect(self, port: str) -> SessionPeer:
        """Go to a desk."""
        return SessionPeer(Desk(self._office, port), self._segment)

    def unique_id(self, name: str, filed: int) -> bytes:
        """Return the unique-id of a message."""
        letters = self._office.accounts[name.encode()].letters
        return next(each.unique_id for each in letters if each.filed == filed)

    def kept(self, name: str) -> list[int]:
        """Return the filing numbers of the messages that are still there."""
        return [each.filed for each in self._office.accounts[name.encode()].letters]

    def happen(self, what: str, arguments: list[str]) -> None:
        """Let something happen to the post office."""
        if what == "fail":
            self._fail(*arguments)
            return
        account = self._office.accounts[arguments[0].encode()]
        if what in ("hold", "release"):
            account.held = what == "hold"
        elif what == "deliver":
            account.file(letter(100))
        elif what == "vanish":
            account.vanished.add(int(arguments[1]))
        else:
            raise AssertionError(f"this stage knows no {what}")

    def _fail(self, what: str, detail: str = "") -> None:
        faults = self._office.faults
        if what == "opening":
            faults.opening = fault(detail)
        elif what == "message":
            faults.message_after = int(detail)
        elif what == "update":
            faults.update = True
        else:
            raise AssertionError(f"nothing fails by the name of {what}")
