"""Legality: the table says what the conformance list's matrix says, and says it for every verb."""

import importlib.util
from pathlib import Path

import pytest

from restante.protocol.commands import Verb
from restante.protocol.legality import KEEPS_NAME, LEGAL, Phase

# Rows of the matrix state × command, as the conformance list has it: A free, N after USER, T.
MATRIX = {
    "CAPA": "ANT", "QUIT": "ANT", "STLS": "AN", "USER": "AN", "AUTH": "AN", "PASS": "N",
    "APOP": "A", "NOOP": "T", "STAT": "T", "LIST": "T", "RETR": "T", "DELE": "T", "RSET": "T",
    "TOP": "T", "UIDL": "T", "UTF8": "AN", "LANG": "ANT",
}  # fmt: skip

LETTERS = {"A": Phase.AUTHORIZATION, "N": Phase.NAMED, "T": Phase.TRANSACTION}


@pytest.mark.parametrize("verb", Verb)
def test_the_table_is_the_matrix(verb: Verb) -> None:
    """conformance: 1939-S-23, TG-G-6, 6856-S-02, 6856-S-17"""
    assert LEGAL[verb] == {LETTERS[letter] for letter in MATRIX[verb.value]}


def test_no_command_is_one_within_an_exchange() -> None:
    """conformance: 5034-S-30"""
    assert all(Phase.EXCHANGE not in phases for phases in LEGAL.values())


def test_what_keeps_a_name_is_legal_behind_user() -> None:
    assert all(Phase.NAMED in LEGAL[verb] for verb in KEEPS_NAME)
    assert {"CAPA", "PASS", "USER"} == KEEPS_NAME


def test_the_page_of_the_documentation_is_made_from_the_table() -> None:
    docs = Path(__file__).parents[3] / "docs"
    spec = importlib.util.spec_from_file_location("generate_states", docs / "generate_states.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    written = (docs / "reference" / "states.md").read_text()
    assert written == generator.page(), "run: python docs/generate_states.py"
    for verb, phases in LEGAL.items():
        cells = ["data" if p is Phase.EXCHANGE else ("-ERR", "legal")[p in phases] for p in Phase]
        assert f"| `{verb}` | {' | '.join(cells)} |\n" in written
    for phase, verb in generator.LEADS:
        assert phase in LEGAL[verb]
