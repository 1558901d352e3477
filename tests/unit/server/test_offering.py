"""What is offered where: passwords in clear only as far as the policy goes."""

import pytest

from restante.server.offering import Offering
from restante.server.options import ListenerOptions, OfferOptions, TlsMode


def offering(cleartext: str, tls: TlsMode = "stls", *, tls_ready: bool = True) -> Offering:
    options = OfferOptions(cleartext=cleartext)  # type: ignore[arg-type]
    return Offering(options, ListenerOptions(address="127.0.0.1:0", tls=tls), tls_ready=tls_ready)


def test_by_default_nothing_is_taken_in_clear() -> None:
    """conformance: 5034-S-26, 4616-S-05, 2595-S-12, 2595-S-13."""
    assert OfferOptions().cleartext == "tls"
    offer = offering("tls").in_clear("127.0.0.1")
    assert not offer.user
    assert offer.mechanisms == ()
    assert offer.only_under_tls == {"USER", "PLAIN"}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"])
def test_loopback_may_be_trusted(address: str) -> None:
    offer = offering("loopback").in_clear(address)
    assert offer.user
    assert offer.mechanisms == ("PLAIN",)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "", "unix"])
def test_loopback_is_nothing_else(address: str) -> None:
    assert not offering("loopback").in_clear(address).user


def test_always_means_everybody() -> None:
    assert offering("always").in_clear("192.0.2.1").user


@pytest.mark.parametrize("cleartext", ["tls", "loopback", "always"])
def test_under_tls_everything_is_offered_and_stls_is_not(cleartext: str) -> None:
    """conformance: 2595-S-05, 2595-S-08."""
    offer = offering(cleartext).under_tls()
    assert offer.user
    assert offer.mechanisms == ("PLAIN",)
    assert not offer.stls


def test_stls_is_offered_where_it_would_work() -> None:
    """conformance: 2595-S-02, 8314-S-05."""
    assert offering("tls").in_clear("192.0.2.1").stls
    assert not offering("tls", tls_ready=False).in_clear("192.0.2.1").stls
    assert not offering("tls", "none").in_clear("192.0.2.1").stls


def test_only_what_is_configured_is_offered() -> None:
    options = OfferOptions(mechanisms=("PLAIN",), cleartext="always")
    listener = ListenerOptions(address="127.0.0.1:0")
    offer = Offering(options, listener, tls_ready=True).in_clear("192.0.2.1")
    assert not offer.user
    assert offer.mechanisms == ("PLAIN",)
