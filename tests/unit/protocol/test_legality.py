"""Legality: the table says what the conformance list's matrix says, and says it for every verb."""

import pytest

from restante.protocol.commands import Verb
from restante.protocol.legality import KEEPS_NAME, LEGAL, Phase

# Rows of the matrix state × command, as the conformance list has it: A free, N after USER, T.
MATRIX = {
    "CAPA": "ANT", "QUIT": "ANT", "STLS": "AN", "USER": "AN", "AUTH": "AN", "PASS": "N", "APOP": "",
    "NOOP": "T", "STAT": "T", "LIST": "T", "RETR": "T", "DELE": "T", "RSET": "T", "TOP": "T",
    "UIDL": "T",
}  # fmt: skip

LETTERS = {"A": Phase.AUTHORIZATION, "N": Phase.NAMED, "T": Phase.TRANSACTION}


@pytest.mark.parametrize("verb", Verb)
def test_the_table_is_the_matrix(verb: Verb) -> None:
    """conformance: 1939-S-23, TG-G-6"""
    assert LEGAL[verb] == {LETTERS[letter] for letter in MATRIX[verb.value]}


def test_no_command_is_one_within_an_exchange() -> None:
    """conformance: 5034-S-30"""
    assert all(Phase.EXCHANGE not in phases for phases in LEGAL.values())


def test_what_keeps_a_name_is_legal_behind_user() -> None:
    assert all(Phase.NAMED in LEGAL[verb] for verb in KEEPS_NAME)
    assert {"CAPA", "PASS", "USER"} == KEEPS_NAME
