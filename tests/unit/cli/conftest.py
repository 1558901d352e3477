"""The command line in this process: arguments and input in, status and output out."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from restante.cli.program import run

CONFIGURATION = """\
state_directory = "state"

[[listener]]
address = "127.0.0.1:0"
tls = "none"

[auth]
cleartext = "loopback"

[auth.hashing]
memory_kib = 8
passes = 1

[mail]
path = "mail/{name}"
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    data: bytes
    err: str

    @property
    def out(self) -> str:
        """What was printed, as text."""
        return self.data.decode()


Command = Callable[..., Outcome]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A configuration file in a folder of its own."""
    file = tmp_path / "restante.toml"
    file.write_text(CONFIGURATION)
    return file


@pytest.fixture
def command(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Command:
    """What carries out a command."""

    def carry_out(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = run([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return Outcome(status, out, err.decode())

    return carry_out
