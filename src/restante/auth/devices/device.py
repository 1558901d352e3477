"""A device of an account, and the rules its password stands under.

A rule that is broken is said in the log alone: whoever found a password somewhere is not told that
it would do from another network.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

from restante.errors import AccountError

Mechanism = Literal["any", "apop", "cram-md5"]

BY_DIGEST: dict[str, Mechanism] = {"APOP": "apop", "CRAM-MD5": "cram-md5"}
"""Mechanisms that need the password itself on this side, and what a device says that has them.

RFC 1939 §13, RFC 2195 §4: a password is for one of these or for the others, never for both. Where
it was once sent as it is, hiding it in a digest another time protects nothing.
"""
LONGEST_NAME_OCTETS = 64
MAXIMUM_NETWORKS = 32


@dataclass(frozen=True, slots=True)
class Device:
    """A device or program, and what its password is good for."""

    id: int
    """Of no other device before or after; 0: no device, the account's own proof."""
    name: str
    mechanism: Mechanism = "any"
    """any: every mechanism but those of `BY_DIGEST`."""
    networks: str = ""
    """Networks it may come from, with spaces between; empty: from everywhere."""
    expires_at: int | None = None
    read_only: bool = False

    def objection(self, address: str, mechanism: str, now: float) -> str | None:
        """Return which rule a login breaks, for the log; None: it breaks none."""
        if BY_DIGEST.get(mechanism, "any") != self.mechanism and self.id:
            return f"device mechanism: {self.name}"
        if self.expires_at is not None and now >= self.expires_at:
            return f"device expired: {self.name}"
        if self.networks and not is_within(address, self.networks):
            return f"device network: {self.name}"
        return None


ITSELF = Device(0, "")
"""In the place of a device: the account's own password."""


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device with what is kept of its password."""

    device: Device
    created_at: int
    mark: bytes
    """Of the key that the rest was made with."""
    verifier: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False, default=None)
    """The password itself, for the mechanisms that need it."""
    scram: str = field(repr=False, default="")
    """Verifiers of SCRAM, as an account has them: with the account's salts, since the name alone
    says which salt a client is told. There is one of each spelling."""


def checked_name(name: str) -> str:
    """Return the name of a device.

    Raises:
        AccountError: it cannot be one.
    """
    octets = len(name.encode("utf-8", "surrogatepass"))
    if not name or octets > LONGEST_NAME_OCTETS or not name.isprintable() or name != name.strip():
        raise AccountError(
            f"{name!a} cannot be the name of a device: 1 to {LONGEST_NAME_OCTETS} octets that can"
            " be printed, no space at either end"
        )
    return name


def checked_networks(networks: tuple[str, ...]) -> str:
    """Return networks in the form that is kept.

    Raises:
        AccountError: one is none, or there are too many.
    """
    if len(networks) > MAXIMUM_NETWORKS:
        raise AccountError(f"a device may have {MAXIMUM_NETWORKS} networks")
    try:
        return " ".join(str(_plain(ip_network(network))) for network in networks)
    except ValueError as error:
        raise AccountError(f"network: {error}") from None


@lru_cache(maxsize=16_384)
def is_within(address: str, networks: str) -> bool:
    """Say whether an address is in one of several networks; a mapped one counts as IPv4."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        # A UNIX socket, say: that is in no network.
        return False
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(plain in ip_network(network) for network in networks.split())


def _plain(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return a network of mapped addresses as the IPv4 network that it stands for."""
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network
