"""The conformance page: made from the items, the cases and what tests cite, and never stale."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from restante.examine.suite import CASES
from unit.docs.generators import generator as load_generator

ITEM_COUNT = 510
COMMAND = "python docs/generate_conformance.py"
GROUP = """
title = "A group"
default = "open: not yet"
[items]
{items}
[states]
{states}
"""


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return load_generator("generate_conformance")


def group_file(folder: Path, *items: str, states: str = "", name: str = "1.toml") -> Path:
    lines = "\n".join(f'{item} = "must: Something."' for item in items)
    (folder / name).write_text(GROUP.format(items=lines, states=states))
    return folder


def test_the_committed_page_is_what_would_be_written(generator: ModuleType) -> None:
    assert generator.PAGE.read_text() == generator.render(generator.read_groups()), COMMAND


def test_every_id_of_the_list_has_its_row(generator: ModuleType) -> None:
    rows = [item for group in generator.read_groups() for item in group.items]
    assert len(rows) == len({item.id for item in rows}) == ITEM_COUNT


def test_an_item_is_tested_when_a_case_or_a_test_names_it(generator: ModuleType) -> None:
    states = {item.id: item for group in generator.read_groups() for item in group.items}
    assert states["1939-S-67"].state == "tested"
    assert states["1939-S-67"].reason.startswith("`examine`")
    assert states["GW-G-05"].state == "open"


def test_citations_are_found_in_docstrings_and_comments(
    generator: ModuleType, tmp_path: Path
) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    marker = "conformance" + ": "
    (tests / "test_one.py").write_text(f'"""Idle. {marker}1939-S-30, 1939-S-31."""\n')
    (tests / "test_two.py").write_text(f"# {marker}1939-S-31\n")
    assert generator.citations(tests) == {
        "1939-S-30": ["tests/test_one.py"],
        "1939-S-31": ["tests/test_one.py", "tests/test_two.py"],
    }


def test_an_unknown_id_is_an_error(generator: ModuleType, tmp_path: Path) -> None:
    folder = group_file(tmp_path, "1939-S-01")
    with pytest.raises(generator.WrongItems, match="1939-S-999"):
        generator.read_groups(folder, {"1939-S-999": ["`tests/test_one.py`"]})


def test_an_id_in_two_groups_is_an_error(generator: ModuleType, tmp_path: Path) -> None:
    group_file(tmp_path, "1939-S-01")
    group_file(tmp_path, "1939-S-01", name="2.toml")
    with pytest.raises(generator.WrongItems, match="two groups"):
        generator.read_groups(tmp_path, {})


@pytest.mark.parametrize(
    "state",
    ["tested: because", "open", "fine: because"],
    ids=["tested-by-hand", "without-reason", "unknown-state"],
)
def test_a_state_that_cannot_be_written_by_hand_is_an_error(
    generator: ModuleType, tmp_path: Path, state: str
) -> None:
    folder = group_file(tmp_path, "1939-S-01", states=f'1939-S-01 = "{state}"')
    with pytest.raises(generator.WrongItems, match="not well formed"):
        generator.read_groups(folder, {})


def test_a_state_for_no_item_is_an_error(generator: ModuleType, tmp_path: Path) -> None:
    folder = group_file(tmp_path, "1939-S-01", states='1939-S-02 = "open: not yet"')
    with pytest.raises(generator.WrongItems, match="1939-S-02"):
        generator.read_groups(folder, {})


def test_no_two_cases_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
