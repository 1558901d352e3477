"""What the demo prints can be typed anywhere."""

import sys
from pathlib import Path

import pytest

from restante.cli import demo


def test_the_program_is_named_from_any_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`make demo` calls it by a path that means something in the clone alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [".venv/bin/restante", "demo"])
    assert demo._program() == f"{tmp_path}/.venv/bin/restante"


def test_the_program_on_the_path_is_named_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "restante"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(program), "demo"])
    assert demo._program() == "restante"


def test_the_module_is_called_by_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/restante/__main__.py", "demo"])
    monkeypatch.setattr(sys, "executable", "/a folder/python")
    assert demo._program() == "'/a folder/python' -m restante"
