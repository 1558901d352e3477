"""Explaining: what each setting takes, what it is by default, what it means.

All of it comes from the option types; the reference page is this text in another form.
"""

from restante.config.effective import scalar
from restante.config.findings import nearest
from restante.config.shape import ROOT, Setting, Table, meaning_of
from restante.config.values import in_words

PAGE_HEAD = """\
# Configuration

One file in TOML, by default `/etc/restante/restante.toml`. Relative paths in it count from the
folder of the file. `restante config check` tells everything that is wrong with a file, with its
lines; `restante config show` tells what is in force; `restante config explain KEY` tells what
stands below. A key that is not known is an error, never ignored.

This page is made from the settings themselves: `restante config explain --markdown`.
"""


def explain(key: str | None) -> str:
    """Return what there is to say about a setting, a table, or all of them.

    Raises:
        KeyError: there is no such key; the words say what may have been meant.
    """
    if key is None:
        return "\n".join(_table_text(table) for table in ROOT.walk())
    wanted = _without_places(key)
    for table in ROOT.walk():
        if table.name == wanted and wanted:
            return "\n".join(_table_text(inner) for inner in table.walk())
        for name, setting in table.settings().items():
            if _full(table, name) == wanted:
                return _setting_text(table, setting)
    known = [table.name for table in ROOT.walk()]
    known += [_full(table, name) for table in ROOT.walk() for name in table.settings()]
    last = {name.rpartition(".")[2]: name for name in known}
    meant = nearest(wanted, known) or last.get(nearest(wanted, last) or "")
    raise KeyError(
        f"there is no setting {key!r}" + (f' (did you mean "{meant}"?)' if meant else "")
    )


def _without_places(key: str) -> str:
    return ".".join(part.partition("[")[0] for part in key.split("."))


def _full(table: Table, key: str) -> str:
    return f"{table.name}.{key}" if table.name else key


def header(table: Table) -> str:
    """Return the line that begins a table in the file."""
    return f"[[{table.name}]]" if table.repeated else f"[{table.name}]"


def _default(setting: Setting) -> str:
    if setting.default_in_words:
        return setting.default_in_words
    if setting.required:
        return "has to be set"
    return "not set" if setting.default is None else scalar(_plain(setting.default))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | float) else str(value)


def _setting_text(table: Table, setting: Setting) -> str:
    return (
        f"{_full(table, setting.key)}\n"
        f"    {in_words(setting.kind)}; default: {_default(setting)}\n"
        f"    {meaning_of(table, setting)}\n"
    )


def _table_text(table: Table) -> str:
    head = f"{header(table)}\n    {table.meaning}\n\n" if table.name else ""
    return head + "\n".join(_setting_text(table, each) for each in table.settings().values())


def to_markdown() -> str:
    """Return the reference page."""
    return PAGE_HEAD + "".join(_table_markdown(table) for table in ROOT.walk())


def _table_markdown(table: Table) -> str:
    title = f"`{header(table)}`" if table.name else "At the top of the file"
    rows = "".join(
        f"| `{key}` | {_cell(in_words(setting.kind))} | {_default_cell(setting)} "
        f"| {_cell(meaning_of(table, setting))} |\n"
        for key, setting in table.settings().items()
    )
    return (
        f"\n## {title}\n\n{table.meaning}\n\n"
        f"| key | takes | default | meaning |\n|---|---|---|---|\n{rows}"
    )


def _default_cell(setting: Setting) -> str:
    in_code = not setting.required and not setting.default_in_words and setting.default is not None
    return f"`{_default(setting)}`" if in_code else _default(setting)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
