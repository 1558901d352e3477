"""Neighbourhood: what an address counts as, alone and among its neighbours; how that is written.

IPv4 counts as it is and by its /24; IPv6 by /64, which is one customer, and by /48. An address that
is none (a library may have clients that come another way) counts as it stands.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

Network = IPv4Network | IPv6Network

_OTHER = "="
"""In front of what is no address of the Internet."""
_MAPPED = bytes(10) + b"\xff\xff"
"""In front of an IPv4 address that is written as one of IPv6 (RFC 4291 §2.5.5.2)."""
_NETWORK_DIGITS = 12
"""Of an IPv6 /48 in hexadecimal; a /64 has sixteen."""


@lru_cache(maxsize=16_384)
def neighbourhood(address: str) -> tuple[str, str]:
    """Return what an address counts as, alone and among its neighbours."""
    text = address.partition("%")[0]
    try:
        # Five times as fast as `ip_address`: an attack has many.
        packed = inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        return _OTHER + address, _OTHER + address
    if len(packed) > 4:
        if not packed.startswith(_MAPPED):
            return packed[:8].hex(), packed[:6].hex()
        packed = packed[len(_MAPPED) :]
    host = inet_ntop(AF_INET, packed)
    return host, host.rpartition(".")[0]


def network_of(host: str) -> str:
    """Return the network of what an address counts as alone."""
    if host.startswith(_OTHER):
        return host
    return host.rpartition(".")[0] if "." in host else host[:_NETWORK_DIGITS]


def covered(counted: str) -> Network | None:
    """Return the addresses that are counted as this; None: it is no address of the Internet."""
    if counted.startswith(_OTHER):
        return None
    if "." in counted:
        return IPv4Network(counted if counted.count(".") == 3 else f"{counted}.0/24")
    return IPv6Network((bytes.fromhex(counted).ljust(16, b"\0"), 4 * len(counted)))


def written(counted: str) -> str:
    """Return how people write what an address counts as: `192.0.2.0/24`, `2001:db8::/48`."""
    network = covered(counted)
    if network is None:
        return counted.removeprefix(_OTHER)
    return str(network).removesuffix("/32") if network.version == 4 else str(network)


def parse_network(text: str) -> Network | None:
    """Return the network that somebody means by an address or a network; None: it is neither."""
    try:
        network = ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network
