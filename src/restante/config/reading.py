"""Reading: from a parsed TOML document to option types, with everything found on the way.

A value that cannot stand is taken out and looked past, so that one run tells all there is to
mend; nothing is made of a document with findings.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path as FilePath
from typing import Any, TypeVar, cast

from restante.config.findings import Findings, dotted, nearest
from restante.config.positions import Path
from restante.config.shape import ROOT, Table
from restante.config.values import Unfit, fit, name_of

Options = TypeVar("Options")


@dataclass
class Values:
    """What one table of the document says, as far as it can stand."""

    table: Table
    path: Path
    settings: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, "Values"] = field(default_factory=dict)
    lists: dict[str, "list[Values]"] = field(default_factory=dict)


class Reader:
    """The way from a document to option types, and what is found on it."""

    def __init__(self, findings: Findings, folder: FilePath) -> None:
        self._findings = findings
        self._folder = folder

    def read(self, table: Table, document: Mapping[str, Any], path: Path = ()) -> Values:
        """Take a table of the document apart."""
        values = Values(table, path)
        settings = table.settings()
        for key, value in document.items():
            place = (*path, key)
            if key in settings:
                self._setting(values, key, value)
            elif inner := table.subtable(key):
                self._subtable(values, inner, value)
            else:
                self._findings.add(place, "there is no such setting", _meant(table, key))
        for key, setting in settings.items():
            if setting.required and key not in document:
                self._findings.add((*path, key), "is missing")
        return values

    def _setting(self, values: Values, key: str, value: object) -> None:
        try:
            values.settings[key] = fit(values.table.settings()[key].kind, value, self._folder)
        except Unfit as unfit:
            self._findings.add((*values.path, key), unfit.sentence, unfit.suggestion)

    def _subtable(self, values: Values, table: Table, value: object) -> None:
        place = (*values.path, table.key)
        header = f"[[{table.name}]]" if table.repeated else f"[{table.name}]"
        wanted = list if table.repeated else dict
        elements = value if isinstance(value, list) else []
        if not isinstance(value, wanted) or any(not isinstance(each, dict) for each in elements):
            self._findings.add(place, f"is written as {header}, not as {name_of(value)}")
        elif table.repeated:
            values.lists[table.key] = [
                self.read(table, element, (*place, number))
                for number, element in enumerate(elements)
            ]
        else:
            values.tables[table.key] = self.read(table, cast("dict[str, Any]", value), place)

    def make(self, owner: type[Options], values: Values | None, **given: object) -> Options | None:
        """Make an option type of what a table says; None: there are findings that forbid it."""
        values = values or Values(ROOT, ())
        names = {each.name for each in fields(cast("Any", owner))}
        taken = {key: value for key, value in values.settings.items() if key in names}
        while True:
            try:
                return owner(**taken, **given)
            except TypeError:
                # A required one is missing or was unfit, which has been said.
                return None
            except ValueError as error:
                sentence = str(error)
                key = _blamed(sentence, taken) or _blamed(sentence, values.table.settings())
                self._blame(values, key, sentence, taken)
                if key not in taken:
                    return None
                # Taken out, so that what is wrong with the others is said as well.
                del taken[key]

    def make_all(self, owner: type[Options], values: "list[Values]") -> tuple[Options, ...]:
        """Make one of each table of a list."""
        made = [self.make(owner, each) for each in values]
        return tuple(each for each in made if each is not None)

    def _blame(
        self, values: Values, key: str | None, sentence: str, taken: Mapping[str, Any]
    ) -> None:
        path = values.path if key is None else (*values.path, key)
        if key is not None:
            sentence = re.sub(rf"^{key}(: | (?=is |needs ))", "", sentence)
        unfit = set(values.table.settings()) - set(taken)
        # A rule between two settings is not broken by one whose own value was refused already.
        refused = {key for key in unfit if self._findings.about((*values.path, key))}
        if not any(_names(sentence, key) for key in refused):
            self._findings.add(path, sentence)


def _blamed(sentence: str, keys: Iterable[str]) -> str | None:
    """Return the setting a sentence is about: the one of these that it names first."""
    named = [(sentence.index(key), key) for key in keys if _names(sentence, key)]
    return min(named)[1] if named else None


def _names(sentence: str, key: str) -> bool:
    return re.search(rf"\b{re.escape(key)}\b", sentence) is not None


def _meant(table: Table, key: str) -> str | None:
    """Return the key that may have been meant: one of this table, else one of another."""
    here = [*table.settings(), *(inner.key for inner in table.tables)]
    if found := nearest(key, here):
        return found
    everywhere = {
        setting: dotted((*inner.name.split("."), setting)) if inner.name else setting
        for inner in ROOT.walk()
        for setting in inner.settings()
    }
    found = nearest(key, everywhere)
    return everywhere[found] if found else None
