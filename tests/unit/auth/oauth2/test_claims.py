"""What a token says of itself has to be right in every point."""

from pathlib import Path
from typing import Any

import pytest

from restante.auth.oauth2.claims import Holder, Rules, allowed
from unit.auth.oauth2.issuer import CLAIMS, ISSUER, NOW, local, remote

FILE = Path("keys")


def holder(claims: dict[str, Any], *, must_expire: bool = True, **settings: Any) -> Holder | None:
    rules = Rules(local(FILE, **settings), "example.org")
    given = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return rules.holder(given, NOW, must_expire=must_expire)


def test_a_token_names_its_account() -> None:
    """conformance: 7628-S-06"""
    assert holder({}) == ("bob@example.org", NOW + 300)
    assert holder({"email": "BOB@Example.ORG"}, scope=("pop",)) == ("bob@example.org", NOW + 300)
    assert holder({"aud": ["x", "pop.example.org"]}) is not None
    assert holder({"scope": None, "scp": ["pop", "x"]}, scope=("pop", "x")) is not None
    assert holder({"scope": None, "scp": "pop x"}, scope=("pop", "x")) is not None
    assert holder({"email_verified": "true"}) is not None
    assert holder({"iat": None, "nbf": NOW + 29.0}) is not None
    assert holder({"exp": NOW - 29.0}) is not None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.example.com"},
        {"iss": f"{ISSUER}/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "imap.example.org"},
        {"aud": []},
        {"aud": [["pop.example.org"]]},
        {"aud": {"pop.example.org": 1}},
        {"aud": "pop.example.org "},
        {"aud": None},
        {"exp": None},
        {"exp": NOW - 30},
        {"exp": "1800000300"},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": 10**400},
        {"exp": []},
        {"nbf": NOW + 31},
        {"nbf": "now"},
        {"iat": NOW + 31},
        {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},
        {"email": None},
        {"email": ["bob@example.org"]},
        {"email": 7},
        {"email": "bob@example.org\r\n"},
        {"email": "../bob@example.org"},
        {"email": "bob@example.org\0"},
        {"email": ""},
        {"email": "b" * 300},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": 1.5},
        {"email_verified": "yes"},
    ],
)
def test_a_token_that_names_nobody(claims: dict[str, Any]) -> None:
    """threats: A11

    conformance: 7628-S-06
    """
    assert holder({}) is not None
    assert holder(claims) is None


@pytest.mark.parametrize("scope", ["", "po", "popx", "pop,mail", ["pop mail"], {"pop": 1}, None])
def test_all_of_the_scope_is_needed(scope: object) -> None:
    assert holder({"scope": scope}, scope=("pop",)) is None
    assert holder({"scope": "mail pop"}, scope=("pop", "mail", "delete")) is None
    assert holder({"scope": "mail pop"}, scope=("pop", "mail")) is not None


def test_scope_is_read_from_both_claims() -> None:
    assert allowed({"scope": "a b", "scp": ["c", 7]}) == {"a", "b", "c"}


def test_another_claim_can_name_the_account() -> None:
    claims = {"preferred_username": "bob", "email": None, "email_verified": None}
    assert holder(claims, account_claim="preferred_username") == ("bob@example.org", NOW + 300)
    assert holder({}, account_claim="preferred_username") is None
    assert holder({"upn": "eve"}, account_claim="upn") == ("eve@example.org", NOW + 300)


def test_an_answer_may_leave_out_what_is_not_asked_for() -> None:
    assert holder({"exp": None}, must_expire=False) == ("bob@example.org", None)
    rules = Rules(remote("https://id.example.org/", FILE), "example.org")
    bare = {"email": "bob@example.org", "email_verified": True}
    assert rules.holder(bare, NOW, must_expire=False) == ("bob@example.org", None)
    for needs in ({"issuer": ISSUER}, {"audience": ("pop.example.org",)}, {"scope": ("pop",)}):
        rules = Rules(remote("https://id.example.org/", FILE, **needs), "example.org")
        assert rules.holder(bare, NOW, must_expire=False) is None
