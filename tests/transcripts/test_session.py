"""Every dialogue, played with the session alone: in segments as written, and octet by octet."""

from pathlib import Path

import pytest

from transcripts.dialogue import play, read
from transcripts.maildrops import MAILDROPS
from transcripts.session_stage import SessionStage

FILES = sorted(Path(__file__).parent.glob("*.pop3"))


def name(path: Path) -> str:
    return path.stem


def test_there_are_dialogues() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=name)
def test_as_written(path: Path) -> None:
    """conformance: 1939-S-09, 1939-S-24"""
    play(path, SessionStage(0), MAILDROPS)


@pytest.mark.parametrize("path", [path for path in FILES if not read(path).as_written], ids=name)
@pytest.mark.parametrize("octets", [1, 7])
def test_in_small_segments(path: Path, octets: int) -> None:
    """conformance: 1939-S-09"""
    play(path, SessionStage(octets), MAILDROPS)
