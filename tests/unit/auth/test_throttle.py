"""The throttle, by a clock of the test's: who is slowed down, by how much, and who never is."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.failures import PASSWORDS_KEPT
from restante.auth.neighbourhood import parse_network
from restante.auth.options import ThrottleOptions
from restante.auth.throttle import (
    ACCOUNT_FACTOR,
    FAILED,
    FRESH,
    KNOWN,
    NETWORK_FACTOR,
    RUSH,
    Throttle,
)
from unit.auth.scene import Clock

HERE, NEAR, FAR = "192.0.2.1", "192.0.2.77", "198.51.100.1"
FREE = ThrottleOptions().free_failures


class Scene:
    def __init__(self, **settings: float | tuple[str, ...]) -> None:
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
    """As a forgetful program sends it every minute. threats: A3"""
    scene = Scene()
    for _ in range(500):
        scene.throttle.failed(HERE, "bob", b"old password")
        scene.clock.now += 60
    assert scene.delay() == 0.0
    assert not scene.throttle.suspects(HERE)  # it holds up nobody near for longer than once
    assert list(scene.throttle.held()) == []


@pytest.mark.parametrize("programs", [2, 5, PASSWORDS_KEPT])
def test_forgetful_programs_behind_one_address_may_alternate(programs: int) -> None:
    scene = Scene(free_failures=PASSWORDS_KEPT)
    for _ in range(100):
        for number in range(programs):
            scene.throttle.failed(HERE, f"user{number}", b"old password")
            scene.clock.now += 30
    assert scene.delay() == 0.0
    assert scene.delay(account="user0") == 0.0


def test_a_forgetful_program_that_travels_counts_once_for_its_account() -> None:
    scene = Scene()
    for number in range(50):
        scene.throttle.failed(f"203.0.{number}.1", "bob", b"old password")
    assert scene.delay(FAR) == 0.0
    assert [held.failures for held in scene.throttle.held() if held.kind == "account"] == [1]


def test_what_is_repeated_keeps_no_other_failure_alive() -> None:
    """Or one forgetful program would hold its whole office down for ever."""
    scene = Scene()
    scene.fail(times=FREE + 2)
    for _ in range(20):
        scene.throttle.failed(HERE, "bob", b"old password")
        scene.clock.now += 60
    assert scene.delay() == 0.0
    scene.throttle.failed(HERE, "bob", b"old password")
    assert scene.delay() == 0.0
    scene.fail()
    assert [held.failures for held in scene.throttle.held()][:1] == [1]


def test_guessing_around_a_repeated_password_counts_each() -> None:
    scene = Scene()
    for _ in range(FREE + 1):
        scene.throttle.failed(HERE, "bob", b"old password")
        scene.fail()
    assert scene.delay() > 0.0


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
    scene = Scene(remember_success_seconds=100)
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


def attacked_by(networks: int, **settings: int) -> Scene:
    """Let one address of each network fail, and a tenth of them log in."""
    scene = Scene(**settings)
    throttle = scene.throttle
    for number in range(networks):
        address = f"2001:{number >> 16:x}:{number & 0xFFFF:x}::1"
        throttle.failed(address, f"user{number}", b"wrong")
        if number % 10 == 0:
            throttle.succeeded(address, f"user{number}")
    return scene


def octets_of(throttle: Throttle) -> int:
    kept = [*throttle._failures.items(), *throttle._successes.items()]
    size = sum(sys.getsizeof(key) + sys.getsizeof(value) for key, value in kept)
    size += sum(sys.getsizeof(failures.wrong) for failures in throttle._failures.values())
    return size + sys.getsizeof(throttle._failures) + sys.getsizeof(throttle._successes)


def test_many_networks_stay_within_the_bound() -> None:
    """threats: A3"""
    scene = attacked_by(100_000, entries=10_000)
    assert len(scene.throttle) <= 2 * scene.options.entries
    assert octets_of(scene.throttle) < 6 * 2**20


@pytest.mark.long
def test_a_million_networks_stay_within_the_bound() -> None:
    """threats: A3"""
    scene = attacked_by(1_000_000)
    assert len(scene.throttle) <= 2 * scene.options.entries
    assert octets_of(scene.throttle) < 60 * 2**20


def test_what_is_attacked_now_is_remembered_while_others_are_forgotten() -> None:
    scene = Scene(entries=300)
    for number in range(5_000):
        scene.fail(f"203.{number >> 8 & 255}.{number & 255}.1", "bob")
    assert scene.delay(FAR) == scene.options.longest_delay_seconds


def test_it_holds_no_password() -> None:
    scene = Scene()
    scene.throttle.failed(HERE, "bob", b"kanarienvogel")
    assert "kanarienvogel" not in repr(scene.throttle._failures)


# ---- a network and those who live there


def test_who_logged_in_from_this_address_is_past_the_count_of_its_network() -> None:
    """threats: A3"""
    scene = Scene()
    scene.throttle.succeeded(NEAR, "bob")
    for number in range(100):
        scene.fail(f"192.0.2.{number + 100}", f"user{number}")
    assert scene.delay(NEAR, "bob") == 0.0
    assert scene.delay(NEAR, "alice") > 0.0
    assert scene.delay(HERE, "bob") > 0.0, "the network knows the account, but not this address"


def test_who_fails_is_not_past_the_count_of_its_network() -> None:
    scene = Scene()
    scene.throttle.succeeded(HERE, "bob")
    scene.fail(HERE, "alice", times=4 * FREE + 4)
    assert scene.delay(HERE, "bob") == 15.0


def test_ranks() -> None:
    scene = Scene()
    assert scene.throttle.rank(HERE, "bob") == FRESH
    scene.throttle.succeeded(NEAR, "bob")
    assert scene.throttle.rank(HERE, "bob") == KNOWN
    assert scene.throttle.rank(HERE, "alice") == FRESH
    scene.fail(HERE, "alice")
    assert scene.throttle.rank(HERE, "alice") == FAILED
    assert scene.throttle.rank(HERE, "bob") == KNOWN, "whoever mistypes is still known"
    scene.fail(HERE, "alice", times=FREE)
    assert scene.throttle.rank(HERE, "bob") == FAILED


def test_an_ipv6_customer_is_one_address_and_a_48_one_network() -> None:
    scene = Scene()
    for number in range(FREE + 1):
        scene.fail(f"2001:db8:1:2::{number}", f"user{number}")
    assert scene.delay("2001:db8:1:2:ffff::1", "alice") == 2.0
    assert scene.delay("2001:db8:1:3::1", "alice") == 0.0
    for number in range(NETWORK_FACTOR * FREE):
        scene.fail(f"2001:db8:1:{number + 16:x}::1", f"user{number}")
    assert scene.delay("2001:db8:1:3::1", "alice") > 0.0
    assert scene.delay("2001:db8:2::1", "alice") == 0.0


# ---- all together


def flood(scene: Scene, count: int) -> None:
    for number in range(count):
        scene.fail(f"2001:db8:{number:x}::1", f"user{number}")


def test_failures_of_all_together_delay_whoever_is_not_known() -> None:
    """threats: A3, A4"""
    scene = Scene(failures_per_minute=100)
    flood(scene, 100)
    assert scene.delay(FAR, "alice") == 0.0
    delays = []
    for _ in range(5):
        flood(scene, 10)
        delays.append(scene.delay(FAR, "alice"))
        assert scene.throttle.lets_by(FAR, "alice") is False
    assert delays == [4.0, 8.0, 15.0, 15.0, 15.0]
    assert scene.throttle.judge(FAR, "alice").reason == "all"
    scene.throttle.succeeded(FAR, "alice")
    assert scene.delay(FAR, "alice") == 0.0
    assert scene.throttle.lets_by(FAR, "alice") is True


def test_a_flood_runs_off_within_a_minute() -> None:
    scene = Scene(failures_per_minute=100)
    flood(scene, 5_000)
    assert scene.delay(FAR, "alice") == 15.0
    scene.clock.now += 60
    assert scene.delay(FAR, "alice") == 0.0
    assert scene.throttle.lets_by(FAR, "alice") is True
    flood(scene, 5)
    assert scene.delay(FAR, "alice") > 0.0, "what ran off are a minute's, no more"


def test_steady_failures_below_the_bound_are_no_flood() -> None:
    scene = Scene(failures_per_minute=60)
    for number in range(2_000):
        scene.fail(f"2001:db8:{number:x}::1", f"user{number}")
        scene.clock.now += 1.0
    assert scene.delay(FAR, "alice") == 0.0


# ---- gateways

GATE = "10.1.2.3"


def test_a_gateway_counts_by_credential() -> None:
    scene = Scene(gateways=("10.0.0.0/8",))
    scene.fail(GATE, "bob", times=FREE + 3)
    assert scene.throttle.judge(GATE, "bob") == (8.0, "credential")
    assert scene.delay(GATE, "alice") == 0.0
    assert not scene.throttle.suspects(GATE, "alice")
    assert scene.throttle.lets_by(GATE, "alice")
    assert scene.throttle.suspects(GATE, "bob")
    assert not scene.throttle.lets_by(GATE, "bob")
    assert scene.delay("10.1.2.4", "alice") == 0.0


def test_spraying_through_a_gateway_holds_up_nobody_else_there() -> None:
    scene = Scene(gateways=("10.0.0.0/8", "2001:db8::/32"))
    for address in (GATE, "2001:db8:9::9"):
        for number in range(200):
            scene.throttle.failed(address, f"user{number}", b"Summer2026")
        assert scene.delay(address, "alice") == 0.0
    assert scene.throttle.rank(GATE, "alice") == FRESH
    assert scene.throttle.place(GATE, "alice").network != scene.throttle.place(GATE, "bob").network


def test_the_count_of_the_account_goes_on_behind_a_gateway() -> None:
    scene = Scene(gateways=("10.0.0.0/8",))
    scene.fail(GATE, "bob", times=ACCOUNT_FACTOR * FREE + 1)
    assert scene.delay(FAR, "bob") > 0.0


def test_others_are_no_gateway() -> None:
    scene = Scene(gateways=("10.0.0.0/8",))
    scene.fail(HERE, "bob", times=FREE + 1)
    scene.fail("2001:db8::1", "bob", times=FREE + 1)
    scene.fail("unix", "bob", times=FREE + 1)
    for address in (HERE, "2001:db8::1", "unix"):
        assert scene.delay(address, "alice") > 0.0


# ---- what an administrator sees and forgives


def shown(scene: Scene) -> dict[tuple[str, str], tuple[int, float]]:
    return {
        (held.kind, held.name): (held.failures, held.delay_seconds)
        for held in scene.throttle.held()
        if held.kind != "all"
    }


def test_what_is_held_is_shown() -> None:
    scene = Scene(gateways=("10.0.0.0/8",))
    scene.fail(HERE, "bob", times=FREE + 1)
    scene.fail("2001:db8:1:2::3", "alice")
    scene.fail(GATE, "carol")
    scene.clock.now += 5
    assert shown(scene) == {
        ("address", "192.0.2.1"): (4, 2.0),
        ("network", "192.0.2.0/24"): (4, 0.0),
        ("account", "bob"): (4, 0.0),
        ("address", "2001:db8:1:2::/64"): (1, 0.0),
        ("network", "2001:db8:1::/48"): (1, 0.0),
        ("account", "alice"): (1, 0.0),
        ("credential", "10.1.2.3 carol"): (1, 0.0),
        ("account", "carol"): (1, 0.0),
    }
    assert {held.seconds_ago for held in scene.throttle.held()} == {5.0}
    scene.fail(HERE)
    assert list(scene.throttle.held())[-1] == ("all", "", 1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("network", "left"),
    [
        ("192.0.2.1", {"192.0.2.77", "192.0.2.0/24", "bob"}),
        ("192.0.2.0/24", {"bob"}),
        ("192.0.2.64/26", {"192.0.2.1", "192.0.2.0/24", "bob"}),
        ("192.0.0.0/16", {"bob"}),
        ("192.0.3.0/24", {"192.0.2.1", "192.0.2.77", "192.0.2.0/24", "bob"}),
        ("2001:db8::/32", {"192.0.2.1", "192.0.2.77", "192.0.2.0/24", "bob"}),
    ],
)
def test_a_network_is_forgiven(network: str, left: set[str]) -> None:
    scene = Scene()
    scene.fail(HERE, "bob", times=5)
    scene.fail(NEAR, "bob", times=2)
    forgotten = scene.throttle.forgive(network=parse_network(network))
    assert {name for _, name in shown(scene)} == left
    assert forgotten == 4 - len(left)


def test_an_address_takes_its_share_off_its_network() -> None:
    scene = Scene()
    scene.fail(HERE, "bob", times=20)
    scene.fail(NEAR, "bob", times=2)
    assert scene.delay("192.0.2.200", "alice") == 15.0
    scene.throttle.forgive(network=parse_network(HERE))
    assert shown(scene)["network", "192.0.2.0/24"] == (2, 0.0)
    assert scene.delay(HERE, "alice") == 0.0


def test_an_ipv6_address_stands_for_its_64() -> None:
    scene = Scene()
    scene.fail("2001:db8:1:2::3", "bob", times=20)
    scene.throttle.forgive(network=parse_network("2001:db8:1:2::9"))
    assert scene.delay("2001:db8:1:2::3", "alice") == 0.0
    assert not scene.throttle.suspects("2001:db8:1:2::3")


def test_an_account_is_forgiven() -> None:
    scene = Scene(gateways=("10.0.0.0/8",))
    scene.fail(GATE, "bob", times=9)
    scene.fail(GATE, "bobby", times=9)
    assert scene.throttle.forgive(account="bob") == 2
    assert scene.delay(GATE, "bob") == scene.delay(FAR, "bob") == 0.0
    assert scene.delay(GATE, "bobby") > 0.0


def test_everything_is_forgiven() -> None:
    scene = Scene(failures_per_minute=10)
    flood(scene, 50)
    assert scene.throttle.forgive_all() == 150
    assert shown(scene) == {}
    assert scene.throttle.lets_by(FAR, "alice")


def test_who_comes_in_a_crowd_takes_turns_before_anybody_has_failed() -> None:
    scene = Scene()
    throttle = scene.throttle
    throttle.succeeded(HERE, "alice")
    for number in range(RUSH):
        assert throttle.lets_by(f"192.0.2.{number}", "bob")
        throttle.missed(f"192.0.2.{number}", "bob")
    assert not throttle.lets_by(NEAR, "bob")
    assert throttle.spares(NEAR, "bob")
    assert throttle.lets_by(NEAR, "alice"), "known from this network"
    assert throttle.lets_by(FAR, "bob")
    scene.clock.now += 0.5
    assert throttle.lets_by(NEAR, "bob")
    scene.clock.now += 1.0
    assert throttle.lets_by(NEAR, "bob")
    assert not throttle._rush


def test_who_is_known_makes_no_crowd() -> None:
    """As when the cache of a whole office is cold."""
    throttle = Scene().throttle
    throttle.succeeded(HERE, "alice")
    for _ in range(3 * RUSH):
        throttle.missed(HERE, "alice")
    assert throttle.lets_by(HERE, "bob")


def test_a_crowd_behind_a_gateway_is_of_one_account() -> None:
    throttle = Scene(gateways=("192.0.2.0/24",)).throttle
    for _ in range(RUSH):
        throttle.missed(HERE, "bob")
    assert not throttle.lets_by(HERE, "bob")
    assert throttle.lets_by(HERE, "alice")
