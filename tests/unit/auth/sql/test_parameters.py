"""Parameters of a query: found where they are some, and nowhere else."""

import pytest

from restante.auth.sql.parameters import named, numbered, values


@pytest.mark.parametrize(
    ("name", "local", "domain"),
    [("bob@example.org", "bob", "example.org"), ("bob", "bob", ""), ("", "", "")],
)
def test_a_name_has_its_parts(name: str, local: str, domain: str) -> None:
    assert values(name) == {"name": name, "local": local, "domain": domain}


@pytest.mark.parametrize(
    ("query", "expected", "used"),
    [
        ("SELECT :name", "SELECT $1", ("name",)),
        ("SELECT :domain, :local, :domain", "SELECT $2, $1, $2", ("local", "domain")),
        ("SELECT :name::text", "SELECT $1::text", ("name",)),
        ("SELECT x::name, :name", "SELECT x::name, $1", ("name",)),
        ("SELECT ':local', :name", "SELECT ':local', $1", ("name",)),
        ("SELECT 'it''s :local', :name", "SELECT 'it''s :local', $1", ("name",)),
        (r"SELECT E'\':local', :name", r"SELECT E'\':local', $1", ("name",)),
        ('SELECT ":local", :name', 'SELECT ":local", $1', ("name",)),
        ("SELECT $$ :local $$, :name", "SELECT $$ :local $$, $1", ("name",)),
        ("SELECT $a$ :local $$ $a$, :name", "SELECT $a$ :local $$ $a$, $1", ("name",)),
        ("SELECT :name -- :local\n", "SELECT $1 -- :local\n", ("name",)),
        ("SELECT /* :local\n */ :name", "SELECT /* :local\n */ $1", ("name",)),
    ],
)
def test_parameters_get_numbers(query: str, expected: str, used: tuple[str, ...]) -> None:
    assert numbered(query) == (expected, used)
    assert named(query) == set(used)


def test_unknown_ones_are_found() -> None:
    assert named("SELECT :user FROM x WHERE a = :name") == {"user", "name"}
