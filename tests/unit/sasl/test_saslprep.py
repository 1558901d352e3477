"""SASLprep: the examples of RFC 4013 §3, and one of everything that is refused."""

import pytest

from restante.sasl.saslprep import (
    LONGEST_PREPARED_OCTETS,
    is_preparable,
    prepare_password,
    saslprep,
)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
    ],
)
def test_the_examples_of_the_rfc(text: str, prepared: str) -> None:
    """conformance: 5034-S-21, 4616-S-04"""
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031"])
def test_the_examples_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        saslprep(text)


def test_spaces_of_any_kind_are_one_kind() -> None:
    assert saslprep("a\u00a0b\u3000c") == "a b c"
    assert saslprep("a b") == "a b"


def test_composed_and_decomposed_are_the_same() -> None:
    assert saslprep("e\u0301") == saslprep("\u00e9") == "é"


@pytest.mark.parametrize(
    "text",
    [
        *("", "\u00ad", "\u200d\ufe00"),  # nothing, or nothing that stays
        *("a\0b", "a\x7fb", "é\x1f"),  # C.2.1
        "a\u0080b",  # C.2.2
        "a\ue000b",  # C.3: private use
        "a\ufffeb",  # C.4: no characters
        "a\ud800b",  # C.5: surrogates
        "a\u2ff0b",  # C.7: not for canonical form
        "a\u200eb",  # C.8: change of direction
        "a\U000e0041b",  # C.9: tags
    ],
)
def test_what_is_prohibited(text: str) -> None:
    """conformance: 4616-S-03"""
    with pytest.raises(ValueError, match=r"."):
        saslprep(text)


def test_an_unassigned_character_may_be_compared_and_not_stored() -> None:
    """RFC 3454 §7: Unicode 3.2 knows no such character."""
    with pytest.raises(ValueError, match="unassigned"):
        saslprep("\u0221")
    assert saslprep("\u0221", allow_unassigned=True) == "\u0221"


def test_right_to_left() -> None:
    assert saslprep("\u0627\u0628") == "\u0627\u0628"
    assert saslprep("\u06271\u0628") == "\u06271\u0628"
    for mixed in ("\u0627a\u0628", "\u06271", "1\u0627"):
        with pytest.raises(ValueError, match="right-to-left"):
            saslprep(mixed)


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        *(("secret", "secret"), ("I\u00adX", "IX"), ("\u2168", "IX"), ("a\u00a0b", "a b")),
        ("\U0001f426", "\U0001f426"),  # younger than Unicode 3.2
    ],
)
def test_a_password_is_prepared(password: str, prepared: str) -> None:
    """conformance: 4616-S-03"""
    assert prepare_password(password.encode()) == prepared.encode()


@pytest.mark.parametrize(
    "password", [b"", b"\xff\xfe", b"a\x07b", "\u05d0a".encode(), "\u00ad".encode()]
)
def test_a_password_that_cannot_be_prepared_stays_as_it_is(password: bytes) -> None:
    assert prepare_password(password) == password
    assert not is_preparable(password)


def test_a_very_long_password_stays_as_it_is() -> None:
    password = "\u00aa".encode() * LONGEST_PREPARED_OCTETS
    assert prepare_password(password) == password
    assert not is_preparable(password)


def test_a_password_that_can_be_prepared_may_be_had() -> None:
    """conformance: 6856-S-13"""
    assert is_preparable("I\u00adX\u2168".encode())
