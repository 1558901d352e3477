"""Effective values: a configuration as plain values, in the shape of its file."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from restante.config.configuration import Configuration
from restante.config.findings import dotted, nearest, undotted
from restante.config.positions import Path
from restante.config.shape import ROOT, Table

Plain = dict[str, Any]


def effective(configuration: Configuration, *, changed: bool = False) -> Plain:
    """Return every setting with the value it has; `changed`: those that are not the default."""
    server, auth, mail = configuration.server, configuration.auth, configuration.mail
    holders: dict[str, list[tuple[object, ...]]] = {
        "": [(server,)],
        "listener": [(listener,) for listener in server.listeners],
        "tls": [(server.tls,)],
        "tls.additional": [(additional,) for additional in server.tls.additional],
        "auth": [(auth, server.offers)],
        "auth.source": [(source,) for source in auth.sources],
        **{
            f"auth.source.{key}": [
                () if (inner := getattr(source, key)) is None else (inner,)
                for source in auth.sources
            ]
            for key in ("sql", "command", "asking", "oauth2")
        },
        "auth.hashing": [(auth.hashing,)],
        "auth.throttle": [(auth.throttle,)],
        "auth.cache": [(auth.cache,)],
        "mail": [(mail,)],
        "limits": [(server.limits,)],
    }
    return _table(ROOT, holders, 0, changed=changed)


def _table(
    table: Table,
    holders: Mapping[str, list[tuple[object, ...]]],
    number: int,
    *,
    changed: bool,
) -> Plain:
    plain: Plain = {}
    for key, setting in table.settings().items():
        holder = next(each for each in holders[table.name][number] if hasattr(each, key))
        value = getattr(holder, key)
        if value is not None and not (
            changed and not setting.required and value == setting.default
        ):
            plain[key] = _plain(value)
    for inner in table.tables:
        # The one table of an element of a list has its place; it may be missing.
        places = [number] if table.repeated else range(len(holders[inner.name]))
        found = [
            _table(inner, holders, each, changed=changed) if holders[inner.name][each] else {}
            for each in places
        ]
        if inner.repeated:
            if any(found):
                plain[inner.key] = found
        elif found[0]:
            plain[inner.key] = found[0]
    return plain


def _plain(value: object) -> object:
    if isinstance(value, FilePath):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def find(plain: Plain, key: str) -> Any:
    """Return the value of a dotted key, `listener[0].address`.

    Raises:
        KeyError: there is none; the words say what may have been meant.
    """
    value: Any = plain
    for part in undotted(key):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            meant = nearest(key, (dotted(path) for path, _ in _leaves(plain)))
            raise KeyError(f"{key} is not set" + (f' (did you mean "{meant}"?)' if meant else ""))  # noqa: B904
    return value


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path, value


def to_toml(plain: Plain, name: str = "") -> str:
    """Return a table as the text of a configuration file."""
    lines: list[str] = []
    inner: list[tuple[str, Plain]] = []
    for key, value in plain.items():
        full = f"{name}.{key}" if name else key
        if isinstance(value, dict):
            inner.append((f"[{full}]", value))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            inner += [(f"[[{full}]]", each) for each in value]
        else:
            lines.append(f"{key} = {scalar(value)}")
    text = "".join(f"{line}\n" for line in lines)
    for header, table in inner:
        body = to_toml(table, header.strip("[]"))
        text += ("\n" if text else "") + f"{header}\n{body}"
    return text


def scalar(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(scalar(each) for each in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
