"""One run of another program: what it is given on descriptor 3, what it writes, how it ends.

There is no shell, nothing of our environment and no descriptor of ours. The program has a process
group of its own, which is killed when its run is over, however it ends: nothing it has started
outlives it, as long as it stays in the group.
"""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from restante.errors import TemporaryFailure

MAXIMUM_OUTPUT_OCTETS = 65_536
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
_SIGNALS = [each for each in signal.valid_signals() if each not in (signal.SIGKILL, signal.SIGSTOP)]


class Child:
    """A program that runs."""

    def __init__(
        self,
        arguments: Sequence[str],
        given: bytes,
        environment: Mapping[str, str] = ENVIRONMENT,
    ) -> None:
        """Begin; `given` has to fit into a pipe.

        Raises:
            OSError: it cannot be started.
        """
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self.output = bytearray()
        self._out, write_end = os.pipe()
        os.set_blocking(self._out, False)
        try:
            self.pid = _spawn(arguments, given, write_end, environment)
            self._process = os.pidfd_open(self.pid)
        except BaseException:
            os.close(self._out)
            raise
        finally:
            os.close(write_end)
        self._loop.add_reader(self._process, self._end)
        self._loop.add_reader(self._out, self._read)

    async def ended(self) -> int:
        """Return its exit status, negative for a signal; cancelling the call kills it.

        Raises:
            TemporaryFailure: it has written too much.
        """
        try:
            await asyncio.wait([self._ended])
        finally:
            self.kill()
        if len(self.output) > MAXIMUM_OUTPUT_OCTETS:
            raise TemporaryFailure(reason="too much output")
        status: int = self._ended.result()
        return status

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and nothing is left of it."""
        return self._ended.done()

    def kill(self) -> None:
        """Kill it and whatever is in its group; `is_over` comes later."""
        if not self.is_over:
            # Whoever becomes somebody else cannot be killed by us any more.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _read(self) -> None:
        try:
            octets = os.read(self._out, MAXIMUM_OUTPUT_OCTETS)
        except BlockingIOError:
            return
        self.output += octets
        if len(self.output) > MAXIMUM_OUTPUT_OCTETS:
            self.kill()
        if not octets or len(self.output) > MAXIMUM_OUTPUT_OCTETS:
            self._loop.remove_reader(self._out)

    def _end(self) -> None:
        """Take in what is left, and the rest of its group away."""
        # It is not reaped yet, so that the number cannot be anybody else's.
        self.kill()
        self._loop.remove_reader(self._process)
        self._loop.remove_reader(self._out)
        with suppress(BlockingIOError):
            self.output += os.read(self._out, MAXIMUM_OUTPUT_OCTETS)
        os.close(self._process)
        os.close(self._out)
        _, status = os.waitpid(self.pid, 0)
        self._ended.set_result(os.waitstatus_to_exitcode(status))


def _spawn(
    arguments: Sequence[str], given: bytes, output: int, environment: Mapping[str, str]
) -> int:
    read_end, write_end = os.pipe()
    try:
        # Before it starts: a pipe holds more than this, and nobody has to wait.
        os.write(write_end, given)
        os.close(write_end)
        return os.posix_spawn(
            arguments[0],
            list(arguments),
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                # First this one: its number may be 3.
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, read_end, 3),
                *((os.POSIX_SPAWN_CLOSE, each) for each in _inherited()),
            ],
            setpgroup=0,
            setsigmask=(),
            setsigdef=_SIGNALS,
        )
    finally:
        os.close(read_end)


def _inherited() -> Iterator[int]:
    """Yield what whoever started us has left open for every program after us."""
    for each in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):
            if each > 3 and os.get_inheritable(each):
                yield each
