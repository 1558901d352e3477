"""Settings of SQL: what cannot stand is said in a sentence."""

from pathlib import Path

import pytest

from restante.auth.sql.options import SqlOptions

QUERY = "SELECT password FROM people WHERE name = :name"
URL = "postgresql://pop@db/mail"


def test_what_can_stand() -> None:
    SqlOptions(path=Path("db"), query=QUERY)
    SqlOptions(url=URL, query=QUERY, password_file=Path("p"))
    SqlOptions(url="postgres://db/mail", query="SELECT :local, :domain")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"query": QUERY}, "path: either it or url has to be set"),
        ({"query": QUERY, "url": URL, "path": Path("x")}, "path: either it or url has to be set"),
        (
            {"query": QUERY, "path": Path("x"), "password_file": Path("p")},
            "password_file: only url",
        ),
        ({"query": QUERY, "url": "mysql://db/mail"}, "url: has to begin with postgresql://"),
        ({"query": QUERY, "url": "postgresql://a:b@db/mail"}, "url: takes no password"),
        ({"query": "SELECT :user", "path": Path("x")}, "query: knows :name"),
        ({"query": "SELECT 1", "path": Path("x")}, "query: needs :name"),
        ({"query": "SELECT ':name' || :domain", "path": Path("x")}, "query: needs :name"),
    ],
)
def test_what_cannot(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SqlOptions(**settings)  # type: ignore[arg-type]
