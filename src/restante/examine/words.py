"""The words in braces that steps write, and what stands for them in one case.

The record keeps the words: no password is in a report. Which of them may be said, when and on
which connection, is the matter of `guard.py`.
"""

from __future__ import annotations

import base64
import re

from restante.examine.target import Account

UNKNOWN_USER = "nobody-of-this-name"
WRONG_PASSWORD = "certainly-wrong"
SECRET_WORDS = (
    *(b"{password}", b"{plain}", b"{second_password}", b"{second_plain}"),
    *(b"{token}", b"{spoilt_token}"),
)
GUESSES = (
    *(b"{unknown}", b"{unknown_plain}", b"{wrong}", b"{wrong_plain}"),
    b"{second_wrong_plain}",
)
WORD = re.compile(rb"\{[a-z_]+\}")


def plain(authcid: str, password: str, authzid: str = "") -> bytes:
    """Return a PLAIN message (RFC 4616 §2) in base64."""
    return base64.b64encode(f"{authzid}\0{authcid}\0{password}".encode())


def placeholders(account: Account | None, second: Account | None) -> dict[bytes, bytes]:
    """Return what stands for each word in braces."""
    words = {
        b"{unknown}": UNKNOWN_USER.encode(),
        b"{wrong}": WRONG_PASSWORD.encode(),
        b"{unknown_plain}": plain(UNKNOWN_USER, WRONG_PASSWORD),
    }
    for prefix, who in ((b"", account), (b"second_", second)):
        if who is not None:
            words[b"{" + prefix + b"user}"] = who.name.encode()
            words[b"{" + prefix + b"password}"] = who.password.encode()
            words[b"{" + prefix + b"plain}"] = plain(who.name, who.password)
            words[b"{" + prefix + b"wrong_plain}"] = plain(who.name, WRONG_PASSWORD)
    if account is not None and account.token is not None:
        words[b"{token}"] = token = account.token.encode()
        words[b"{spoilt_token}"] = spoilt(token)
    return words


def spoilt(token: bytes) -> bytes:
    """Return a bearer token with one character changed, by which the right one could be guessed."""
    at = max(0, len(token) - 10)
    return token[:at] + (b"x" if token[at : at + 1] != b"x" else b"y") + token[at + 1 :]
