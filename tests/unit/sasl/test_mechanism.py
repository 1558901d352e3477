"""The contract of mechanisms: what it is made of, and that each of ours keeps its names."""

import re

import pytest

from restante import sasl
from restante.errors import Refusal, RestanteError
from restante.sasl.mechanism import Challenge, MechanismError, ServerMechanism
from restante.sasl.plain import PlainServer


@pytest.mark.parametrize("mechanism", [PlainServer()])
def test_names_are_registered_ones(mechanism: ServerMechanism) -> None:
    """conformance: 4422-S-01"""
    assert re.fullmatch(r"[A-Z0-9_-]{1,20}", mechanism.name)


def test_a_malformed_message_is_no_failure_of_credentials() -> None:
    """conformance: 3206-S-07"""
    assert issubclass(MechanismError, RestanteError)
    assert not issubclass(MechanismError, Refusal)


def test_challenges_are_values() -> None:
    assert Challenge(b"a") == Challenge(b"a") != Challenge(b"b")


def test_what_the_package_shows() -> None:
    assert sasl.PlainServer is PlainServer
    assert set(sasl.__all__) == {"MechanismError", "PlainServer", "ServerMechanism"}
