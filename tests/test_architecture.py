"""Dependencies point one way: every import of the project stands in one table.

DESIGN's table is repeated here as data; a package that is not in it may import nothing of ours.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "restante"

EVERYBODY = {"errors", "secret"}

MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "__main__": {"cli"},
    "errors": set(),
    "secret": set(),
    "identity": set(),
    "maildrop": {"identity"},
    "telemetry": {"identity"},
    "protocol": set(),
    "sasl": {"identity"},
    "stores": {"maildrop", "identity", "telemetry"},
    "auth": {"identity", "sasl", "telemetry"},
    "delivery": {"maildrop", "identity", "telemetry"},
    "server": {"protocol", "sasl", "maildrop", "identity", "telemetry"},
    "examine": set(),
    "config": {
        "server.options",
        "auth.options",
        "auth.oauth2.options",
        "auth.sql.options",
        "stores.options",
    },
    "admin": {"server.registry"},
    "cli": {"assembly", "config", "admin", "collect", "examine"},
    "testing": {
        "protocol",
        "sasl",
        "server",
        "client",
        "maildrop",
        "identity",
        "telemetry",
        "stores.memory",
        "stores.failing",
        "auth.inprocess",
        "auth.options",
        "auth.sources",
        "auth.asking",
    },
}
"""What a package may import besides itself; `assembly` may import everything."""

SANS_IO = {"protocol", "sasl"}
NOT_SANS_IO = {"asyncio", "socket", "ssl", "time", "random", "os", "logging", "selectors", "select"}
NO_LOOP = {"maildrop", "identity", "telemetry"}

STORES_APART = {"maildir", "memory", "failing"}

THIRD_PARTY = {
    "asyncpg": ("asyncpg", {"auth.sql.postgresql"}),
    "argon2-cffi": ("argon2", {"auth.hashes"}),
    "click": ("click", {"cli"}),
    "cryptography": (
        "cryptography",
        {"server.certificates", "cli.demo_certificate", "auth.devices.key", "auth.certificates"},
    ),
    "h11": ("h11", {"auth.oauth2.http"}),
    "joserfc": ("joserfc", {"auth.oauth2.keys", "auth.oauth2.jwt"}),
    "uvloop": ("uvloop", {"auth.process", "server.worker"}),
}
"""What comes from others: its name in Python, and the modules or packages that may import it."""


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module below `restante`, dotted, with its file."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = list(path.relative_to(SOURCE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        yield ".".join(parts), path


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every imported module with its line, `from x import y` as both x and x.y."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            yield node.module, node.lineno
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def package(module: str) -> str:
    return module.split(".")[0]


def is_allowed(importer: str, imported: str) -> bool:
    home, target = package(importer), package(imported)
    if home == "assembly" or home == target:
        return True
    allowed = MAY_IMPORT[home] | (set() if home == "examine" else EVERYBODY)
    return any(imported == name or imported.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_imports_stand_in_the_table(module: str, path: Path) -> None:
    known = {name for name, _ in modules()}
    for imported, line in imports(path):
        if package(imported) == "restante":
            inner = imported.removeprefix("restante").removeprefix(".")
            # `from restante.server import options` names a module; `import X` of a class does not.
            if inner in known and inner and not _parent_allowed(inner, known, module):
                assert is_allowed(module, inner), f"{path}:{line}: {module} imports {inner}"


def _parent_allowed(inner: str, known: set[str], module: str) -> bool:
    """A bare package named on the way to an allowed leaf is not an import of the package."""
    allowed = MAY_IMPORT.get(package(module), set())
    return inner in known and any(name.startswith(inner + ".") for name in allowed)


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_sans_io_stays_without_io(module: str, path: Path) -> None:
    if package(module) not in SANS_IO:
        return
    found = {imported for imported, _ in imports(path) if package(imported) in NOT_SANS_IO}
    assert not found, f"{module} imports {found}"


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_contracts_know_no_event_loop(module: str, path: Path) -> None:
    if package(module) in NO_LOOP:
        assert "asyncio" not in {imported for imported, _ in imports(path)}


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_what_comes_from_others_is_imported_where_it_is_needed(module: str, path: Path) -> None:
    leaves = dict(THIRD_PARTY.values())
    for imported, line in imports(path):
        name = package(imported)
        if name not in sys.stdlib_module_names and name not in ("restante", "_typeshed"):
            assert {module, package(module)} & leaves.get(name, set()), f"{path}:{line}: {name}"


def test_what_is_depended_on_is_imported() -> None:
    project = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    wanted = [*project["dependencies"], *(each for extra in extras for each in extra)]
    names = {re.split(r"[<>=;! ]", requirement)[0] for requirement in wanted}
    assert names == set(THIRD_PARTY)


def test_stores_do_not_know_each_other() -> None:
    for module, path in modules():
        parts = module.split(".")
        if parts[0] == "stores" and len(parts) > 1 and parts[1] in STORES_APART:
            others = STORES_APART - {parts[1]}
            for imported, line in imports(path):
                named = imported.split(".")[2:3]
                if imported.startswith("restante.stores.") and named:
                    assert named[0] not in others, f"{path}:{line}"


def test_nothing_crosses_a_process_by_pickle() -> None:
    """Unpickling what another process sent would run its code (threats 2.6)."""
    for module, path in modules():
        found = {imported for imported, _ in imports(path)} & {"pickle", "marshal", "shelve"}
        assert not found, f"{module} imports {found}"
        # multiprocessing.shared_memory and the like would do; its pipes and queues unpickle.
        assert not [name for name, _ in imports(path) if package(name) == "multiprocessing"], module
