"""Offers: the capabilities that announce them."""

import re

import pytest

from restante.protocol.offers import Offer, SessionOptions, capabilities

REGISTERED = {
    "TOP", "USER", "SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "UIDL",
    "IMPLEMENTATION", "STLS", "AUTH-RESP-CODE", "UTF8", "LANG",
}  # fmt: skip

OFFERS = [
    Offer(),
    Offer(user=False, mechanisms=(), stls=True, only_under_tls=frozenset({"USER", "PLAIN"})),
    Offer(user=True, mechanisms=(), stls=True),
    Offer(user=False, mechanisms=("SCRAM-SHA-256", "PLAIN")),
    Offer(utf8=True, languages=("en", "de")),
    Offer(utf8=True, utf8_names=True),
]


def announced(offer: Offer, options: SessionOptions | None = None) -> list[str]:
    lines = b"".join(capabilities(offer, options or SessionOptions())).decode("ascii")
    assert lines.endswith("\r\n")
    return lines.split("\r\n")[:-1]


def test_everything_in_order() -> None:
    """conformance: 1957-S-02, 2449-S-11, 2449-S-13, 2449-S-29, 3206-S-05"""
    assert announced(Offer(mechanisms=("SCRAM-SHA-256", "PLAIN"), stls=True)) == [
        "TOP",
        "UIDL",
        "USER",
        "SASL SCRAM-SHA-256 PLAIN",
        "RESP-CODES",
        "AUTH-RESP-CODE",
        "PIPELINING",
        "EXPIRE NEVER",
        "STLS",
        "IMPLEMENTATION Restante",
    ]


@pytest.mark.parametrize("offer", OFFERS)
def test_what_is_not_offered_is_not_announced(offer: Offer) -> None:
    """conformance: 2449-S-14, 2449-S-15, 2595-S-02, 5034-S-02"""
    lines = announced(offer)
    assert ("USER" in lines) == offer.user
    assert ("STLS" in lines) == offer.stls
    assert [line for line in lines if line.startswith("SASL")] == (
        [" ".join(("SASL", *offer.mechanisms))] if offer.mechanisms else []
    )


@pytest.mark.parametrize("offer", OFFERS)
def test_every_tag_is_registered_and_every_line_is_one(offer: Offer) -> None:
    """conformance: 2449-S-07, 2449-S-08, 2449-S-16, 2449-S-31, IANA-S-01"""
    for line in announced(offer):
        assert re.fullmatch(r"[!-\-/-~]+( [!-~]+)*", line)
        assert len(line) <= 510
        assert line.split(" ")[0] in REGISTERED


def test_utf8_and_languages_are_announced() -> None:
    """conformance: 6856-S-01, 6856-S-17"""
    lines = announced(Offer(utf8=True, utf8_names=True, languages=("en",)))
    assert lines[-3:] == ["UTF8 USER", "LANG", "IMPLEMENTATION Restante"]
    assert announced(Offer(utf8=True))[-2] == "UTF8"
    assert not {"UTF8", "UTF8 USER", "LANG"} & set(announced(Offer()))


def test_the_implementation_may_stay_untold() -> None:
    """conformance: 2449-S-30"""
    lines = announced(Offer(), SessionOptions(implementation=""))
    assert not [line for line in lines if line.startswith("IMPLEMENTATION")]
