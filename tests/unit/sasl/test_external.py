"""EXTERNAL: the certificate of the client, and whom it wants to be."""

from dataclasses import replace

import pytest

from restante.errors import AuthenticationFailed
from restante.identity import CertificateCredentials
from restante.sasl.external import ExternalClient, ExternalServer
from restante.sasl.mechanism import Challenge, Channel, MechanismError

TLS = Channel(certificate=b"\x30\x82certificate")


def test_it_asks_for_the_message() -> None:
    assert ExternalServer(TLS).start(None) == Challenge(b"")


def test_nobody_in_particular() -> None:
    """conformance: 4422-S-06, 4422-S-04"""
    expected = CertificateCredentials("", b"\x30\x82certificate", "EXTERNAL", "")
    assert ExternalServer(TLS).start(b"") == expected


def test_somebody() -> None:
    """conformance: 4422-S-06"""
    credentials = ExternalServer(TLS).respond(b"fred@example.com")
    assert credentials.name == "fred@example.com"


def test_without_a_certificate() -> None:
    """conformance: 4422-S-06"""
    with pytest.raises(AuthenticationFailed) as caught:
        ExternalServer(replace(TLS, certificate=None)).start(b"")
    assert caught.value.reason == "no client certificate"


@pytest.mark.parametrize("message", [b"\xff", b"a\0", b"\0", b"a" * 1025])
def test_what_is_no_name(message: bytes) -> None:
    """conformance: 4422-S-07"""
    with pytest.raises(MechanismError):
        ExternalServer(TLS).start(message)


def test_what_a_client_sends() -> None:
    """conformance: 5034-C-03"""
    assert ExternalClient().first_message() == b""
    client = ExternalClient("fred@example.com")
    assert client.first_message() == b"fred@example.com"
    assert client.verified
    with pytest.raises(MechanismError, match="no challenge"):
        client.step(b"")
