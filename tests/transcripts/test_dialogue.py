"""The player of dialogues: it must notice what is wrong."""

from pathlib import Path

import pytest

from transcripts.dialogue import octets, play, read
from transcripts.maildrops import MAILDROPS
from transcripts.session_stage import SessionStage

GOOD = """# A login.
account: alice secret M2

S: +OK POP3 server ready
C: USER alice
C: PASS secret
S~ \\+OK .*
S~ \\+OK .*
C: UIDL 2
S: +OK 2 {uid 2}
C: CAPA
S* +OK
C: QUIT
S: +OK goodbye
= closed
= maildrop alice 1 2
"""


def played(text: str, folder: Path) -> None:
    path = folder / "dialogue.pop3"
    path.write_text(text)
    play(path, SessionStage(0), MAILDROPS)


def test_a_dialogue_that_is_true(tmp_path: Path) -> None:
    played(GOOD, tmp_path)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("S: +OK POP3 server ready", "S: +OK POP3 Server ready"),
        ("S~ \\+OK .*\nC: UIDL", "C: UIDL"),
        ("{uid 2}", "{uid 1}"),
        ("S* +OK", "S* +ERR"),
        ("S* +OK\n", "S* +OK\nS: +OK\n"),
        ("PASS secret", "PASS wrong"),
        ("= closed", "= eof\nS: +OK"),
        ("C: QUIT\nS: +OK goodbye\n", ""),
        ("alice 1 2", "alice 1"),
        ("C: QUIT\n", "C: QUIT\nC: NOOP\nS: +OK goodbye\n"),
        ("= closed", "= exploded"),
    ],
)
def test_a_dialogue_that_is_not(true: str, false: str, tmp_path: Path) -> None:
    assert true in GOOD
    with pytest.raises(AssertionError, match=r"^line \d+: "):
        played(GOOD.replace(true, false, 1), tmp_path)


@pytest.mark.parametrize("line", ["C NOOP", "colour: red", "only: sockets", "S:+OK"])
def test_a_line_that_is_none(line: str, tmp_path: Path) -> None:
    path = tmp_path / "dialogue.pop3"
    path.write_text(line)
    with pytest.raises(ValueError, match=r"no such setting|neither"):
        read(path)


def test_octets() -> None:
    assert octets("a\\r\\n\\t\\0\\\\n\\xff{ab*3}{.*3}") == b"a\r\n\t\0\\n\xff{ab*3}..."
