"""Whom a listener believes, and what those may be offered whom a proxy brings."""

import pytest

from restante.server.offering import Offering
from restante.server.options import ListenerOptions, OfferOptions
from restante.server.proxies import Proxies
from restante.server.proxy_header import Ends, Header, parse
from unit.server.proxy_headers import LOCAL, UNIX, block, line

NEAR, FAR = ("127.0.0.1", 4711), ("10.1.2.3", 4711)


def proxies(*networks: str, cleartext: str = "loopback") -> Proxies:
    options = OfferOptions(cleartext=cleartext)  # type: ignore[arg-type]
    listener = ListenerOptions(address="127.0.0.1:0", proxy_protocol=networks)
    direct = Offering(options, listener, tls_ready=True, local=("127.0.0.1", 110))
    return Proxies(options, listener, direct, tls_ready=True)


def header(octets: bytes) -> Header:
    parsed = parse(octets)
    assert parsed is not None
    return parsed


def may_send_a_password(made: Proxies, octets: bytes, sender: tuple[str, int]) -> bool:
    """Tell whether USER is offered in clear to whom a header of this sender's names."""
    parsed = header(octets)
    ends = parsed.ends or Ends(sender, ("", 0))
    return made.offering(parsed, sender).in_clear(ends.remote[0]).user


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("2001:db8:1::9", True),
        ("2001:db8:2::9", False),
        ("fe80::1%eth0", True),
        ("::a00:1", False),
        ("", False),
        ("unix", False),
    ],
)
def test_whom_a_listener_believes(address: str, trusted: bool) -> None:
    made = proxies("10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48", "fe80::/10")
    assert made.trusts(address) is trusted


def test_behind_a_proxy_the_rest_of_the_offer_is_the_same() -> None:
    options = OfferOptions(cleartext="loopback", utf8=True, languages=("de",))
    listener = ListenerOptions(address="127.0.0.1:0", proxy_protocol=("10.0.0.0/8",))
    direct = Offering(options, listener, tls_ready=True, local=("127.0.0.1", 110))
    made = Proxies(options, listener, direct, tls_ready=True)
    offer = made.offering(header(line("203.0.113.7")), FAR).in_clear("203.0.113.7")
    assert offer.utf8
    assert offer.languages == ("de",)


def test_the_client_is_where_it_is_and_not_where_its_proxy_is() -> None:
    made = proxies("127.0.0.0/8", "10.0.0.0/8")
    assert not may_send_a_password(made, line("203.0.113.7"), NEAR)
    assert may_send_a_password(made, line("127.0.0.1", "127.0.0.1"), NEAR)


def test_a_proxy_elsewhere_makes_nobody_local() -> None:
    made = proxies("10.0.0.0/8")
    assert not may_send_a_password(made, line("127.0.0.1", "127.0.0.1"), FAR)
    assert not may_send_a_password(made, line("::1", "::1"), FAR)
    assert not may_send_a_password(made, block(command=LOCAL), FAR)


@pytest.mark.parametrize("octets", [b"PROXY UNKNOWN\r\n", block(bytes(216), family=UNIX)])
def test_a_client_without_an_address_is_not_local(octets: bytes) -> None:
    assert not may_send_a_password(proxies("127.0.0.1"), octets, NEAR)


def test_a_proxy_of_this_machine_is_local_itself() -> None:
    made = proxies("127.0.0.1")
    assert may_send_a_password(made, block(command=LOCAL), NEAR)
    assert may_send_a_password(made, line(NEAR[0], "127.0.0.1", (NEAR[1], 110)), NEAR)


@pytest.mark.parametrize("cleartext", ["tls", "always"])
def test_other_policies_are_what_they_are(cleartext: str) -> None:
    made = proxies("127.0.0.1", "10.0.0.0/8", cleartext=cleartext)
    for octets in (line(), b"PROXY UNKNOWN\r\n", block(command=LOCAL)):
        for sender in (NEAR, FAR):
            assert may_send_a_password(made, octets, sender) is (cleartext == "always")


def test_what_a_proxy_does_for_itself_is_worth_no_line() -> None:
    made = proxies("10.0.0.0/8")
    assert made.offering(header(block(command=LOCAL)), FAR).unnoticed
    assert made.offering(header(b"PROXY UNKNOWN\r\n"), FAR).unnoticed
    assert made.offering(header(line(FAR[0], "10.0.0.1", (FAR[1], 110))), FAR).unnoticed
    assert not made.offering(header(line(FAR[0], "10.0.0.1", (1, 110))), FAR).unnoticed
    assert not made.offering(header(line()), FAR).unnoticed
    assert not made.direct.unnoticed


def test_all_of_them_came_to_one_place_where_the_listener_has_one() -> None:
    made = proxies("10.0.0.0/8")
    for octets in (line(), b"PROXY UNKNOWN\r\n", block(command=LOCAL)):
        assert made.offering(header(octets), FAR).local == ("127.0.0.1", 110)
