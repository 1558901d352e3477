"""What the server can carry out, and the randomness each exchange begins with."""

import json
import re

import pytest

from restante.errors import AuthenticationFailed
from restante.sasl.bearer import BearerServer
from restante.sasl.mechanism import RANDOM_OCTETS, Channel
from restante.server.mechanisms import CARRIED_OUT, Mechanisms, TokenHints

HOST = "pop.example.org"


def channel(random: bytes) -> Channel:
    return Channel(hostname=HOST, random=random, bindings={"tls-server-end-point": b"x" * 32})


@pytest.mark.parametrize("name", sorted(CARRIED_OUT))
def test_every_exchange_is_new_and_has_the_name_it_was_asked_by(name: str) -> None:
    mechanisms = Mechanisms(HOST)
    first, second = mechanisms.begin(name, channel), mechanisms.begin(name, channel)
    assert first.name == second.name == name
    assert first is not second


def test_no_timestamp_comes_again() -> None:
    """conformance: 1939-S-58"""
    mechanisms, others = Mechanisms(HOST), Mechanisms(HOST)
    made = [each.timestamp() for _ in range(5_000) for each in (mechanisms, others)]
    assert len(set(made)) == 10_000
    form = re.compile(rb"<[0-9a-f]{32}\.[0-9]+@pop\.example\.org>")
    assert all(form.fullmatch(timestamp) for timestamp in made)


def test_an_exchange_has_octets_enough_of_its_own() -> None:
    asked: list[bytes] = []

    def ask(random: bytes) -> Channel:
        asked.append(random)
        return channel(random)

    for name in CARRIED_OUT:
        Mechanisms(HOST).begin(name, ask)
        Mechanisms(HOST).begin(name, ask)
    assert len(set(asked)) == len(asked)
    assert all(len(random) == RANDOM_OCTETS >= 18 for random in asked)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "OAUTHBEARER",
            {"status": "invalid_token", "scope": "a b", "openid-configuration": "https://x/"},
        ),
        ("XOAUTH2", {"status": "401", "schemes": "bearer", "scope": "a b"}),
    ],
)
def test_whose_token_is_no_good_is_told_how_to_get_another(name: str, told: dict[str, str]) -> None:
    """conformance: 7628-S-04"""
    assert refusal(Mechanisms(HOST, TokenHints("a b", "https://x/")), name) == told
    assert not {"scope", "openid-configuration"} & set(refusal(Mechanisms(HOST), name))


def refusal(mechanisms: Mechanisms, name: str) -> dict[str, str]:
    exchange = mechanisms.begin(name, channel)
    assert isinstance(exchange, BearerServer)
    challenge = exchange.refused(AuthenticationFailed())
    assert challenge is not None
    return dict(json.loads(challenge.data))
