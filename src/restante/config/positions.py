"""Lines of keys: where in a TOML text each table and key stands.

The standard library's parser says where a text is wrong, but not where a value came from. This
scanner goes over a text which that parser has accepted, so it only has to find keys and to step
over values; it never judges.
"""

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Keys from the root down, and places in lists from 0."""

_KEY_PART = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*""")
_VALUE_PIECE = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:[^"\\]|\\.)*"|'
    r"'[^']*'|"
    r"\#[^\n]*|"
    r"[\[\]{}\n]|"
    r"[^\"'\#\[\]{}\n]+",
    re.DOTALL,
)
_BETWEEN = re.compile(r"(?:\s|#[^\n]*)+")


class Positions:
    """The lines of every table and key of one text."""

    def __init__(self, text: str) -> None:
        # TOML knows two line ends; a lone CR is not one.
        self._text = text.replace("\r\n", "\n")
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        for path, offset in self._scan():
            self._lines.setdefault(path, self._text.count("\n", 0, offset) + 1)

    def line(self, path: Path) -> int | None:
        """Return the line of a key, else of the nearest table around it; None: of no one's."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None

    def _scan(self) -> Iterator[tuple[Path, int]]:
        table: Path = ()
        at = 0
        while True:
            between = _BETWEEN.match(self._text, at)
            at = between.end() if between else at
            if at >= len(self._text):
                return
            start = at
            brackets = 2 if self._text.startswith("[[", at) else int(self._text[at] == "[")
            keys, at = self._keys(at + brackets)
            if not keys:
                return
            if brackets:
                table = self._enter(keys, repeated=brackets == 2)
                yield table, start
                if brackets == 2:
                    yield table[:-1], start
                at += brackets
                continue
            for depth in range(1, len(keys) + 1):
                yield table + keys[:depth], start
            at = self._behind_value(at + 1)

    def _keys(self, at: int) -> tuple[tuple[str, ...], int]:
        """Return the parts of a dotted key, and where it ends."""
        parts: list[str] = []
        while match := _KEY_PART.match(self._text, at):
            parts.append(_unquoted(match[1]))
            at = match.end()
            if not self._text.startswith(".", at):
                break
            at += 1
        return tuple(parts), at

    def _enter(self, keys: tuple[str, ...], *, repeated: bool) -> Path:
        """Return the path of a table by its header, with the places in lists of tables."""
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            if repeated and number == len(keys) - 1:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _behind_value(self, at: int) -> int:
        """Return where the line ends on which the value that starts here ends."""
        depth = 0
        while piece := _VALUE_PIECE.match(self._text, at):
            at = piece.end()
            if piece[0] == "\n" and depth == 0:
                break
            depth += (piece[0] in ("[", "{")) - (piece[0] in ("]", "}"))
        return at


def _unquoted(part: str) -> str:
    # Escapes in a key stay as they are: such a key is none of ours, and is looked up by nobody.
    return part[1:-1] if part[0] in "\"'" else part
