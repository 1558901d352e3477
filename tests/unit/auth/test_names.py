"""User names: one form for each, and none for what could be taken for something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.names import MAXIMUM_OCTETS, _prepare, prepare

HOSTILE = [
    "",
    ".",
    "..",
    "...",
    "../bob",
    "../../etc/passwd",
    "/etc/passwd",
    "bob/../alice",
    "bob/",
    "\\bob",
    "..\\bob",
    "bob\0",
    "bob\0alice",
    "\0",
    "bob\r\nalice",
    "bob\nalice",
    "bob\r",
    "bob\talice",
    "bob\x7f",
    "bob\x1b]0;owned\x07",
    "bob\x80",
    "bob\x85alice",
    "bob\u2028alice",
    "bob\u2029alice",
    "bob\u202ealice",
    "bob\ufdd0",
    "bob\U000f0000",
    "bob\ud800",
    "bob\udcff",
    "\u00ad",
    "bob\u2025alice",
    "\uff0e\uff0e\uff0falice",
    "bob\uff0falice",
    "bob\u3000alice",
    "%n",
    "%{user}",
    "bob%00",
    "' OR '1'='1",
    'bob"; --',
    "*)(uid=*",
    "bob;alice",
    "bob:alice",
    "{name}",
    "$(id)",
    "`id`",
    "|id",
    "~root",
    "#bob",
    "-bob",
    ".bob",
    "bob.",
    "b..b",
    "bob alice",
    " bob",
    "bob ",
    "@",
    "bob@",
    "@example.org",
    "bob@@example.org",
    "a@b@c",
    "bob@.example.org",
    "bob@example..org",
    "bob@../..",
    "bob@-x",
    "a" * 256,
    "é" * 128,
    "\U0001f600" * 64,
    "\u05d0bob",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("domain", ["", "example.org"])
def test_nobody_can_have_a_hostile_name(name: str, domain: str) -> None:
    assert prepare(name, domain) is None


@pytest.mark.parametrize(
    ("name", "prepared"),
    [
        ("bob", "bob"),
        ("BOB", "bob"),
        ("Bob@Example.ORG", "bob@example.org"),
        ("bob.smith+pop3_1-2@example.org", "bob.smith+pop3_1-2@example.org"),
        ("\u2168", "ix"),
        ("\uff22ob", "bob"),
        ("\u212aarl", "karl"),
        ("bo\u00adb", "bob"),
        ("jo\u0308rg", "j\u00f6rg"),
        ("J\u00d6RG", "j\u00f6rg"),
        ("\u05d0\u05d1", "\u05d0\u05d1"),
        ("\U0001f600", "\U0001f600"),
        ("a" * 255, "a" * 255),
    ],
)
def test_one_form_for_each(name: str, prepared: str) -> None:
    """conformance: 4616-S-04"""
    assert prepare(name) == prepared


def test_a_bare_name_takes_the_default_domain() -> None:
    assert prepare("bob", "Example.org") == "bob@example.org"
    assert prepare("bob@example.net", "example.org") == "bob@example.net"


def test_a_name_that_grows_beyond_a_path_component_is_none() -> None:
    """Preparing may make four characters of one; a domain is added after that."""
    assert prepare("\u337f" * 85) is None
    assert prepare("a" * 250, "example.org") is None


def test_long_names_are_not_remembered() -> None:
    """What is remembered must not grow with what a client sends."""
    before = _prepare.cache_info().currsize
    for number in range(50):
        assert prepare(f"{number}" + "x" * 9_000) is None
    assert _prepare.cache_info().currsize == before


@given(st.text(max_size=30), st.sampled_from(["", "example.org"]))
def test_a_prepared_name_is_its_own_form(name: str, domain: str) -> None:
    prepared = prepare(name, domain)
    if prepared is not None:
        assert prepare(prepared, domain) == prepared
        assert "/" not in prepared
        assert "\0" not in prepared
        assert not prepared.startswith((".", "-"))
        assert prepared.isprintable()
        assert len(prepared.encode()) <= MAXIMUM_OCTETS


@given(st.sampled_from("İıſßΣςŉǰΐΰẞﬀ℩K"), st.sampled_from(["", "x", "\u0307", "Σ"]))
def test_letters_whose_case_is_not_simple(letter: str, behind: str) -> None:
    prepared = prepare(letter + behind)
    if prepared is not None:
        assert prepare(prepared) == prepared
