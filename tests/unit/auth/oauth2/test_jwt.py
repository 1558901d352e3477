"""A JWT is good where the issuer has signed it, by an algorithm of the settings, for us."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from restante.auth.oauth2.claims import Rules
from restante.auth.oauth2.jwt import JwtSource
from restante.auth.oauth2.keys import FileKeys
from restante.errors import TemporaryFailure
from restante.secret import Secret
from unit.auth.oauth2.issuer import CLAIMS, EC, NOW, OTHER, RSA, key_set, local, part, signed
from unit.auth.scene import run


def held(directory: Path, token: Secret, **settings: Any) -> str | None:
    """Return whose a token is, where the issuer's keys are RSA and EC."""
    path = directory / "keys.json"
    path.write_text(json.dumps(key_set(RSA, EC)))
    options = local(path, **settings)
    source = JwtSource(options, FileKeys(path), Rules(options, "example.org"), lambda: NOW)
    return run(source.holder(token))


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_token_of_the_issuer(tmp_path: Path, key: RSAKey) -> None:
    """conformance: 7628-S-06"""
    assert held(tmp_path, signed(key=key)) == "bob@example.org"
    assert held(tmp_path, signed(key=key, header={"kid": None})) == "bob@example.org"
    assert held(tmp_path, signed(key=key, header={"typ": None})) == "bob@example.org"
    assert held(tmp_path, signed(key=key, header={"x5t": "y" * 600})) == "bob@example.org"
    assert held(tmp_path, signed({"email": "eve"}, key=key)) == "eve@example.org"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_the_algorithm_is_one_of_the_settings(tmp_path: Path, algorithm: Any) -> None:
    """threats: A11"""
    token = signed(key=RSA, header={"alg": algorithm})
    assert held(tmp_path, token) is None
    assert held(tmp_path, token, algorithms=(algorithm,)) == "bob@example.org"
    assert held(tmp_path, signed(key=RSA), algorithms=(algorithm,)) is None


def by_hand(header: dict[str, Any], signature: bytes = b"", key: bytes = b"") -> Secret:
    text = part(header) + b"." + part(CLAIMS)
    made = hmac.new(key, text, hashlib.sha256).digest() if key else signature
    return Secret(text + b"." + part(made))


def test_an_hmac_under_a_public_key_is_nobodys(tmp_path: Path) -> None:
    """threats: A11"""
    for form in (RSA.as_pem(private=False), RSA.as_der(private=False)):
        for kid in ("r", None):
            header = {"alg": "HS256", "kid": kid} if kid else {"alg": "HS256"}
            assert held(tmp_path, by_hand(header, key=form)) is None
            assert held(tmp_path, by_hand(header | {"alg": "RS256"}, key=form)) is None


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", "HS256", "RS256 ", ["RS256"], None, 256]
)
def test_no_signature_is_none(tmp_path: Path, algorithm: object) -> None:
    """threats: A11"""
    header = {"alg": algorithm, "kid": "r"}
    assert held(tmp_path, by_hand(header)) is None
    assert held(tmp_path, by_hand(header, b"\0" * 256)) is None
    assert held(tmp_path, Secret(by_hand(header).reveal().rpartition(b".")[0])) is None


def test_a_key_of_somebody_else_is_nobodys(tmp_path: Path) -> None:
    """threats: A11"""
    assert held(tmp_path, signed(key=OTHER)) is None
    assert held(tmp_path, signed(key=OTHER, header={"jwk": OTHER.as_dict(private=False)})) is None
    assert held(tmp_path, signed(key=OTHER, header={"jku": "https://evil.example/keys"})) is None
    assert held(tmp_path, signed(key=OTHER, header={"x5u": "https://evil.example/x"})) is None
    # The right key, by the name of one of another kind.
    assert held(tmp_path, signed(key=EC, header={"kid": "r"})) is None
    assert held(tmp_path, signed(key=RSA, header={"kid": "e"})) is None


