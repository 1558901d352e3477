"""Passwords are found in what a server says, whatever form it says them in."""

from __future__ import annotations

import base64
import html
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.examine.redaction import HIDDEN, Redaction

PASSWORD = b"Tr0ub4dor & 3<x>\xc3\xa9"


def knowing(*secrets: bytes) -> Redaction:
    redaction = Redaction()
    redaction.add(secrets)
    return redaction


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


FORMS = {
    "itself": PASSWORD.decode("latin-1"),
    "in capitals": PASSWORD.decode("latin-1").translate(
        {n: n - 32 for n in range(ord("a"), ord("z") + 1)}
    ),
    "as text": PASSWORD.decode(),
    "in escapes": ascii(PASSWORD.decode("latin-1"))[1:-1],
    "in escapes of octets": repr(PASSWORD)[2:-1],
    "in escapes of HTML": html.escape(PASSWORD.decode()),
    "in escapes of URLs": quote(PASSWORD, safe=""),
    "in escapes of forms": quote_plus(PASSWORD),
    "in hexadecimal": PASSWORD.hex(),
    "in hexadecimal capitals": PASSWORD.hex().upper(),
    "in spaced hexadecimal": PASSWORD.hex(" "),
    "in UTF-16": "\0".join(PASSWORD.decode()),
    "in base64": b64(PASSWORD),
    "in base64 without padding": b64(PASSWORD).rstrip("="),
    "in base64 in capitals": b64(PASSWORD).upper(),
    "in base64 for URLs": base64.urlsafe_b64encode(PASSWORD).decode(),
    "in a PLAIN message": b64(b"\0alice\0" + PASSWORD),
    "in a PLAIN message with an identity": b64(b"bob\0alice\0" + PASSWORD),
    "in a message with something behind": b64(b"x" + PASSWORD + b"\x01\x01"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_replaced(form: str) -> None:
    told = knowing(PASSWORD).text(f"-ERR what is <{form}>?")
    assert told == f"-ERR what is <{HIDDEN}>?"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("size", [12, 16])
def test_a_piece_of_a_secret_is_replaced(form: str, size: int) -> None:
    # The message around a password is no secret, so a piece of that may stay.
    piece = form[-size - 4 : -4] if "message" not in form else form[-size:]
    told = knowing(PASSWORD).text(f"-ERR <{piece}>")
    assert told == f"-ERR <{HIDDEN}>"


@pytest.mark.parametrize("end", ["', not +OK", '" came', "\r\n", "\n", ""])
def test_the_head_of_a_secret_before_a_cut_is_replaced(end: str) -> None:
    told = knowing(b"correct horse").text(f"the reply is '-ERR unknown: corre{end}")
    assert told == f"the reply is '-ERR unknown: {HIDDEN}{end}"


def test_a_short_secret_is_replaced_as_a_word() -> None:
    told = knowing(b"abc").text("-ERR abc, abcd, ABC? <abc>")
    assert told == f"-ERR {HIDDEN}, abcd, {HIDDEN}? <{HIDDEN}>"


def test_spaces_around_a_secret_may_be_lost() -> None:
    assert knowing(b"  lead and trail ").text("-ERR <lead and trail>") == f"-ERR <{HIDDEN}>"


def test_what_is_no_secret_stays() -> None:
    text = "-ERR [AUTH] Wrong password; TFNBUyBub3RoaW5n AHVzZXIAd3Jvbmc= \xe9\x00\u2603"
    assert knowing(PASSWORD, b"hunter2", b"xy").text(text) == text


def test_two_secrets_side_by_side_are_both_replaced() -> None:
    assert knowing(b"first-one", b"second-one").text("first-onesecond-one.") == f"{HIDDEN}."


def test_an_empty_secret_hides_nothing() -> None:
    assert knowing(b"").octets(b"+OK ready") == b"+OK ready"


def test_much_of_what_looks_like_base64_takes_no_time() -> None:
    redaction = knowing(*(b"secret-%d" % n for n in range(1000, 1200)))
    began = time.process_time()
    redaction.octets(b"A" * 5000)
    redaction.octets(b"secret-1" * 600)
    assert time.process_time() - began < 0.5


@given(st.binary(min_size=4, max_size=40), st.binary(max_size=60), st.binary(max_size=60))
def test_no_secret_survives(secret: bytes, before: bytes, behind: bytes) -> None:
    told = knowing(secret).octets(before + secret + behind)
    assert all(secret not in part for part in told.split(HIDDEN.encode()))


@given(
    st.text("abcdefgh0123456789+-/", min_size=7, max_size=30), st.binary(max_size=20), st.binary()
)
def test_no_base64_of_a_secret_survives(secret: str, before: bytes, behind: bytes) -> None:
    message = before + secret.encode() + behind[:20]
    told = knowing(secret.encode()).text("+ " + b64(message))
    assert told == f"+ {HIDDEN}"
