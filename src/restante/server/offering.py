"""What a connection may be offered: the policy on passwords in clear, and where STLS is."""

from functools import lru_cache
from ipaddress import ip_address

from restante.protocol import Offer
from restante.server.options import ListenerOptions, OfferOptions

USER = "USER"


class Offering:
    """What the connections of one listener have in common, made once."""

    def __init__(
        self,
        options: OfferOptions,
        listener: ListenerOptions,
        *,
        tls_ready: bool,
        local: tuple[str, int] | None = None,
        unnoticed: bool = False,
    ) -> None:
        self.implicit_tls = listener.tls == "implicit"
        self.local = None if local is None else local_end(*local)
        """Address and port that all of them came to; None: each came to one of its own."""
        self.unnoticed = unnoticed
        """Whether an end before the login is worth no line of the log."""
        self._cleartext = options.cleartext
        stls = listener.tls == "stls" and tls_ready
        self._open = _offer(options.mechanisms, stls=stls)
        self._closed = Offer(
            user=False, mechanisms=(), stls=stls, only_under_tls=frozenset(options.mechanisms)
        )
        self._under_tls = _offer(options.mechanisms, stls=False)

    def in_clear(self, address: str) -> Offer:
        """Return what a connection without TLS from this address may use."""
        if self._cleartext == "always":
            return self._open
        if self._cleartext == "loopback" and is_loopback(address):
            return self._open
        return self._closed

    def under_tls(self) -> Offer:
        """Return what any connection may use under TLS."""
        return self._under_tls


def _offer(mechanisms: tuple[str, ...], *, stls: bool) -> Offer:
    return Offer(
        user=USER in mechanisms,
        mechanisms=tuple(name for name in mechanisms if name != USER),
        stls=stls,
    )


@lru_cache(maxsize=4_096)
def is_loopback(address: str) -> bool:
    """Tell whether an address is one of this machine's own to itself."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def plain_address(address: str) -> str:
    """Return an address as it is named: an IPv4 client of a socket for both is an IPv4 client."""
    return address.removeprefix("::ffff:") if "." in address else address


@lru_cache(maxsize=64)
def local_end(address: str, port: int) -> tuple[str, int]:
    """Return where a connection came to, the same value for all that came there."""
    return plain_address(address), port