@pytest.mark.parametrize(
    "kid",
    [
        *("../../../../dev/null", "/etc/passwd", "https://evil.example/keys", "e\0", "", "E"),
        *("' OR 1=1 --", "e" * 256, ["e"], {"kid": "e"}, 7, True),
    ],
)
def test_a_kid_is_compared_and_nothing_else(tmp_path: Path, kid: object) -> None:
    """threats: A11"""
    signed_part = signed(key=EC).reveal().rpartition(b".")[2]
    header = {"alg": "ES256", "kid": kid}
    assert held(tmp_path, Secret(part(header) + b"." + part(CLAIMS) + b"." + signed_part)) is None
    if isinstance(kid, str):
        assert held(tmp_path, signed(key=EC, header=header)) is None


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": ["JWT"]},
        {"crit": ["exp"], "exp": 1},
        {"b64": True},
    ],
)
def test_a_token_for_something_else(tmp_path: Path, header: dict[str, Any]) -> None:
    if "crit" in header or ("typ" in header and not isinstance(header["typ"], str)):
        head = {"alg": "ES256", "kid": "e"} | header
        good = signed(key=EC).reveal()
        token = Secret(part(head) + b"." + good.partition(b".")[2])
    else:
        token = signed(header=header)
    assert held(tmp_path, token) is None


def test_a_changed_token_is_nobodys(tmp_path: Path) -> None:
    """threats: A11"""
    head, body, signature = signed().reveal().split(b".")
    assert held(tmp_path, Secret(b".".join((head, body, signature)))) is not None
    eves = part(CLAIMS | {"email": "eve@example.org"})
    assert held(tmp_path, Secret(b".".join((head, eves, signature)))) is None
    for spoilt in (b"A" * len(signature), signature[:-4], signature + b"AAAA", b"A"):
        assert held(tmp_path, Secret(b".".join((head, body, spoilt)))) is None


@pytest.mark.parametrize(
    "octets",
    [
        *(b"", b".", b"..", b"a.b.c", b"certainly-wrong", b"\0.\0.\0", b"a.b.c.d.e"),
        b".".join((part(b"[" * 3000), part(CLAIMS), b"AAAA")),
        b".".join((part(b'{"alg":"ES256","kid":' + b"[" * 2900), part(CLAIMS), b"AAAA")),
        b".".join((part([]), part(CLAIMS), b"AAAA")),
        b".".join((part(b"\xff"), part(CLAIMS), b"AAAA")),
        b".".join((part({"alg": "ES256", "x": "y" * 5000}), part(CLAIMS), b"AAAA")),
        b"a" * 20_000,
    ],
)
def test_what_is_no_token(tmp_path: Path, octets: bytes) -> None:
    """threats: A11"""
    assert held(tmp_path, Secret(octets)) is None


@pytest.mark.parametrize("body", [b"[]", b"[" * 5000, b"7", b"\xff", b'{"exp":1e999}', b""])
def test_what_is_signed_has_to_be_claims(tmp_path: Path, body: bytes) -> None:
    from joserfc import jws

    token = jws.serialize_compact({"alg": "ES256", "kid": "e"}, body, EC, algorithms=["ES256"])
    assert held(tmp_path, Secret(token.encode())) is None


def test_a_token_that_is_too_long_is_not_looked_at(tmp_path: Path) -> None:
    assert held(tmp_path, signed({"more": "x" * 8_000})) == "bob@example.org"
    assert held(tmp_path, signed({"more": "x" * 16_000})) is None


def test_for_a_token_of_another_issuer_no_key_is_looked_for(tmp_path: Path) -> None:
    options = local(tmp_path / "no keys at all")
    keys = FileKeys(tmp_path / "no keys at all")
    source = JwtSource(options, keys, Rules(options, "example.org"), lambda: NOW)
    assert run(source.holder(signed({"iss": "https://other.example"}))) is None
    assert run(source.holder(signed({"iss": None}))) is None
    with pytest.raises(TemporaryFailure):
        run(source.holder(signed()))


def test_the_claims_are_looked_at(tmp_path: Path) -> None:
    """threats: A11"""
    assert held(tmp_path, signed({"aud": "other"})) is None
    assert held(tmp_path, signed({"iss": "https://other.example"})) is None
    assert held(tmp_path, signed({"exp": NOW - 31})) is None
    assert held(tmp_path, signed({"exp": None})) is None
    assert held(tmp_path, signed(), scope=("delete",)) is None
