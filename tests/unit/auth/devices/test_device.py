"""A device and its rules: which logins they let through."""

import pytest

from restante.auth.devices.device import (
    ITSELF,
    Device,
    Mechanism,
    StoredDevice,
    checked_name,
    checked_networks,
    is_within,
)
from restante.errors import AccountError

NOW = 1_000_000.0


def test_without_rules_every_password_login_is_let_through() -> None:
    laptop = Device(7, "laptop")
    for mechanism in ("USER", "PLAIN", "LOGIN"):
        assert laptop.objection("192.0.2.1", mechanism, NOW) is None


@pytest.mark.parametrize("mechanism", ["USER", "PLAIN", "APOP", "CRAM-MD5", "SCRAM-SHA-256"])
def test_the_accounts_own_proof_has_no_rules_here(mechanism: str) -> None:
    assert ITSELF.objection("192.0.2.1", mechanism, NOW) is None


@pytest.mark.parametrize(
    ("allowed", "mechanism", "objection"),
    [
        ("any", "USER", None),
        ("any", "APOP", "device mechanism: a"),
        ("any", "CRAM-MD5", "device mechanism: a"),
        ("apop", "APOP", None),
        ("apop", "USER", "device mechanism: a"),
        ("apop", "PLAIN", "device mechanism: a"),
        ("apop", "CRAM-MD5", "device mechanism: a"),
        ("cram-md5", "CRAM-MD5", None),
        ("cram-md5", "APOP", "device mechanism: a"),
        ("cram-md5", "USER", "device mechanism: a"),
    ],
)
def test_a_password_is_for_one_of_the_digests_or_for_being_sent(
    allowed: Mechanism, mechanism: str, objection: str | None
) -> None:
    assert Device(7, "a", allowed).objection("192.0.2.1", mechanism, NOW) == objection


def test_an_expired_one_is_told() -> None:
    device = Device(7, "a", expires_at=1_000)
    assert device.objection("192.0.2.1", "USER", 999.9) is None
    assert device.objection("192.0.2.1", "USER", 1_000.0) == "device expired: a"


def test_another_network_is_told() -> None:
    device = Device(7, "a", networks="192.0.2.0/24")
    assert device.objection("192.0.2.9", "USER", NOW) is None
    assert device.objection("192.0.3.9", "USER", NOW) == "device network: a"


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("192.0.2.7", "192.0.2.0/24", True),
        ("192.0.3.7", "192.0.2.0/24", False),
        ("192.0.3.7", "192.0.2.0/24 192.0.3.7/32", True),
        ("::ffff:192.0.2.7", "192.0.2.0/24", True),
        ("::ffff:192.0.3.7", "192.0.2.0/24", False),
        ("2001:db8::1", "2001:db8::/32", True),
        ("2001:db9::1", "2001:db8::/32", False),
        ("fe80::1%eth0", "fe80::/10", True),
        ("192.0.2.7", "2001:db8::/32", False),
        ("2001:db8::1", "192.0.2.0/24", False),
        ("", "0.0.0.0/0 ::/0", False),
        ("not an address", "0.0.0.0/0", False),
    ],
)
def test_networks_of_both_families(address: str, networks: str, inside: bool) -> None:
    assert is_within(address, networks) is inside


def test_networks_are_kept_in_one_form() -> None:
    given = ("192.0.2.0/24", "2001:DB8::/32", "198.51.100.7", "::ffff:203.0.113.0/120")
    kept = "192.0.2.0/24 2001:db8::/32 198.51.100.7/32 203.0.113.0/24"
    assert checked_networks(given) == kept
    assert checked_networks(()) == ""


@pytest.mark.parametrize("network", ["192.0.2.1/24", "192.0.2.0/33", "home", "", "10.0.0.0/8 x"])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(AccountError, match="network: "):
        checked_networks((network,))


def test_there_are_not_too_many_networks() -> None:
    with pytest.raises(AccountError, match="32 networks"):
        checked_networks(("192.0.2.0/24",) * 33)


@pytest.mark.parametrize("name", ["laptop", "Anna's phone", "Tür", "x" * 64])
def test_names_that_people_give(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "a\0b", "\u202ea", "x" * 65, "ü" * 33])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(AccountError, match="cannot be the name of a device"):
        checked_name(name)


def test_what_is_stored_does_not_print_itself() -> None:
    stored = StoredDevice(Device(7, "a"), 0, b"mark", b"canary-one", b"canary-two")
    assert "canary" not in repr(stored)
