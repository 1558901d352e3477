"""Lines of keys, wherever TOML lets them stand."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.config.positions import Path, Positions


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2\n", ("b",), 2),
        ("\n# b = 0\nb = 2", ("b",), 3),
        ("a = 1\r\n\r\nb = 2\r\n", ("b",), 3),
        ("a.b = 1\n", ("a",), 1),
        ("a.b = 1\na . c = 2\n", ("a", "c"), 2),
        ("\"a.b\" = 1\n'c' = 2\n", ("a.b",), 1),
        ("\"a.b\" = 1\n'c' = 2\n", ("c",), 2),
        ("[t]\na = 1\n", ("t",), 1),
        ("[t]\n\n  a = 1\n", ("t", "a"), 3),
        ("[ t . u ] # why\na = 1\n", ("t", "u", "a"), 2),
        ("[[l]]\na = 1\n[[l]]\na = 1\n", ("l", 1, "a"), 4),
        ("[[l]]\na = 1\n[[l]]\na = 1\n", ("l", 1), 3),
        ("[t]\n[[t.l]]\n[t.l.u]\na = 1\n[[t.l]]\n[t.l.u]\na = 2\n", ("t", "l", 1, "u", "a"), 7),
        ('a = """\nb = 1\n"""\nc = 2\n', ("c",), 4),
        ("a = '''\nb = 1\n'''\nc = 2\n", ("c",), 4),
        ('a = """x\\"""y"""\nc = 2\n', ("c",), 2),
        ('a = """""x"""""\nc = 2\n', ("c",), 2),
        ("a = [\n  1, # ]\n  2,\n]\nc = 2\n", ("c",), 5),
        ('a = ["]", "[",\n{ x = [1] }]\nc = 2\n', ("c",), 3),
        ('a = "#" # "\nc = 2\n', ("c",), 2),
        ("a = '#' # '\nc = 2\n", ("c",), 2),
        ('a = "\\"\\\\" # x\nc = 2\n', ("c",), 2),
        ("a = { b = 1 }\nc = 2\n", ("a", "b"), 1),
        ("a = [1, 2]\n", ("a", 1), 1),
        ("a = 1979-05-27T07:32:00Z\nb = -1e3\nc = true", ("c",), 3),
    ],
)
def test_a_key_has_a_line(text: str, path: Path, line: int) -> None:
    tomllib.loads(text.replace("\r\n", "\n"))
    assert Positions(text).line(path) == line


def test_what_is_not_there_has_the_line_of_the_table_around_it() -> None:
    positions = Positions("a = 1\n\n[t]\nb = 2\n")
    assert positions.line(("t", "missing")) == 3
    assert positions.line(("missing",)) is None
    assert positions.line(()) is None


KEYS = st.text("ab-_1", min_size=1, max_size=3)
SCALARS = st.one_of(
    st.integers(0, 9).map(str),
    st.text("a#[]{}'", max_size=5).map(lambda text: f'"{text}"'),
    st.text('a#[]{}"', max_size=5).map(lambda text: f"'{text}'"),
    st.text("a#[]{}'\n", max_size=5).map(lambda text: f'"""{text}"""'),
    st.text("a#[]{}\n", max_size=5).map(lambda text: f"'''{text}'''"),
    st.just("[\n1, # ]\n[2]]"),
)


@given(st.dictionaries(KEYS, SCALARS, min_size=1, max_size=6), KEYS)
def test_every_key_is_found_behind_any_value(values: dict[str, str], table: str) -> None:
    text, lines = f"# a = 1\n[{table}]\n", {}
    for key, value in values.items():
        lines[key] = text.count("\n") + 1
        text += f"{key} = {value} # {key} = 0\n"
    document: dict[str, Any] = tomllib.loads(text)
    positions = Positions(text)
    assert {key: positions.line((table, key)) for key in document[table]} == lines
