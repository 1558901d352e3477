"""What a connection may be offered: the policy on logins in clear, and what its layer is fit for.

In clear only what the policy allows; a mechanism with channel binding needs a layer to bind to,
EXTERNAL a certificate of the client's (RFC 8314 §4.2), bearer tokens TLS whatever the policy says
(RFC 7628 §3), APOP a greeting that was said on this very layer.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from ipaddress import ip_address

from restante.protocol import Offer
from restante.protocol.lines import SASL_OCTETS
from restante.server.options import ListenerOptions, OfferOptions

USER = "USER"
APOP = "APOP"
EXTERNAL = "EXTERNAL"
TOKENS = frozenset({"OAUTHBEARER", "XOAUTH2"})
BINDS = "-PLUS"

TOKEN_LINE_OCTETS = 90_112
"""Room for a token of 64 KiB in base64, and for what stands around it."""
INPUT_OCTETS = 65_536
"""More than this unread by the session, and no more is read from the client."""


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
        mechanisms = options.mechanisms
        in_clear = [name for name in mechanisms if not needs_tls(name)]
        # Behind STLS there is no greeting any more that a timestamp could stand in.
        encrypted = [name for name in mechanisms if self.implicit_tls or name != APOP]
        offer = partial(_offer, options)
        self._open = offer(in_clear, stls=stls)
        only_under_tls = frozenset(encrypted) if listener.tls != "none" else frozenset(mechanisms)
        self._closed = replace(offer((), stls=stls), only_under_tls=only_under_tls)
        self._under_tls = {
            (binding, certificate): offer(
                [name for name in encrypted if _is_fit(name, binding, certificate)], stls=False
            )
            for binding in (False, True)
            for certificate in (False, True)
        }
        self.binds = binds(mechanisms)
        """Whether a mechanism with channel binding is offered where there is a layer to bind to."""
        self.input_octets = max(INPUT_OCTETS, _line_octets(mechanisms))
        """How much of a client's may wait for its session: one line at least."""

    def in_clear(self, address: str) -> Offer:
        """Return what a connection without TLS from this address may use."""
        if self._cleartext == "always":
            return self._open
        if self._cleartext == "loopback" and is_loopback(address):
            return self._open
        return self._closed

    def under_tls(self, *, binding: bool = False, certificate: bool = False) -> Offer:
        """Return what a connection under TLS may use.

        `binding`: it can be bound to; `certificate`: its client has shown one.
        """
        return self._under_tls[binding, certificate]


def binds(mechanisms: Sequence[str]) -> bool:
    """Say whether any of these binds a login to its connection."""
    return any(name.endswith(BINDS) for name in mechanisms)


def needs_tls(mechanism: str) -> bool:
    """Say whether a mechanism is never offered in clear, whatever the policy."""
    return mechanism.endswith(BINDS) or mechanism == EXTERNAL or mechanism in TOKENS


def _is_fit(mechanism: str, binding: bool, certificate: bool) -> bool:
    if mechanism.endswith(BINDS):
        return binding
    return mechanism != EXTERNAL or certificate


def _offer(options: OfferOptions, mechanisms: Sequence[str], *, stls: bool) -> Offer:
    return Offer(
        user=USER in mechanisms,
        apop=APOP in mechanisms,
        mechanisms=tuple(name for name in mechanisms if name not in (USER, APOP)),
        stls=stls,
        sasl_octets=_line_octets(mechanisms),
        utf8=options.utf8,
        utf8_names=options.utf8,
        ascii_headers=options.utf8 and options.international_headers == "refuse",
        languages=options.languages,
    )


def _line_octets(mechanisms: Sequence[str]) -> int:
    return SASL_OCTETS if TOKENS.isdisjoint(mechanisms) else TOKEN_LINE_OCTETS


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
