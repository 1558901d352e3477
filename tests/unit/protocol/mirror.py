"""Every module of the sans-IO core is covered, branch by branch, by its own test file alone.

    python tests/unit/protocol/mirror.py

One run of pytest, recorded with the test that ran each branch; then each module is reported
against the tests of the file that mirrors it, and what its import ran. Fails where anything is
missing. A package's `__init__` holds names only and may be covered by anybody.
"""

import io
import re
import sys
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("protocol", "sasl")


def main() -> int:
    """Run the tests and return the exit status."""
    measured = coverage.Coverage(
        data_file=None, branch=True, source=[f"restante.{package}" for package in PACKAGES]
    )
    measured.set_option("run:dynamic_context", "test_function")
    measured.set_option("run:parallel", False)
    measured.start()
    tests = [str(ROOT / "tests" / "unit" / package) for package in PACKAGES]
    status = int(pytest.main(["-q", "-p", "no:xdist", *sys.argv[1:], *tests]))
    measured.stop()
    lacking = [module for package in PACKAGES for module in _lacking(measured, package)]
    print(f"not covered by its own tests: {', '.join(lacking)}" if lacking else "all covered")
    return status or bool(lacking)


def _lacking(measured: coverage.Coverage, package: str) -> list[str]:
    names = []
    source = ROOT / "src" / "restante" / package
    for path in sorted(source.rglob("*.py")):
        module = ".".join([package, *path.relative_to(source).with_suffix("").parts])
        table = io.StringIO()
        if (
            measured.report(
                include=[str(path)], contexts=_contexts(module), show_missing=True, file=table
            )
            < 100
        ):
            names.append(module)
            print(table.getvalue())
    return names


def _contexts(module: str) -> list[str] | None:
    """Return the tests that have to cover a module, as patterns; None: all of them."""
    folder, _, name = module.rpartition(".")
    if name == "__init__":
        return None
    return [rf"^(tests\.)?unit\.{re.escape(folder)}\.test_{name}\.", "^$"]


if __name__ == "__main__":
    sys.exit(main())
