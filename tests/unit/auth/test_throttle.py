"""The throttle, by a clock of the test's: who is slowed down, by how much, and who never is."""

import ipaddress
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.options import ThrottleOptions
from restante.auth.throttle import ACCOUNT_FACTOR, NETWORK_FACTOR, Throttle, neighbourhood
from unit.auth.scene import Clock

HERE, NEAR, FAR = "192.0.2.1", "192.0.2.77", "198.51.100.1"
FREE = ThrottleOptions().free_failures


class Scene:
    def __init__(self, **settings: float) -> None:
        self.clock = Clock()
        self.options = ThrottleOptions(**settings)  # type: ignore[arg-type]
        self.throttle = Throttle(self.options, self.clock)
        self._number = 0

    def fail(self, address: str = HERE, account: str = "bob", times: int = 1) -> None:
        """Fail with a password nobody tried before."""
        for _ in range(times):
            self._number += 1
            self.throttle.failed(address, account, b"wrong %d" % self._number)

    def delay(self, address: str = HERE, account: str = "bob") -> float:
        return self.throttle.delay(address, account)


def test_nobody_waits_at_first() -> None:
    scene = Scene()
    assert scene.delay() == 0.0
    assert not scene.throttle.suspects(HERE)


def test_some_failures_are_free_and_then_the_delay_doubles() -> None:
    scene = Scene()
    delays: list[float] = []
    for _ in range(FREE + 8):
        delays.append(scene.delay(account=f"user{len(delays)}"))
        scene.fail(account=f"user{len(delays)}")
    assert delays == [0.0] * (FREE + 1) + [2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0]


@pytest.mark.parametrize("free", [0, 1, 10])
def test_how_many_are_free_can_be_set(free: int) -> None:
    scene = Scene(free_failures=free, first_delay_seconds=1, longest_delay_seconds=60)
    scene.fail(times=free)
    assert scene.delay() == 0.0
    scene.fail()
    assert scene.delay() == 1.0


def test_the_delay_stays_bounded_forever() -> None:
    scene = Scene()
    scene.fail(times=5_000)
    assert scene.delay() == scene.options.longest_delay_seconds


def test_the_same_wrong_password_again_counts_once() -> None:
    """As a forgetful program sends it every minute."""
    scene = Scene()
    for _ in range(500):
        scene.throttle.failed(HERE, "bob", b"old password")
        scene.clock.now += 60
    assert scene.delay() == 0.0
    assert not scene.throttle.suspects(HERE)  # it holds up nobody near for longer than once


def test_spraying_one_password_over_many_accounts_counts_each() -> None:
    scene = Scene()
    for number in range(FREE + 1):
        scene.throttle.failed(HERE, f"user{number}", b"Summer2026")
    assert scene.delay(account="somebody else") > 0.0


def test_two_accounts_and_networks_do_not_touch() -> None:
    scene = Scene()
    scene.fail(HERE, "bob", times=50)
    assert scene.delay(HERE, "bob") > 0.0
    assert scene.delay(HERE, "alice") > 0.0
    assert scene.delay(FAR, "alice") == 0.0
    assert not scene.throttle.suspects(FAR)


def test_a_network_is_slowed_down_later_than_an_address() -> None:
    scene = Scene()
    for number in range(NETWORK_FACTOR * FREE):
        scene.fail(f"192.0.2.{number + 100}", f"user{number}")
    assert scene.delay(NEAR, "alice") == 0.0
    assert scene.throttle.suspects(NEAR)
    scene.fail("192.0.2.99", "another")
    assert scene.delay(NEAR, "alice") == 2.0


def test_guessing_one_account_from_everywhere_is_slowed_down() -> None:
    scene = Scene()
    for number in range(ACCOUNT_FACTOR * FREE):
        scene.fail(f"203.0.{number}.1")
    assert scene.delay(FAR) == 0.0
    scene.fail("203.0.113.1")
    assert scene.delay(FAR) == 2.0
    assert scene.delay(FAR, "alice") == 0.0


