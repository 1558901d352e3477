"""What addresses count as, and how that is written and asked for."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.neighbourhood import covered, neighbourhood, network_of, parse_network, written


@pytest.mark.parametrize(
    ("one", "other", "same_host", "same_network"),
    [
        ("192.0.2.1", "192.0.2.1", True, True),
        ("192.0.2.1", "192.0.2.254", False, True),
        ("192.0.2.1", "192.0.3.1", False, False),
        ("192.0.2.1", "::ffff:192.0.2.1", True, True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True, True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False, True),
        ("2001:db8:1::1", "2001:db8:2::1", False, False),
        ("fe80::1%eth0", "fe80::1%eth1", True, True),
        ("", "unix", False, False),
        ("1.2.3", "1.2.3.0", False, False),
        ("192.0.2.1\0", "192.0.2.1", False, False),
        ("192.0.2.1 ", "192.0.2.1", False, False),
        ("\u0661.2.3.4", "1.2.3.4", False, False),
    ],
)
def test_neighbours(one: str, other: str, same_host: bool, same_network: bool) -> None:
    (host, network), (another, beside) = neighbourhood(one), neighbourhood(other)
    assert (host == another, network == beside) == (same_host, same_network)


@given(st.ip_addresses(), st.ip_addresses())
def test_hosts_of_one_network(one: object, other: object) -> None:
    (host, network), (another, beside) = neighbourhood(str(one)), neighbourhood(str(other))
    if host == another:
        assert network == beside


def test_no_address_of_one_family_is_near_one_of_the_other() -> None:
    seen = {neighbourhood(address) for address in ("::1", "0.0.0.1", "::", "0.0.0.0")}
    hosts = {host for host, _ in seen}
    assert len(hosts & {neighbourhood("0.0.0.1")[0], neighbourhood("0.0.0.0")[0]}) == 2
    assert neighbourhood("::1")[0] not in {"0.0.0.1", "0.0.0.0"}


@given(st.ip_addresses())
def test_what_an_address_counts_as_covers_it(address: object) -> None:
    parsed = ip_address(str(address))
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    for counted, lengths in zip(
        neighbourhood(str(address)), ({4: 32, 6: 64}, {4: 24, 6: 48}), strict=True
    ):
        network = covered(counted)
        assert network is not None
        assert mapped in network
        assert network.prefixlen == lengths[mapped.version]


@given(st.one_of(st.ip_addresses().map(str), st.text(max_size=20)))
def test_the_network_of_what_counts_alone(address: str) -> None:
    host, network = neighbourhood(address)
    assert network_of(host) == network


@pytest.mark.parametrize(
    ("address", "host", "network"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3::7", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unix", "unix", "unix"),
        ("1.2.3.4.5", "1.2.3.4.5", "1.2.3.4.5"),
        ("", "", ""),
    ],
)
def test_how_it_is_written(address: str, host: str, network: str) -> None:
    alone, near = neighbourhood(address)
    assert (written(alone), written(near)) == (host, network)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("[2001:db8::1]", "2001:db8::1/128"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("bob", None),
        ("bob@example.org", None),
        ("192.0.2.7/33", None),
        ("", None),
    ],
)
def test_what_somebody_asks_for(text: str, network: str | None) -> None:
    found = parse_network(text)
    assert found == (None if network is None else ip_network(network))
