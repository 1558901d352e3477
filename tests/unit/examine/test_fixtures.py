"""The fixtures are what their names say, on the wire as in the store."""

from __future__ import annotations

import pytest

from restante.examine.fixtures import (
    BARE_CR,
    BOUNDARIES,
    EVERY_SHAPE,
    HEADER_ONLY,
    M2,
    NO_NEWLINE,
    NUL_INSIDE,
    STORED_CRLF,
    STORED_LF,
    TEN_LINES,
    Fixture,
)


def test_two_messages_have_the_sizes_the_cases_expect() -> None:
    assert [fixture.size for fixture in M2] == [120, 200]


@pytest.mark.parametrize("fixture", EVERY_SHAPE, ids=lambda fixture: fixture.name)
def test_every_line_ends_in_crlf_on_the_wire(fixture: Fixture) -> None:
    assert fixture.wire.endswith(b"\r\n")
    assert b"\n" not in fixture.wire.replace(b"\r\n", b"")
    assert b"\r\r\n" not in fixture.wire


def test_what_is_odd_survives() -> None:
    assert NO_NEWLINE.size == len(NO_NEWLINE.stored) + NO_NEWLINE.stored.count(b"\n") + 2
    assert STORED_CRLF.wire == STORED_CRLF.stored
    assert STORED_LF.size == len(STORED_LF.stored) + STORED_LF.stored.count(b"\n")
    assert b"\0" in NUL_INSIDE.wire
    assert b"before\rafter" in BARE_CR.wire


def test_top_counts_body_lines() -> None:
    assert TEN_LINES.top(0).endswith(b"\r\n\r\n")
    assert TEN_LINES.top(2).endswith(b"\r\n\r\nline 1\r\nline 2\r\n")
    assert TEN_LINES.top(99) == TEN_LINES.wire
    assert HEADER_ONLY.top(0) == HEADER_ONLY.wire


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_line_begins_with_a_dot_at_every_offset_of_a_boundary(ending: bytes) -> None:
    shapes = [f for f in BOUNDARIES if f.stored.endswith(b"." + ending)]
    shapes = [f for f in shapes if f.stored.endswith(b"\r\n") == (ending == b"\r\n")]
    for boundary in (4096, 8192, 65536, 131072):
        found = {boundary - fixture.wire.rfind(b"\r\n.", 0, boundary + 3) for fixture in shapes}
        assert found >= {0, 1, 2}
