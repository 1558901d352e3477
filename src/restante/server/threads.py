"""Threads: where a worker waits for disks.

Few threads do for what goes on as it should. One that has waited for longer than a moment does not
count among them any more, and another takes its place, up to a bound. Maildrops that would hang
together are in one place, and a place never gets more than half of the threads that the others
leave: a disk that hangs takes its share, however many sessions it has, and the next one half of
the rest. What finds no thread stands in line, and not without end: it is refused for now.
"""

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from restante.errors import TemporaryFailure

_T = TypeVar("_T")

LIVELY = 16
"""Threads at work at once: more would only take the interpreter from each other."""
MOMENT_SECONDS = 0.25
"""After which a thread counts as waiting."""
THREADS = 256
"""In all; one that waits takes some tens of KiB."""
PER_ACCOUNT = 2
"""Of one account: its session, and who would like to be the next."""
LINE = 1_000
"""Of one place."""
ACCOUNT_LINE = 20
LINE_SECONDS = 20.0


class Executor(Protocol):
    """What runs the work that may wait for a disk."""

    def submit(
        self, account: str, place: Hashable, work: Callable[[], _T], *, lasting: bool = False
    ) -> "Future[_T]":
        """Run work for the maildrop of an account; see `Threads`."""
        ...


@dataclass(eq=False, slots=True)
class _Work:
    """Something to do, in line or under way."""

    future: "Future[Any]"
    function: Callable[[], Any]
    place: Hashable
    account: str
    lasting: bool
    since: float
    """When it came, then when it began."""

    def run(self) -> None:
        try:
            result = self.function()
        except BaseException as error:  # whoever waits for it has to hear of it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Threads:
    """The threads of one worker, and the lines before them."""

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], object],
        *,
        threads: int = THREADS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call_later = call_later
        """Of the thread that submits."""
        self._threads = threads
        self._clock = clock
        self._changed = threading.Condition()
        """Held for moments only, never while anything runs."""
        self._running: dict[_Work, None] = {}
        self._of_place: Counter[Hashable] = Counter()
        self._of_account: Counter[str] = Counter()
        self._lines: OrderedDict[Hashable, OrderedDict[str, deque[_Work]]] = OrderedDict()
        self._idle: list[SimpleQueue[_Work | None]] = []
        self._looking = False
        self._closed = False

    def submit(
        self, account: str, place: Hashable, work: Callable[[], _T], *, lasting: bool = False
    ) -> "Future[_T]":
        """Run work for the maildrop of an account, as soon as there is a thread for it.

        `place` is what it has in common with maildrops that would hang together with it.
        `lasting` work is waited for at the shutdown, however long it takes. If there is no thread
        for it in time, the future raises a TemporaryFailure and nothing was run.
        """
        future: Future[_T] = Future()
        made = _Work(future, work, place, account, lasting, self._clock())
        with self._changed:
            in_line = not self._closed and self._stand_in_line(made)
            begun = self._begin_some()
        if not in_line:
            future.set_exception(TemporaryFailure(reason="too many wait for this disk"))
        self._start(begun)
        self._look_again()
        return future

    def shutdown(self, patience_seconds: float = 0.0) -> None:
        """Take no more work and end when what is lasting has ended.

        Anything else is waited for with patience, and left behind then.
        """
        deadline = time.monotonic() + patience_seconds
        with self._changed:
            self._closed = True
            while self._is_busy(lasting=True):
                self._changed.wait()
            while self._is_busy() and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def _is_busy(self, *, lasting: bool = False) -> bool:
        return any(work.lasting or not lasting for work in (*self._running, *self._waiting()))

    # ---- the lines

    def _stand_in_line(self, work: _Work) -> bool:
        """Put work in line; False: that is too long."""
        line = self._lines.get(work.place)
        if line is not None:
            of_account = line.get(work.account, ())
            if len(of_account) >= ACCOUNT_LINE or sum(map(len, line.values())) >= LINE:
                return False
        else:
            line = self._lines[work.place] = OrderedDict()
        line.setdefault(work.account, deque()).append(work)
        return True

    def _waiting(self) -> Iterator[_Work]:
        for line in self._lines.values():
            for of_account in line.values():
                yield from of_account

    def _look(self) -> None:
        """Refuse what has waited too long, and begin what threads that wait keep from beginning."""
        now = self._clock()
        with self._changed:
            self._looking = False
            overdue = self._leave_line(now - LINE_SECONDS)
            begun = self._begin_some()
            if overdue:
                self._changed.notify_all()
        for work in overdue:
            work.future.set_exception(TemporaryFailure(reason="this disk keeps others waiting"))
        self._start(begun)
        self._look_again()

    def _leave_line(self, before: float) -> list[_Work]:
        """Take out of the lines what came before a time, and what nobody wants any more."""
        overdue: list[_Work] = []
        for place, line in list(self._lines.items()):
            for account, waiting in list(line.items()):
                kept: deque[_Work] = deque()
                for work in waiting:
                    if work.future.cancelled():
                        continue
                    if work.since > before:
                        kept.append(work)
                    elif work.future.set_running_or_notify_cancel():
                        overdue.append(work)
                self._keep_line(place, account, kept)
        return overdue

    def _keep_line(self, place: Hashable, account: str, waiting: deque[_Work]) -> None:
        line = self._lines[place]
        if waiting:
            line[account] = waiting
            return
        del line[account]
        if not line:
            del self._lines[place]

    # ---- beginning

    def _begin_some(self) -> list[_Work]:
        """Take out of the lines what can begin now, each place and account in its turn."""
        begun: list[_Work] = []
        while self._lines and self._has_room():
            turn = self._turn()
            if turn is None:
                break
            work = self._take(*turn)
            if work.future.set_running_or_notify_cancel():
                work.since = self._clock()
                self._running[work] = None
                self._of_place[work.place] += 1
                self._of_account[work.account] += 1
                begun.append(work)
        return begun

    def _look_again(self) -> None:
        """Look at the lines in a moment, if there are any: in the thread that submits alone."""
        with self._changed:
            if not self._lines or self._looking:
                return
            self._looking = True
        self._call_later(MOMENT_SECONDS, self._look)

    def _has_room(self) -> bool:
        running = len(self._running)
        if running >= self._threads:
            return False
        if running < LIVELY:
            return True
        recent = self._clock() - MOMENT_SECONDS
        return sum(work.since > recent for work in self._running) < LIVELY

    def _turn(self) -> tuple[Hashable, str] | None:
        """Return place and account whose turn it is; None: whoever is in line has its share."""
        for place, line in self._lines.items():
            left = self._threads - len(self._running) + self._of_place[place]
            if self._of_place[place] >= max(left // 2, 1):
                continue
            for account in line:
                if self._of_account[account] < PER_ACCOUNT:
                    return place, account
        return None

    def _take(self, place: Hashable, account: str) -> _Work:
        """Take the first of a line, which goes behind the others."""
        line = self._lines[place]
        waiting = line[account]
        work = waiting.popleft()
        line.move_to_end(account)
        self._lines.move_to_end(place)
        self._keep_line(place, account, waiting)
        return work

    def _start(self, begun: list[_Work]) -> None:
        for work in begun:
            try:
                inbox = self._idle.pop()
            except IndexError:
                self._start_thread(work)
            else:
                inbox.put(work)

    def _start_thread(self, work: _Work) -> None:
        thread = threading.Thread(target=self._live, args=(work,), name="disk", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            with self._changed:
                self._end(work)
            work.future.set_exception(TemporaryFailure(reason=str(error)))

    # ---- a thread

    def _live(self, work: _Work | None) -> None:
        inbox: SimpleQueue[_Work | None] = SimpleQueue()
        while work is not None:
            work.run()
            with self._changed:
                self._end(work)
                begun = self._begin_some()
                work = begun.pop() if begun else None
                is_idle = work is None and len(self._idle) < LIVELY and not self._closed
                if is_idle:
                    self._idle.append(inbox)
            self._start(begun)
            del begun
            if is_idle:
                work = inbox.get()

    def _end(self, work: _Work) -> None:
        del self._running[work]
        # What is counted no more is forgotten: Counter keeps a nought.
        self._of_place -= Counter([work.place])
        self._of_account -= Counter([work.account])
        if self._closed:
            self._changed.notify_all()
