"""Rows: one is an account, and what cannot be understood is a failure."""

import pytest

from restante.auth.sources import Account
from restante.auth.sql.rows import account
from restante.errors import TemporaryFailure

Row = dict[str, object]


def made(**row: object) -> Account:
    found = account("bob", "sql", [row])
    assert found is not None
    return found


def test_one_row_is_an_account() -> None:
    found = made(password="{PLAIN}x", mailbox="/mail/bob", disabled=False)
    assert (found.name, found.source, found.stored_password) == ("bob", "sql", "{PLAIN}x")
    assert (found.mailbox, found.disabled) == ("/mail/bob", False)
    assert account("bob", "sql", []) is None
    assert made(password=b"{PLAIN}x").stored_password == "{PLAIN}x"
    assert made(password="x", mailbox="").mailbox is None


@pytest.mark.parametrize(
    ("value", "disabled"), [(None, False), (0, False), (1, True), (True, True)]
)
def test_disabled_is_a_truth(value: object, disabled: bool) -> None:
    assert made(password="x", disabled=value).disabled is disabled


@pytest.mark.parametrize("password", [None, "", b""])
def test_nobody_gets_in_without_a_password(password: object) -> None:
    assert made(password=password).disabled


def test_the_version_goes_with_everything() -> None:
    versions = {
        made(**row).version
        for row in (
            {"password": "x"},
            {"password": "y"},
            {"password": "x", "mailbox": "/a"},
            {"password": "x", "disabled": 1},
        )
    }
    assert len(versions) == 4


@pytest.mark.parametrize(
    "rows",
    [
        [{"password": "x"}, {"password": "x"}],
        [{"mailbox": "/mail/bob"}],
        [{}],
        [{"password": "x", "mail_box": "/mail/bob"}],
        [{"password": 7}],
        [{"password": "x", "mailbox": 7}],
        [{"password": "x", "mailbox": "mail/bob"}],
        [{"password": "x", "mailbox": "/mail/../etc"}],
        [{"password": "x", "mailbox": "/mail\0"}],
        [{"password": "x", "disabled": "no"}],
        [{"password": "x", "disabled": 2}],
        [{"password": "x", "disabled": 0.0}],
    ],
)
def test_whatever_else_comes_is_a_failure(rows: list[Row]) -> None:
    with pytest.raises(TemporaryFailure):
        account("bob", "sql", rows)
