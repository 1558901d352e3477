"""Findings: what is wrong with a configuration, each with its file, line, key and a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path as FilePath

from restante.config.positions import Path, Positions
from restante.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that keeps a configuration from being honoured."""

    path: Path
    sentence: str
    suggestion: str | None = None


class Findings:
    """What is found in one file, all of it before anybody is told."""

    def __init__(self, file: FilePath, positions: Positions) -> None:
        self._file = file
        self._positions = positions
        self._all: list[Finding] = []

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, path: Path, sentence: str, suggestion: str | None = None) -> None:
        """Take in one finding."""
        self._all.append(Finding(path, sentence, suggestion))

    def about(self, path: Path) -> bool:
        """Tell whether there is one about this key already."""
        return any(finding.path[: len(path)] == path for finding in self._all)

    def lines(self) -> list[str]:
        """Return them as one line each, in the order of the file."""
        placed = [(self._positions.line(finding.path), finding) for finding in self._all]
        placed.sort(key=lambda item: item[0] or 0)
        return [_render(self._file, line, finding) for line, finding in placed]

    def raise_any(self) -> None:
        """Say everything that was found.

        Raises:
            ConfigurationError: there was anything.
        """
        if self._all:
            raise ConfigurationError("\n".join(self.lines()))


def _render(file: FilePath, line: int | None, finding: Finding) -> str:
    place = f"{file}:{line}" if line is not None else str(file)
    key = f"{dotted(finding.path)}: " if finding.path else ""
    suggestion = f' (did you mean "{finding.suggestion}"?)' if finding.suggestion else ""
    return f"{place}: {key}{finding.sentence}{suggestion}"


def dotted(path: Path) -> str:
    """Return a path as it is written to people: `auth.source[0].type`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_printable(part)}"
    return text.removeprefix(".")


def _printable(key: str) -> str:
    return key if key.replace("-", "_").isidentifier() else ascii(key)


def undotted(text: str) -> Path:
    """Return the path that `dotted` writes like this."""
    path: list[str | int] = []
    for part in text.replace("[", ".[").split("."):
        inner = part.removeprefix("[").removesuffix("]")
        path.append(int(inner) if part.startswith("[") and inner.isdecimal() else part)
    return tuple(path)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that somebody may have meant."""
    known = list(known)
    # Letters in the wrong case are the nearest slip of all, whatever the ratio says.
    for candidate in known:
        if candidate.lower() == word.lower().replace("-", "_"):
            return candidate
    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None
