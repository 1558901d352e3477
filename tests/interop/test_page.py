"""The page on interop tells what these tests say of themselves."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

GENERATOR = Path(__file__).parents[2] / "docs" / "generate_interop.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The generator of the page, which is a script."""
    spec = importlib.util.spec_from_file_location("generate_interop", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(**changed: object) -> dict[str, object]:
    return {
        "peer": "client",
        "role": "client",
        "test": "test_one",
        "variant": "",
        "shows": "One thing.",
        "departures": [],
    } | changed


def recorded(*rows: dict[str, object], version: str = "1.0") -> dict[str, object]:
    return {"rows": rows, "versions": {"client": version}, "made": ["empty"], "missing": []}


def test_the_page_is_true(generator: ModuleType) -> None:
    assert generator.is_true(), "run: python docs/generate_interop.py"


def test_versions_alone_make_no_difference(generator: ModuleType) -> None:
    pages = [generator.render(recorded(row(), version=version)) for version in ("1.0", "2.0-3")]
    assert pages[0] != pages[1]
    assert generator.without_versions(pages[0]) == generator.without_versions(pages[1])


@pytest.mark.parametrize(
    "changed",
    [
        {"shows": "Another thing."},
        {"departures": ["It does otherwise."]},
        {"role": "oracle"},
        {"variant": "STLS"},
    ],
)
def test_every_other_change_does(generator: ModuleType, changed: dict[str, object]) -> None:
    pages = [generator.render(recorded(said)) for said in (row(), row(**changed))]
    assert generator.without_versions(pages[0]) != generator.without_versions(pages[1])


def test_variants_stand_together(generator: ModuleType) -> None:
    variants = ("in clear-user", "in clear-plain", "STLS-user", "STLS-plain")
    page = generator.render(recorded(*(row(variant=variant) for variant in variants)))
    assert "* One thing. *(in clear, STLS; user, plain)*\n" in page
    assert "| client | client | 1.0 | 4 | none |" in page
