"""What is offered where: in clear as far as the policy goes, under TLS as the layer is fit."""

import pytest

from restante.protocol import Offer
from restante.protocol.lines import SASL_OCTETS
from restante.server.offering import INPUT_OCTETS, TOKEN_LINE_OCTETS, Offering, needs_tls
from restante.server.options import ListenerOptions, Mechanism, OfferOptions, TlsMode

EVERYTHING: tuple[Mechanism, ...] = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "PLAIN",
    "CRAM-MD5",
    "EXTERNAL",
    "OAUTHBEARER",
    "XOAUTH2",
    "APOP",
    "USER",
)


def offering(
    cleartext: str,
    tls: TlsMode = "stls",
    *,
    tls_ready: bool = True,
    mechanisms: tuple[Mechanism, ...] = ("PLAIN", "USER"),
) -> Offering:
    options = OfferOptions(cleartext=cleartext, mechanisms=mechanisms)  # type: ignore[arg-type]
    return Offering(options, ListenerOptions(address="127.0.0.1:0", tls=tls), tls_ready=tls_ready)


def test_by_default_nothing_is_taken_in_clear() -> None:
    """conformance: 5034-S-26, 4616-S-05, 2595-S-12, 2595-S-13."""
    assert OfferOptions().cleartext == "tls"
    offer = offering("tls").in_clear("127.0.0.1")
    assert not offer.user
    assert offer.mechanisms == ()
    assert offer.only_under_tls == {"USER", "PLAIN"}


def test_what_is_weak_or_asks_for_setting_up_is_off_by_default() -> None:
    """conformance: 2195-S-05, 6151-O-01, DF-S-07, LOGIN-S-01"""
    chosen = set(OfferOptions().mechanisms)
    assert chosen == {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "USER"}


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
    offer = offering("always", mechanisms=("PLAIN",)).in_clear("192.0.2.1")
    assert not offer.user
    assert offer.mechanisms == ("PLAIN",)


def test_in_clear_nothing_is_offered_that_needs_a_layer() -> None:
    """conformance: 5802-S-11, 7628-S-01, 8314-S-08"""
    offer = offering("always", mechanisms=EVERYTHING).in_clear("192.0.2.1")
    assert offer.mechanisms == ("SCRAM-SHA-256", "PLAIN", "CRAM-MD5")
    assert offer.user
    assert offer.apop


@pytest.mark.parametrize("binding", [False, True])
@pytest.mark.parametrize("certificate", [False, True])
def test_under_tls_what_the_layer_is_fit_for(binding: bool, certificate: bool) -> None:
    """conformance: 5802-S-11, 7677-S-01, 8314-S-08"""
    made = offering("tls", mechanisms=EVERYTHING)
    offer = made.under_tls(binding=binding, certificate=certificate)
    assert ("SCRAM-SHA-256-PLUS" in offer.mechanisms) == binding
    assert ("EXTERNAL" in offer.mechanisms) == certificate
    assert {"OAUTHBEARER", "XOAUTH2", "SCRAM-SHA-256"} < set(offer.mechanisms)
    assert offer.mechanisms == tuple(name for name in EVERYTHING if name in offer.mechanisms)
    assert made.binds
    assert not offering("tls").binds


EVERYWHERE = ("tls", "192.0.2.1"), ("always", "192.0.2.1"), ("loopback", "127.0.0.1")


@pytest.mark.parametrize(("cleartext", "address"), EVERYWHERE)
def test_utf8_and_languages_are_the_same_everywhere(cleartext: str, address: str) -> None:
    """conformance: 6856-S-01, 6856-S-17"""
    for utf8 in (False, True):
        options = OfferOptions(cleartext=cleartext, utf8=utf8, languages=("de",))  # type: ignore[arg-type]
        made = Offering(options, ListenerOptions(address="127.0.0.1:0"), tls_ready=True)
        for offer in (made.in_clear(address), made.under_tls()):
            assert (offer.utf8, offer.utf8_names, offer.ascii_headers) == (utf8, utf8, utf8)
            assert offer.languages == ("de",)


def test_headers_may_be_left_as_they_are() -> None:
    options = OfferOptions(utf8=True, international_headers="as-is")
    made = Offering(options, ListenerOptions(address="127.0.0.1:0"), tls_ready=True)
    assert made.under_tls().utf8
    assert not made.under_tls().ascii_headers


def test_by_default_utf8_is_off_and_the_languages_are_offered() -> None:
    offer = offering("always").under_tls()
    assert not offer.utf8
    assert not offer.ascii_headers
    assert offer.languages == ("en", "de")


def test_apop_is_offered_where_its_timestamp_can_be_said() -> None:
    """Behind STLS no greeting follows. conformance: 1939-S-56"""
    behind_stls = offering("tls", mechanisms=EVERYTHING)
    assert not behind_stls.under_tls().apop
    assert not behind_stls.in_clear("192.0.2.1").apop
    assert "APOP" not in behind_stls.in_clear("192.0.2.1").only_under_tls
    assert offering("tls", "implicit", mechanisms=EVERYTHING).under_tls().apop


@pytest.mark.parametrize(
    ("mechanism", "octets", "unread"),
    [
        ("PLAIN", SASL_OCTETS, INPUT_OCTETS),
        ("OAUTHBEARER", TOKEN_LINE_OCTETS, TOKEN_LINE_OCTETS),
        ("XOAUTH2", TOKEN_LINE_OCTETS, TOKEN_LINE_OCTETS),
    ],
)
def test_a_token_has_room_for_its_line(mechanism: Mechanism, octets: int, unread: int) -> None:
    made = offering("always", mechanisms=(mechanism,))
    assert made.under_tls().sasl_octets == octets
    assert made.in_clear("192.0.2.1").sasl_octets == SASL_OCTETS
    assert made.input_octets >= unread >= octets or made.input_octets == INPUT_OCTETS
    assert Offer().sasl_octets == SASL_OCTETS


def test_some_never_go_in_clear() -> None:
    assert {name for name in EVERYTHING if needs_tls(name)} == {
        "SCRAM-SHA-256-PLUS",
        "EXTERNAL",
        "OAUTHBEARER",
        "XOAUTH2",
    }
