"""Rows: what a query has found, and the account it makes.

What cannot be understood is a failure of the source: nobody is let in by it, and nobody refused.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from restante.auth.sources import Account
from restante.auth.verifiable import PASSWORDS
from restante.errors import TemporaryFailure

COLUMNS = frozenset({"password", "mailbox", "disabled"})


def account(name: str, source: str, rows: Sequence[Mapping[str, object]]) -> Account | None:
    """Return the account of the rows that were found for a name; None: there is none.

    Raises:
        TemporaryFailure: they are no account.
    """
    if not rows:
        return None
    if len(rows) > 1:
        raise TemporaryFailure(reason="more than one row")
    row = rows[0]
    if "password" not in row or not row.keys() <= COLUMNS:
        raise TemporaryFailure(reason="other columns than password, mailbox and disabled")
    stored, mailbox = _text(row, "password"), _text(row, "mailbox")
    if mailbox and not _is_path(mailbox):
        raise TemporaryFailure(reason="a mailbox that is no path")
    # Nobody gets in where there is nothing to compare with.
    disabled = _truth(row.get("disabled")) or not stored
    digest = sha256(f"{disabled}\0{mailbox}\0{stored}".encode("utf-8", "surrogateescape"))
    version = digest.hexdigest()
    return Account(name, stored, source, version, disabled, mailbox or None, verifies=PASSWORDS)


def _text(row: Mapping[str, object], column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise TemporaryFailure(reason=f"{column} is no text")
    return value


def _truth(value: object) -> bool:
    if value is None:
        return False
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise TemporaryFailure(reason="disabled is neither true nor false")


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable() and ".." not in text.split("/")