def test_nobody_can_lock_an_account_from_outside() -> None:
    """Whatever others do, its owner waits no longer than the bound, and not at all at home."""
    scene = Scene()
    scene.throttle.succeeded(HERE, "bob")
    for number in range(20_000):
        scene.fail(f"203.{number >> 8 & 255}.{number & 255}.1")
    assert scene.delay(FAR) <= scene.options.longest_delay_seconds
    assert scene.delay(HERE) == 0.0
    assert scene.delay(NEAR) == 0.0


def test_a_recent_success_gets_past_the_delay_of_its_own_account_alone() -> None:
    scene = Scene()
    scene.throttle.succeeded(HERE, "bob")
    for account in ("bob", "alice"):
        for number in range(20):
            scene.fail(f"203.0.{number}.1", account)
    assert scene.delay(HERE, "bob") == 0.0
    assert scene.delay(HERE, "alice") > 0.0
    assert scene.delay(FAR, "bob") > 0.0


def test_a_success_is_recent_for_a_while() -> None:
    scene = Scene(forget_after_seconds=100)
    scene.throttle.succeeded(HERE, "bob")
    scene.clock.now += 90
    for number in range(20):
        scene.fail(f"203.0.{number}.1")
    assert scene.delay(HERE) == 0.0
    scene.clock.now += 20
    assert scene.delay(HERE) > 0.0


def test_a_success_does_not_clear_the_network() -> None:
    """Or an attacker with one account of his own could guess without end."""
    scene = Scene()
    scene.fail(times=FREE + 3)
    before = scene.delay(account="alice")
    scene.throttle.succeeded(HERE, "mallory")
    assert scene.delay(account="alice") == before > 0.0
    assert scene.delay(account="mallory") == before
    assert scene.throttle.suspects(HERE)


def test_failures_are_forgotten_after_a_while() -> None:
    scene = Scene()
    scene.fail(times=50)
    scene.clock.now += scene.options.forget_after_seconds
    assert scene.delay() > 0.0
    scene.clock.now += 1
    assert scene.delay() == 0.0
    assert not scene.throttle.suspects(HERE)
    scene.fail()
    assert scene.delay() == 0.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([HERE, NEAR, FAR]),
            st.sampled_from(["bob", "alice"]),
            st.sampled_from([0.0, 1.0, 500.0, 3_600.0]),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_who_is_let_by_is_who_is_neither_suspected_nor_delayed(
    steps: list[tuple[str, str, float, bool]],
) -> None:
    scene = Scene()
    for address, account, seconds, again in steps:
        scene.clock.now += seconds
        if again:
            scene.throttle.failed(address, account, b"the same")
        else:
            scene.fail(address, account)
        for near in (HERE, NEAR, FAR):
            for name in ("bob", "alice"):
                waits = scene.throttle.suspects(near) or scene.delay(near, name) > 0
                assert scene.throttle.lets_by(near, name) is not waits


def test_a_million_networks_stay_within_the_bound() -> None:
    scene = Scene(entries=2_000)
    for number in range(1_000_000 // 20):
        address = str(ipaddress.IPv6Address((0x20010DB8 << 96) + (number << 80)))
        scene.fail(address, f"user{number}")
        if number % 5 == 0:
            scene.throttle.succeeded(address, f"user{number}")
    assert len(scene.throttle) <= 2 * scene.options.entries


@pytest.mark.long
def test_a_million_networks_in_full() -> None:
    scene = Scene()
    for number in range(1_000_000):
        address = str(ipaddress.IPv6Address((0x2001 << 112) + (number << 80)))
        scene.fail(address, f"user{number}")
        scene.throttle.succeeded(address, f"user{number}")
    assert len(scene.throttle) <= 2 * scene.options.entries
    failures = scene.throttle._failures
    size = sum(sys.getsizeof(key) + sys.getsizeof(value) for key, value in failures.items())
    assert size + sys.getsizeof(failures) < 100 * 2**20


def test_what_is_attacked_now_is_remembered_while_others_are_forgotten() -> None:
    scene = Scene(entries=300)
    for number in range(5_000):
        scene.fail(f"203.{number >> 8 & 255}.{number & 255}.1", "bob")
    assert scene.delay(FAR) == scene.options.longest_delay_seconds


def test_it_holds_no_password() -> None:
    scene = Scene()
    scene.throttle.failed(HERE, "bob", b"kanarienvogel")
    assert "kanarienvogel" not in repr(scene.throttle._failures)


# ---- neighbours


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
