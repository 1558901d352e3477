"""Settings of the server: what may stand, and the sentence for what may not."""

from pathlib import Path

import pytest

from restante.server.options import (
    MAXIMUM_WORKERS,
    CertificateOptions,
    LimitOptions,
    ListenerOptions,
    OfferOptions,
    ServerOptions,
    TlsOptions,
    parse_network,
    processors,
    split_address,
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("0.0.0.0:110", ("0.0.0.0", 110)),
        ("[::]:995", ("::", 995)),
        ("[2001:DB8::0001]:0", ("2001:db8::1", 0)),
        ("pop.example.org:65535", ("pop.example.org", 65_535)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int]) -> None:
    assert split_address(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "110",
        ":110",
        "::1:110",
        "[::1]",
        "[::1:110",
        "host:",
        "host:65536",
        "host:-1",
        "host:+1",
        "host:１",
        "host:1_0",
        "256.0.0.1:1",
        "1.2.3:1",
        "[x]:1",
        "a[b]:1",
        "systemd:",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError):
        ListenerOptions(address=address)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
    ],
)
def test_networks(text: str, network: str) -> None:
    assert str(parse_network(text)) == network


@pytest.mark.parametrize("text", ["", "10", "10.0.0.0/33", "10.0.0.1/8", "localhost", "[::1]"])
@pytest.mark.parametrize("address", ["127.0.0.1:110", "systemd:pop3.socket"])
def test_what_is_no_network(text: str, address: str) -> None:
    with pytest.raises(ValueError, match=r"^proxy_protocol: "):
        ListenerOptions(address=address, proxy_protocol=(text,))


def test_who_waits_for_a_header_waits_for_a_lost_segment() -> None:
    with pytest.raises(ValueError, match="proxy_header_seconds"):
        LimitOptions(proxy_header_seconds=2.9)


def test_a_name_handed_over_is_an_address() -> None:
    assert ListenerOptions(address="systemd:pop3.socket").address == "systemd:pop3.socket"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("autologout_seconds", 599.9),
        ("connections", 0),
        ("connections_per_address", 0),
        ("connections_per_network", -1),
        ("before_login_per_address", 0),
        ("before_login_seconds", 0.5),
        ("tls_handshake_seconds", 0),
        ("write_stall_seconds", 0),
        ("drain_seconds", -1),
        ("maildrop_wait_seconds", 31),
        ("maildrop_wait_seconds", -1),
    ],
)
def test_limits_that_cannot_stand(name: str, value: float) -> None:
    """conformance: 1939-S-29."""
    with pytest.raises(ValueError, match=name):
        LimitOptions(**{name: value})  # type: ignore[arg-type]


def test_limits_at_their_edge() -> None:
    """conformance: 1939-S-29."""
    LimitOptions(autologout_seconds=600, drain_seconds=0, maildrop_wait_seconds=0)


@pytest.mark.parametrize("workers", [0, -1, MAXIMUM_WORKERS + 1])
def test_workers_have_their_bounds(workers: int) -> None:
    with pytest.raises(ValueError, match="workers"):
        ServerOptions(listeners=(), workers=workers)


def test_a_worker_for_each_processor() -> None:
    assert 1 <= processors() <= MAXIMUM_WORKERS
    assert ServerOptions(listeners=()).workers == processors()


@pytest.mark.parametrize("given", ["certificate", "private_key"])
def test_a_certificate_and_its_key_go_together(given: str) -> None:
    with pytest.raises(ValueError, match="go together"):
        TlsOptions(**{given: Path("x")})  # type: ignore[arg-type]


def test_a_language_is_named_once() -> None:
    with pytest.raises(ValueError, match="named once"):
        OfferOptions(languages=("de", "en", "de"))
    assert OfferOptions(languages=()).languages == ()


def test_an_additional_certificate_needs_a_name() -> None:
    with pytest.raises(ValueError, match="at least one host name"):
        CertificateOptions(names=(), certificate=Path("x"), private_key=Path("y"))
