"""Parameters of a query: `:name` as people write it, and as PostgreSQL wants it.

Only the text that the configuration holds is looked at, once. Values never become part of it. What
stands in strings, quoted names and comments is no parameter, and neither is a cast (`::text`).
"""

import re
from collections.abc import Callable

PARAMETERS = ("name", "local", "domain")
"""In the order in which PostgreSQL numbers them."""

_PIECES = re.compile(
    r"""
    [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | (\$(?:[A-Za-z_]\w*)?\$).*?\1
    | --[^\n]* | /\*.*?\*/
    | ::
    | :(?P<named>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def values(name: str) -> dict[str, str]:
    """Return the parameters of a prepared name."""
    local, at, domain = name.rpartition("@")
    return {"name": name, "local": local if at else name, "domain": domain if at else ""}


def named(query: str) -> set[str]:
    """Return the names of the parameters in a query."""
    found: set[str] = set()

    def note(parameter: str) -> str:
        found.add(parameter)
        return ""

    _replaced(query, note)
    return found


def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a query with `$1` and so on, and which parameters these are."""
    used = tuple(each for each in PARAMETERS if each in named(query))
    return _replaced(query, lambda parameter: f"${used.index(parameter) + 1}"), used


def _replaced(query: str, replace: Callable[[str], str]) -> str:
    def piece(match: re.Match[str]) -> str:
        parameter = match["named"]
        return match[0] if parameter is None else replace(parameter)

    return _PIECES.sub(piece, query)
