"""The contract of mechanisms: what it is made of, and that each of ours keeps its names."""

import re

import pytest

from restante import sasl
from restante.errors import Refusal, RestanteError
from restante.sasl import (
    CramMd5Server,
    ExternalServer,
    LoginServer,
    OAuthBearerServer,
    PlainServer,
    ScramServer,
    ServerMechanism,
    XOAuth2Server,
)
from restante.sasl.mechanism import Challenge, Channel, MechanismError
from restante.sasl.scram import SCRAM_DIGESTS

CHANNEL = Channel(random=b"kanarienvogel-octets", certificate=b"DER")
SERVERS: list[ServerMechanism] = [
    PlainServer(),
    LoginServer(),
    CramMd5Server(CHANNEL),
    ExternalServer(CHANNEL),
    OAuthBearerServer(CHANNEL),
    XOAuth2Server(CHANNEL),
    *(ScramServer(name, CHANNEL) for name in SCRAM_DIGESTS),
    *(ScramServer(f"{name}-PLUS", CHANNEL) for name in SCRAM_DIGESTS),
]


@pytest.mark.parametrize("mechanism", SERVERS)
def test_names_are_registered_ones(mechanism: ServerMechanism) -> None:
    """conformance: 4422-S-01"""
    assert re.fullmatch(r"[A-Z0-9_-]{1,20}", mechanism.name)


def test_no_name_comes_twice() -> None:
    assert len({mechanism.name for mechanism in SERVERS}) == len(SERVERS)


def test_a_malformed_message_is_no_failure_of_credentials() -> None:
    """conformance: 3206-S-07"""
    assert issubclass(MechanismError, RestanteError)
    assert not issubclass(MechanismError, Refusal)


def test_challenges_are_values() -> None:
    assert Challenge(b"a") == Challenge(b"a") != Challenge(b"b")


def test_a_channel_gives_what_is_random_once_there_is_enough_of_it() -> None:
    assert CHANNEL.fresh() == CHANNEL.random
    assert "kanarienvogel" not in repr(CHANNEL)
    for octets in (0, 17):
        with pytest.raises(ValueError, match="too few"):
            Channel(random=bytes(octets)).fresh()


def test_what_the_package_shows() -> None:
    assert set(sasl.__all__) <= set(vars(sasl))
