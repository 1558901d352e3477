"""Names and passwords prepared: by SASLprep as others read it, and beside PRECIS, its successor.

POP3's documents ask for SASLprep (RFC 4616, 5034, 5802, 6856). RFC 8265 came after them; that a
name means the same by it as by ours is what keeps the way there open.
"""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from precis_i18n import get_profile
from scramp import ScramException  # type: ignore[import-untyped]
from scramp.utils import saslprep as their_saslprep  # type: ignore[import-untyped]

from restante.auth.names import prepare
from restante.sasl.saslprep import prepare_password, saslprep

USERNAME = get_profile("UsernameCaseMapped")
OPAQUE = get_profile("OpaqueString")
SAMPLE = [*range(0x600), *range(0x600, 0x30000, 31)]


def attempt(prepared: Callable[[str], str], text: str) -> str | None:
    try:
        return prepared(text)
    except (ValueError, ScramException):
        return None


@pytest.mark.parametrize("shape", ["%s", "a%sb", "\u05d0%s\u05d0"])
def test_every_character_as_others_prepare_it(shape: str) -> None:
    """conformance: 4616-S-03, 5034-S-21"""
    for number in [*range(0x600), *range(0x600, sys.maxunicode, 997)]:
        text = shape.replace("%s", chr(number))
        # Where nothing is left there is an empty text for them, and an error for us.
        assert attempt(saslprep, text) == (attempt(their_saslprep, text) or None), hex(number)


@given(st.text())
def test_any_text_as_others_prepare_it(text: str) -> None:
    assert attempt(saslprep, text) == (attempt(their_saslprep, text) or None)


@given(st.text())
def test_what_is_prepared_stays_so(text: str) -> None:
    prepared = attempt(saslprep, text)
    if prepared is not None:
        assert attempt(saslprep, prepared) == prepared


def is_older_than_its_form(text: str) -> bool:
    """Tell whether Unicode came to normalise a text otherwise than in 3.2, which SASLprep stays at.

    Characters that came later have no form there; for five the form was mended (corrigendum 4).
    """
    old = unicodedata.ucd_3_2_0.normalize("NFKC", text)
    return old != unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("shape", ["%s", "a%sb"])
def test_a_name_means_the_same_by_precis(shape: str) -> None:
    for number in SAMPLE:
        text = shape.replace("%s", chr(number))
        ours, theirs = prepare(text), attempt(USERNAME.enforce, text)
        if ours is not None and theirs is not None and not is_older_than_its_form(text):
            assert ours == theirs, hex(number)


def test_a_password_means_the_same_by_precis_where_nothing_is_only_compatible() -> None:
    for number in SAMPLE:
        text = f"a{chr(number)}b"
        theirs = attempt(OPAQUE.enforce, text)
        compatible = unicodedata.normalize("NFKC", text) != unicodedata.normalize("NFC", text)
        if theirs is not None and not compatible and not is_older_than_its_form(text):
            assert prepare_password(text.encode()) == theirs.encode(), hex(number)
