"""Settings of the server: listeners, TLS, limits, processes.

Values only. A value that cannot stand raises ValueError with a sentence; `config` adds file, key
and line.
"""

import os
import socket
from dataclasses import dataclass, field
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from pathlib import Path
from typing import Literal

AUTOLOGOUT_FLOOR_SECONDS = 600
"""RFC 1939 §3: an autologout timer MUST be of at least 10 minutes."""

PROXY_HEADER_FLOOR_SECONDS = 3.0
"""The PROXY protocol: whoever waits for a header leaves time for one lost segment."""

INHERITED = "systemd:"
"""Before the name of a socket that whoever started us handed over."""

MAXIMUM_WORKERS = 32
"""Half of the regions that workers count in: a reload needs two generations at once."""

TlsMode = Literal["implicit", "stls", "none"]
Mechanism = Literal[
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "EXTERNAL",
    "OAUTHBEARER",
    "XOAUTH2",
    "APOP",
    "USER",
]
"""What this version can offer; `USER` stands for the commands USER and PASS."""
Language = Literal["en", "de"]
"""What this version has its replies in."""


def processors() -> int:
    """Return how many workers make use of the processors we may use."""
    return min(len(os.sched_getaffinity(0)), MAXIMUM_WORKERS)


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[v6]:port`.

    Raises:
        ValueError: it is neither.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("address is host:port, IPv6 in brackets")
    if host.startswith("[") and host.endswith("]"):
        return str(IPv6Address(host[1:-1])), int(port)
    if not host or ":" in host or "[" in host or "]" in host:
        raise ValueError("address is host:port, IPv6 in brackets")
    if host.replace(".", "").isdigit():
        return str(IPv4Address(host)), int(port)
    return host, int(port)


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """Return the network of `address/bits`, or of an address alone.

    Raises:
        ValueError: it is neither.
    """
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'"{text}" is no address and no network') from None
    raise ValueError(f'"{text}" is an address within the network {meant}: name one of them')


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """One address that is listened on."""

    address: str
    """`host:port`, IPv6 in brackets; port 0 takes a free one; `systemd:NAME` an inherited one."""
    tls: TlsMode = "stls"
    """implicit: TLS first (port 995); stls: upgrade on request (port 110); none: never."""
    proxy_protocol: tuple[str, ...] = ()
    """Networks, or addresses, of proxies that put a PROXY header (version 1 or 2) before each
    connection and are believed what it says of the client. Who comes from there without one is
    turned away; who comes from elsewhere is served as itself, and a header of theirs is bad
    commands."""

    def __post_init__(self) -> None:
        for network in self.proxy_protocol:
            try:
                parse_network(network)
            except ValueError as error:
                raise ValueError(f"proxy_protocol: {error}") from None
        if self.address.startswith(INHERITED):
            if self.address == INHERITED:
                raise ValueError("address: systemd:NAME needs the name of a socket")
            return
        try:
            split_address(self.address)
        except AddressValueError as error:
            raise ValueError(f"address is no IP address: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOptions:
    """One certificate and the names that choose it by SNI."""

    names: tuple[str, ...]
    """Host names a client may ask for; `*.example.org` stands for every name one level below."""
    certificate: Path
    """PEM, the server's own first, then its chain."""
    private_key: Path
    """PEM, without a passphrase."""

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("names: at least one host name chooses this certificate")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """Certificates and what is negotiated with them."""

    certificate: Path | None = None
    """PEM, the server's own first, then its chain."""
    private_key: Path | None = None
    """PEM, without a passphrase."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that is spoken."""
    session_tickets: bool = True
    """Whether a client that comes again may resume; the keys are made anew with a reload or a
    restart (RFC 9325 §3.4). Without, each handshake is a full one, and a little cheaper."""
    client_authorities: Path | None = None
    """PEM: the authorities whose client certificates are taken (EXTERNAL); not set: none is asked
    for. A client that shows one of another authority is not let in at all."""
    additional: tuple[CertificateOptions, ...] = ()

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """What one client, one network and all together may take."""

    connections: int = 10_000
    """Connections in all, over all workers."""
    connections_per_address: int = 100
    """From one IPv4 address or one IPv6 /64."""
    connections_per_network: int = 1_000
    """From one IPv4 /24 or one IPv6 /48."""
    before_login_per_address: int = 20
    """Of these, not yet logged in."""
    before_login_seconds: float = 60.0
    """Until a login must have succeeded; the opening of its maildrop may take longer. Departs from
    RFC 1939 §3: its ten minutes are for sessions that somebody owns; before the login they would
    be for anybody."""
    tls_handshake_seconds: float = 10.0
    """Until a TLS handshake that has begun is over."""
    proxy_header_seconds: float = 5.0
    """Until the header of a connection from a `proxy_protocol` network is there; 3 at the least."""
    autologout_seconds: float = 600.0
    """Without a command after the login; 600 at the least (RFC 1939 §3)."""
    write_stall_seconds: float = 90.0
    """Without one octet taken by the client while a reply waits."""
    drain_seconds: float = 30.0
    """After SIGTERM, until sessions that still run are cut."""
    maildrop_wait_seconds: float = 2.0
    """For a lock that another session holds, before [IN-USE]."""

    def __post_init__(self) -> None:
        if self.autologout_seconds < AUTOLOGOUT_FLOOR_SECONDS:
            raise ValueError("autologout_seconds is at least 600 (RFC 1939 §3)")
        for name in (
            "connections",
            "connections_per_address",
            "connections_per_network",
            "before_login_per_address",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1")
        for name in ("before_login_seconds", "tls_handshake_seconds", "write_stall_seconds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1 second")
        if self.proxy_header_seconds < PROXY_HEADER_FLOOR_SECONDS:
            raise ValueError("proxy_header_seconds is at least 3")
        if self.drain_seconds < 0:
            raise ValueError("drain_seconds is 0 or more")
        if not 0 <= self.maildrop_wait_seconds <= 30:
            raise ValueError("maildrop_wait_seconds is 0 to 30")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferOptions:
    """What is offered before the login, and where."""

    mechanisms: tuple[Mechanism, ...] = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "USER")
    """SASL mechanisms, the preferred first, USER for the commands USER and PASS, and APOP. Each is
    offered where the connection is fit for it and a source of accounts can verify it."""
    cleartext: Literal["tls", "loopback", "always"] = "tls"
    """Where a password may be sent readable: only under TLS, from this machine too, anywhere."""
    utf8: bool = False
    """Whether UTF8 is offered (RFC 6856), and names and passwords in UTF-8 with it: USER, PASS and
    APOP take them, as every SASL mechanism does anyway."""
    international_headers: Literal["refuse", "surrogate", "as-is"] = "refuse"
    """With `utf8`: what a client that has not said UTF8 gets of a message whose header is not in
    ASCII. refuse: `-ERR [UTF8]`; surrogate: a message in its place with a header in ASCII (RFC
    6858), for which all headers of a maildrop are read at its first such login; as-is: the message,
    as from a server without UTF8. Departs from RFC 6856 §2.1: as-is, for the clients of today,
    which know no UTF8 and read such headers."""
    languages: tuple[Language, ...] = ("en", "de")
    """What LANG offers for the texts of replies, the one that `LANG *` chooses first; empty: no
    LANG. Until a client chooses, they are in English."""

    def __post_init__(self) -> None:
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("languages: each is named once")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Everything a supervisor and its workers need to know about themselves."""

    hostname: str = field(
        default_factory=socket.gethostname, metadata={"default": "the name of this machine"}
    )
    """The name of this server in the timestamp of APOP; it appears nowhere else."""
    state_directory: Path = Path("/var/lib/restante")
    """Where accounts, what the throttle remembers, locks and the control socket lie."""
    workers: int = field(default_factory=processors, metadata={"default": "one per processor"})
    """Processes that serve connections."""
    listeners: tuple[ListenerOptions, ...]
    tls: TlsOptions = field(default_factory=TlsOptions)
    limits: LimitOptions = field(default_factory=LimitOptions)
    offers: OfferOptions = field(default_factory=OfferOptions)
    user: str | None = None
    """Who workers become where the supervisor was started as root; not set: they stay root."""
    auth_user: str | None = None
    """Who the auth process becomes; it alone can then read the credential stores."""

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= MAXIMUM_WORKERS:
            raise ValueError(f"workers is 1 to {MAXIMUM_WORKERS}")
