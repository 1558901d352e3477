"""Surrogates of headers: what is kept, what is encoded, what becomes nobody's, what goes."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.server.surrogate_header import ADDRESSES, NOBODY, surrogate

ENCODED = re.compile(r"=\?[a-z0-9-]+\?b\?[A-Za-z0-9+/=]+\?=")
ADDRESS = re.compile(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+")


def shown(field: str, codec: str = "utf-8") -> str:
    """Return what a client reads of a field, its encoded words decoded."""
    made = surrogate(field.encode(codec) + b"\r\n")
    assert made.isascii()
    assert not made or made.endswith(b"\r\n")
    return re.sub(r"\r\n[ \t]+", " ", made.decode("ascii")).removesuffix("\r\n")


def read(field: str) -> str:
    """Return a field with its encoded words decoded by somebody else's code."""
    return str(make_header(decode_header(shown(field))))


def test_a_header_in_ascii_stays_as_it_is() -> None:
    """conformance: 6856-S-04"""
    header = b"From: a@example.org\r\nSubject: x\r\n\ty\r\nno field at all\r\n"
    assert surrogate(header) == header
    assert surrogate(b"") == b""


def test_what_can_be_shown_stays_beside_what_cannot() -> None:
    """conformance: 6858-S-04"""
    kept = b"DKIM-Signature: v=1;\r\n b=xyz\r\nX: 1\r\n"
    header = b"Subject: \xe2\x98\x83\r\n" + kept + "Comments: größer\r\n\tund länger\r\n".encode()
    assert surrogate(header) == b"Subject: =?utf-8?b?4piD?=\r\n" + kept


@pytest.mark.parametrize("subject", ["Grüße ☃", "☃" * 200, "a" * 100 + "ü", "x\u00a0y"])
def test_a_subject_is_encoded(subject: str) -> None:
    """conformance: 6858-S-02"""
    made = surrogate(f"Subject: {subject}\r\n".encode())
    assert all(len(line) <= 90 for line in made.split(b"\r\n"))
    assert read(f"Subject: {subject}") == f"Subject: {subject}"


def test_a_folded_subject_is_one_text() -> None:
    """conformance: 6858-S-02"""
    found = message_from_bytes(surrogate("Subject: Grüße\r\n aus Köln\r\n".encode()))["subject"]
    assert str(make_header(decode_header(found))) == "Grüße aus Köln"


def test_a_charset_that_nobody_knows_is_called_so() -> None:
    """conformance: 6858-S-02"""
    assert shown("Subject: Grüße", "latin-1") == "Subject: =?unknown-8bit?b?R3L832U=?="


@pytest.mark.parametrize(
    ("field", "due"),
    [
        ("From: Jörg <jörg@exämple.org>", f"From: Jörg <{NOBODY}>"),
        ("From: Jörg <joerg@example.org>", "From: Jörg <joerg@example.org>"),
        ('To: "Müller, Jörg" <joerg@example.org>', "To: Müller, Jörg <joerg@example.org>"),
        ("Cc: a@b.example, jörg@b.example", f"Cc: a@b.example, jörg@b.example <{NOBODY}>"),
        ("To: Fred <fred@EXÄMPLE.com>, <b@c.example>", f"To: Fred <{NOBODY}>, <b@c.example>"),
        ("To: <jörg@exämple.org>,, x@y.example", f"To: jörg@exämple.org <{NOBODY}>, x@y.example"),
        ("Sender: ü: a@b.example, c@d.de;", f"Sender: ü: a@b.example, c@d.de; <{NOBODY}>"),
        ("Bcc: a@b.example (ü)", f"Bcc: a@b.example (ü) <{NOBODY}>"),
        ('Reply-To: "ü <a@b.example>', f'Reply-To: "ü <a@b.example> <{NOBODY}>'),
        ('To: "<ü>" <a@b.example>', f'To: "<ü>" <a@b.example> <{NOBODY}>'),
        ("Return-Path: <jörg@example.org>", f"Return-Path: <{NOBODY}>"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_shown_is_nobodys(field: str, due: str) -> None:
    """conformance: 6858-S-01"""
    assert read(field).replace("  <", " <") == due


def test_the_fields_of_addresses_are_those_of_the_rfc() -> None:
    """conformance: 6858-S-01"""
    assert len(ADDRESSES) == 12
    for name in ADDRESSES:
        assert NOBODY in shown(f"{name.title()}: ü@example.org")


@pytest.mark.parametrize(
    ("field", "due"),
    [
        ("Content-Disposition: attachment; filename=fü.txt", "Content-Disposition: attachment"),
        (
            'Content-Type: text/plain; name="ü;x"; charset=utf-8;',
            "Content-Type: text/plain; charset=utf-8",
        ),
        ("Content-Type: täxt/plain; charset=utf-8", ""),
        ('Content-Type: text/plain; name="ü', ""),
        ("Content-Type: ; name=ü", ""),
        ("Content-Description: größer", ""),
        ("Message-ID: <ü@example.org>", ""),
        ("Sübject: x", ""),
        ("kein Feld, ü", ""),
    ],
)
def test_parameters_and_other_fields_are_left_out(field: str, due: str) -> None:
    """conformance: 6858-S-02"""
    assert shown(field) == due


VALUES = st.text(alphabet=' "\\<>,;:()@=aü\u2603\t', max_size=40)


@given(name=st.sampled_from([*sorted(ADDRESSES), "subject", "content-type", "x"]), value=VALUES)
def test_no_address_comes_out_that_was_not_there(name: str, value: str) -> None:
    """conformance: 6858-S-01"""
    made = surrogate(f"{name}: {value}\r\n".encode())
    assert made.isascii()
    assert made.count(b"\r\n") == made.count(b"\n") == made.count(b"\r")
    if made:
        assert all(line[:1] in b" \t" for line in made.split(b"\r\n")[1:-1])
    visible = ENCODED.sub("", made.decode("ascii")).replace(NOBODY, "")
    for address in ADDRESS.findall(visible):
        assert address in value


@given(st.binary(max_size=60))
def test_any_octets_become_a_header(octets: bytes) -> None:
    header = octets.replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n"
    made = surrogate(header)
    assert made.isascii()
    assert b"\r\n\r\n" not in made or b"\r\n\r\n" in header
