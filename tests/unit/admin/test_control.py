"""An administrator's end of the control socket, with a server of the test's own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from restante.admin.control import ControlClient
from restante.errors import ControlError


@contextmanager
def server(path: Path, *pieces: bytes, hang: bool = False) -> Iterator[list[bytes]]:
    """Answer one request with these octets."""
    requests: list[bytes] = []
    over = threading.Event()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    listener.settimeout(20)

    def answer() -> None:
        sock, _ = listener.accept()
        with sock:
            requests.append(sock.recv(4096))
            for piece in pieces:
                sock.sendall(piece)
            if hang:
                over.wait(20)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield requests
    finally:
        over.set()
        thread.join(20)
        listener.close()


def test_a_reply_comes_in_pieces(tmp_path: Path) -> None:
    with server(tmp_path / "s", b'{"kick', b'ed":', b"true}\n") as requests:
        reply = ControlClient(tmp_path / "s").request("kick", session="a-1")
    assert reply == {"kicked": True}
    assert requests == [b'{"command": "kick", "session": "a-1"}\n']


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((b'{"error": "there is no such session"}\n',), "there is no such session"),
        ((b"nonsense\n",), "cannot be spoken to"),
        ((b"[]\n",), "cannot be spoken to"),
        ((b'{"half": ',), "cannot be spoken to"),
        ((), "cannot be spoken to"),
    ],
)
def test_a_reply_that_says_no_or_nothing(
    tmp_path: Path, pieces: tuple[bytes, ...], words: str
) -> None:
    with server(tmp_path / "s", *pieces), pytest.raises(ControlError, match=words):
        ControlClient(tmp_path / "s").request("who")


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with (
        server(tmp_path / "s", hang=True),
        pytest.raises(ControlError, match="does not answer"),
    ):
        ControlClient(tmp_path / "s", timeout_seconds=0.1).request("who")


def test_no_server(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path / "no" / "folder"):
        with pytest.raises(ControlError, match="no server is running"):
            ControlClient(path).request("who")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "dead"))
    with pytest.raises(ControlError, match="no server is running"):
        ControlClient(tmp_path / "dead").request("who")


def test_somebody_who_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    with pytest.raises(ControlError, match="may not command"):
        ControlClient(tmp_path / "s").request("who")


def test_a_path_may_be_long(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    short = tmp_path / "short"
    short.symlink_to(folder)
    with server(short / "s", b"{}\n"):
        assert ControlClient(folder / "s").request("who") == {}
