"""Vigils: long looks at a server, kept side by side, which several cases are judged by.

A vigil is a generator that yields wherever it has to wait for the next look. All those of a run
move in one thread by the clock of the run, so that they take together what the longest of them
takes. What was seen stays where it is when a vigil ends early: a case is judged by its own part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from restante.examine.outcome import Ended, NotTried
from restante.examine.pace import Pace
from restante.examine.seen import Silence
from restante.examine.stage import Stage

LOOK_SECONDS = 1.0
"""Between two looks; by as much a time that was seen may be too long."""

KEPT_OCTETS = 4096
Watching = Generator[None, None, None]


@dataclass(frozen=True, slots=True)
class Vigil:
    """One long look, for all cases that name it.

    It is kept on the stage of the case that asks for most, of those whose needs can be met, and
    puts what it sees into `stage.seen`.
    """

    name: str
    keep: Callable[[Stage], Watching]


def keep_silent(
    stage: Stage, seconds: float, *, since: float | None = None
) -> Generator[None, None, Silence]:
    """Say nothing for so long, from now or a moment before, or until the server closes."""
    pace = stage.target.pace
    wire = stage.wire
    began = pace.now() if since is None else since
    said = b""
    closed = False
    while not closed and pace.now() - began < seconds:
        yield
        try:
            said = (said + wire.glance())[:KEPT_OCTETS]
        except Ended:
            closed = True
    passed = pace.now() - began
    wire.remark(f"{passed:.0f} seconds in silence" + ", then the server closed" * closed)
    return Silence(passed, closed, said)


def keep_together(watchings: Iterable[Watching], pace: Pace) -> None:
    """Move all of them, look after look, until each has ended or the time of the run is up."""
    under_way = list(watchings)
    try:
        while under_way := [each for each in under_way if _goes_on(each)]:
            pace.pause(LOOK_SECONDS)
    except NotTried as time_is_up:
        for each in under_way:
            with contextlib.suppress(StopIteration):
                each.throw(time_is_up)
    finally:
        for each in under_way:
            each.close()


def _goes_on(watching: Watching) -> bool:
    """Look once, and tell whether there is another look to come."""
    try:
        next(watching)
    except StopIteration:
        return False
    return True
