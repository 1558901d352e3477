"""Languages: what a range finds, and what a translation leaves alone."""

import pytest

from restante.protocol.languages import LANGUAGES, look_up

DE = LANGUAGES["de"]


@pytest.mark.parametrize(
    ("language_range", "tag"),
    [
        ("en", "en"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-CH-1996-x-private", "de"),
        ("en-a-bbb", "en"),
        ("*", "de"),
        ("fr", None),
        ("x-nobody-speaks-it", None),
        ("d", None),
        ("deutsch", None),
        ("e-n", None),
    ],
)
def test_a_range_finds_the_nearest(language_range: str, tag: str | None) -> None:
    """conformance: 6856-S-20, 6856-S-22"""
    found = look_up(language_range, ("de", "en"))
    assert (found.tag if found else None) == tag


def test_what_is_not_offered_is_not_found() -> None:
    assert look_up("de", ("en",)) is None


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (b"+OK goodbye\r\n", "+OK auf Wiedersehen\r\n"),
        (b"-ERR [AUTH] authentication failed\r\n", "-ERR [AUTH] Anmeldung fehlgeschlagen\r\n"),
        (b"+OK %b answers in English\r\n", "+OK %b Antworten auf Deutsch\r\n"),
        (b"-ERR [SYS/TEMP] of an embedding program\r\n", None),
        (b"+OK \r\n", None),
    ],
)
def test_a_text_alone_is_translated(english: bytes, german: str | None) -> None:
    """conformance: 6856-S-23"""
    assert DE.translated(english).decode() == (german or english.decode())
    assert LANGUAGES["en"].translated(english) == english


def test_a_listing_has_tag_and_name() -> None:
    """conformance: 6856-S-21"""
    assert [each.listing.decode() for each in LANGUAGES.values()] == [
        "en English\r\n",
        "de Deutsch\r\n",
    ]
    assert all(tag == language.tag == tag.lower() for tag, language in LANGUAGES.items())
