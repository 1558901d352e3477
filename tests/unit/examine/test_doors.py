"""The doors that hand a message to a program or to a listener."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from restante.examine.doors import CommandDoor, LmtpDoor, SmtpDoor
from restante.examine.outcome import NotTried
from unit.examine.behaving import Behaviour, listening, saying, until_gone

TAKES = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"


def command(*words: str) -> str:
    return " ".join(f"'{word}'" for word in words)


def test_a_command_gets_the_message_and_the_user(tmp_path: Path) -> None:
    taken = tmp_path / "for-ann"
    door = CommandDoor(
        f'{sys.executable} -c "{TAKES}" {tmp_path}/for-{{user}}', "ann", patience_seconds=20
    )
    door.check()
    door.deliver(b"Subject: x\n\n.\r\n")
    assert taken.read_bytes() == b"Subject: x\n\n.\r\n"


def test_there_is_no_shell(tmp_path: Path) -> None:
    door = CommandDoor("echo {user} > {user}", f"{tmp_path}/x; touch {tmp_path}/y", 20)
    door.deliver(b"")
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_fails_is_quoted() -> None:
    program = "import sys; sys.stderr.write('\\x1b[31mno such user'); sys.exit(67)"
    door = CommandDoor(f'{sys.executable} -c "{program}"', "ann", 20)
    with pytest.raises(NotTried, match=r"status 67 and said '\\x1b\[31mno such user'"):
        door.deliver(b"")


def test_a_command_that_hangs_is_ended() -> None:
    door = CommandDoor(f"{sys.executable} -c 'import time; time.sleep(60)'", "ann", 0.5)
    with pytest.raises(NotTried, match=r"0\.5 s"):
        door.deliver(b"x")


def test_a_command_that_is_not_there_is_told_before_the_first_message() -> None:
    with pytest.raises(NotTried, match="not there"):
        CommandDoor("/no/such/program -x", "ann", 1).check()
    with pytest.raises(NotTried, match="the delivering command"):
        CommandDoor("/no/such/program -x", "ann", 1).deliver(b"")


@pytest.mark.parametrize("words", ["", "   ", "'unbalanced"])
def test_a_command_line_without_a_command_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"empty|quotation"):
        CommandDoor(words, "ann", 1)


class Listener:
    """A listener that takes mail, and remembers it."""

    def __init__(self, extensions: bytes = b"250 8BITMIME\r\n", refuses: bytes = b"") -> None:
        self.lines: list[bytes] = []
        self.message = b""
        self._extensions = extensions
        self._refuses = refuses

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(b"220-hello\r\n220 there\r\n")
        with connection.makefile("rb") as file, contextlib.suppress(OSError):
            self._serve(connection, file)

    def _serve(self, connection: socket.socket, file: BinaryIO) -> None:
        for line in file:
            self.lines.append(line)
            word = line.split()[0]
            if self._refuses and word == self._refuses:
                connection.sendall(b"550 5.1.1 no \x1b such user\r\n")
            elif word in (b"LHLO", b"EHLO"):
                connection.sendall(b"250-me\r\n" + self._extensions)
            elif word == b"DATA":
                connection.sendall(b"354 go on\r\n")
                while (part := file.readline()) != b".\r\n":
                    self.message += part
                connection.sendall(b"250 taken\r\n")
            else:
                connection.sendall(b"250 ok\r\n")


def test_lmtp_hands_over_one_message() -> None:
    listener = Listener()
    with listening(listener) as port:
        LmtpDoor(("127.0.0.1", port), "ann@example.org", 5).deliver(b"Subject: x\n\n.\n..\nend")
    assert listener.lines[:4] == [
        b"LHLO localhost\r\n",
        b"MAIL FROM:<> BODY=8BITMIME\r\n",
        b"RCPT TO:<ann@example.org>\r\n",
        b"DATA\r\n",
    ]
    assert listener.message == b"Subject: x\r\n\r\n..\r\n...\r\nend\r\n"


def test_smtp_says_ehlo_and_asks_for_no_more_than_is_offered() -> None:
    listener = Listener(extensions=b"250 SIZE\r\n")
    with listening(listener) as port:
        SmtpDoor(("127.0.0.1", port), "ann", 5).deliver(b"x\n")
    assert listener.lines[:2] == [b"EHLO localhost\r\n", b"MAIL FROM:<>\r\n"]


def test_a_check_goes_as_far_as_the_recipient() -> None:
    listener = Listener()
    with listening(listener) as port:
        LmtpDoor(("127.0.0.1", port), "ann", 5).check()
        assert b"DATA\r\n" not in listener.lines
        assert b"RCPT TO:<ann>\r\n" in listener.lines


def test_a_recipient_that_is_refused_is_told_without_control_characters() -> None:
    told = r"refuses: '550 5\.1\.1 no \\x1b such user'"
    with listening(Listener(refuses=b"RCPT")) as port, pytest.raises(NotTried, match=told):
        SmtpDoor(("127.0.0.1", port), "ann", 5).check()


def test_a_unix_socket_is_a_place_for_lmtp(tmp_path: Path) -> None:
    listener = Listener()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as below:
        below.bind(str(tmp_path / "s"))
        below.listen()

        def serve() -> None:
            connection, _ = below.accept()
            with connection:
                listener(connection)

        threading.Thread(target=serve, daemon=True).start()
        LmtpDoor(str(tmp_path / "s"), "ann", 5).deliver(b"x\n")
    assert listener.message == b"x\r\n"


def test_a_socket_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotTried, match="No such file"):
        LmtpDoor(str(tmp_path / "s"), "ann", 5).check()


def drip(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"250-x\r\n")
            threading.Event().wait(0.05)


@pytest.mark.parametrize(
    "behave",
    [
        saying(b"+OK POP3 server ready\r\n"),
        saying(b"220-" + b"x" * 100_000),
        saying(b"220-" + b"x\r\n220-" * 100_000),
        until_gone,
        drip,
        lambda connection: None,
    ],
    ids=["another-protocol", "long-line", "many-lines", "silent", "dripping", "closing"],
)
def test_a_listener_that_is_none_ends_in_time(behave: Behaviour) -> None:
    with listening(behave) as port, pytest.raises(NotTried, match="LMTP"):
        LmtpDoor(("127.0.0.1", port), "ann", 0.5).deliver(b"x\n")
