"""Every dialogue, played with a real server over a socket."""

from pathlib import Path

import pytest

from transcripts.dialogue import play, read
from transcripts.maildrops import MAILDROPS
from transcripts.socket_stage import Served, SocketStage

FILES = [
    path for path in sorted(Path(__file__).parent.glob("*.pop3")) if not read(path).only_session
]


@pytest.fixture(scope="module")
def accounts() -> dict[tuple[str, str], Path]:
    """Maildirs by name and password: an account is added once, its letters for each dialogue."""
    return {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_over_a_socket(
    path: Path, restante_server: Served, accounts: dict[tuple[str, str], Path]
) -> None:
    """conformance: 1939-S-01, 1939-S-24, TG-A1-1, TG-A1-2"""
    stage = SocketStage(restante_server, accounts)
    try:
        play(path, stage, MAILDROPS)
    finally:
        stage.clear()
