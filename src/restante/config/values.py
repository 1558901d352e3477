"""Values: from what TOML holds to what a field of an option type takes, or a sentence why not."""

import datetime
import math
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from restante.config.findings import nearest


class Unfit(Exception):
    """A value that a setting cannot take."""

    def __init__(self, sentence: str, suggestion: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.suggestion = suggestion


def fit(kind: Any, value: object, folder: Path) -> object:
    """Return a value as the type `kind` wants it; paths count from `folder`.

    Raises:
        Unfit: it is of another type, or not one of the values there are.
    """
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        (kind,) = [inner for inner in get_args(kind) if inner is not NoneType]
        return fit(kind, value, folder)
    if origin is Literal:
        return _fit_choice(get_args(kind), value)
    if origin is tuple:
        return _fit_list(get_args(kind)[0], value, folder)
    return _fit_plain(kind, value, folder)


def _fit_choice(choices: tuple[str, ...], value: object) -> str:
    if isinstance(value, str) and value in choices:
        return value
    known = ", ".join(f'"{choice}"' for choice in choices)
    if not isinstance(value, str):
        raise Unfit(f"must be one of {known}, not {name_of(value)}")
    raise Unfit(
        f"{quoted(value)} is not supported by this version; it knows {known}",
        nearest(value, choices),
    )


def _fit_list(kind: Any, value: object, folder: Path) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise Unfit(f"must be a list, not {name_of(value)}")
    fitted = tuple(fit(kind, inner, folder) for inner in value)
    for number, inner in enumerate(fitted):
        if inner in fitted[:number]:
            raise Unfit(f"names {quoted(str(inner))} twice")
    return fitted


def _fit_plain(kind: Any, value: object, folder: Path) -> object:
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise Unfit("must be a finite number")
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 1 << 63:
            raise Unfit("is larger than any number that is useful here")
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind in (str, Path) and isinstance(value, str):
        if not value.isprintable():
            raise Unfit("must not hold control characters")
        return value if kind is str else _fit_path(value, folder)
    raise Unfit(f"must be {in_words(kind)}, not {name_of(value)}")


def _fit_path(value: str, folder: Path) -> Path:
    if not value:
        raise Unfit("must not be empty")
    return folder / value


def in_words(kind: Any) -> str:
    """Return how people are told what a setting takes."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        (kind,) = [inner for inner in get_args(kind) if inner is not NoneType]
        return in_words(kind)
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(kind))
    if origin is tuple:
        inner = get_args(kind)[0]
        of = in_words(inner) if get_origin(inner) is Literal else "strings"
        return f"a list of {of}"
    words: dict[object, str] = {
        str: "a string",
        Path: "a path",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
    }
    return words[kind]


def name_of(value: object) -> str:
    """Return what a value of a TOML file is called."""
    if isinstance(value, bool):
        return "true" if value else "false"
    names: list[tuple[type | tuple[type, ...], str]] = [
        (str, "a string"),
        (int, "a whole number"),
        (float, "a number with a fraction"),
        (list, "a list"),
        (dict, "a table"),
        ((datetime.date, datetime.time), "a date or time"),
    ]
    return next(name for kind, name in names if isinstance(value, kind))


def quoted(text: str) -> str:
    """Return a text from the file, fit for one line of a terminal."""
    shown = text if len(text) <= 60 else text[:60] + "…"
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown) + '"'
