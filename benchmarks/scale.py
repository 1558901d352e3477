"""How much of everything: the full form that fills the page, and a short one that CI can afford."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of all works."""

    runs: int
    login_accounts: int
    login_messages: int
    logins_at_once: int
    logins: int
    tls_logins: int
    cold_logins: int
    mixed_messages: int
    mixed_mean_octets: int
    drains: int
    huge_messages: int
    huge_sessions: int
    settling_seconds: float
    held_connections: tuple[int, ...]
    latency_runs: int
    latency_seconds: float
    logins_per_second: int
    latency_accounts: int
    draining_sessions: int
    messages_per_second: int


FULL = Scale(
    runs=5,
    login_accounts=128,
    login_messages=10,
    logins_at_once=32,
    logins=2000,
    tls_logins=1000,
    cold_logins=40,
    mixed_messages=400,
    mixed_mean_octets=75_000,
    drains=3,
    huge_messages=100_000,
    huge_sessions=4,
    settling_seconds=3.0,
    held_connections=(2_000, 10_000),
    latency_runs=3,
    latency_seconds=15.0,
    logins_per_second=100,
    latency_accounts=512,
    draining_sessions=4,
    messages_per_second=200,
)

SHORT = Scale(
    runs=1,
    login_accounts=16,
    login_messages=3,
    logins_at_once=8,
    logins=100,
    tls_logins=50,
    cold_logins=4,
    mixed_messages=40,
    mixed_mean_octets=75_000,
    drains=1,
    huge_messages=3_000,
    huge_sessions=1,
    settling_seconds=0.0,
    held_connections=(200,),
    latency_runs=1,
    latency_seconds=2.0,
    logins_per_second=50,
    latency_accounts=64,
    draining_sessions=2,
    messages_per_second=50,
)
