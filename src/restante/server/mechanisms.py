"""The mechanisms of a server: what it can carry out, and what each exchange begins with.

Randomness is drawn here, fresh for every exchange and every greeting.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_bytes, token_hex

from restante.sasl import (
    CramMd5Server,
    ExternalServer,
    LoginServer,
    OAuthBearerServer,
    PlainServer,
    ScramServer,
    ServerMechanism,
    XOAuth2Server,
)
from restante.sasl.md5 import md5_available
from restante.sasl.mechanism import RANDOM_OCTETS, Channel
from restante.server.offering import APOP, USER
from restante.server.options import OfferOptions

_SIMPLE: dict[str, Callable[[], ServerMechanism]] = {"PLAIN": PlainServer, "LOGIN": LoginServer}
"""Those that need nothing of the connection."""
_BOUND: dict[str, Callable[[Channel], ServerMechanism]] = {
    "CRAM-MD5": CramMd5Server,
    "EXTERNAL": ExternalServer,
    "OAUTHBEARER": OAuthBearerServer,
    "XOAUTH2": XOAuth2Server,
    **{
        name: partial(ScramServer, name)
        for name in ("SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
    },
}

_BY_MD5 = frozenset({APOP, "CRAM-MD5"})
CARRIED_OUT = frozenset(_SIMPLE) | frozenset(_BOUND)
"""What this server can carry out with AUTH; what is offered the configuration says."""


def possible(options: OfferOptions, verifiable: frozenset[str] | None = None) -> OfferOptions:
    """Return the offers without what cannot be carried out here, or what nobody could verify.

    RFC 1321: a platform may have no MD5. `verifiable` None: everything may be.
    """
    able = CARRIED_OUT | {USER, APOP}
    if verifiable is not None:
        able &= verifiable
    if not md5_available():
        able -= _BY_MD5
    mechanisms = tuple(name for name in options.mechanisms if name in able)
    return replace(options, mechanisms=mechanisms)


@dataclass(frozen=True, slots=True)
class TokenHints:
    """What a client is told whose token is good for nothing (RFC 7628 §3.2.2)."""

    scope: str = ""
    """What a token has to allow, words with spaces between."""
    openid_configuration: str = ""
    """Where a client learns how tokens are to be had."""


class Mechanisms:
    """The mechanisms of one server."""

    def __init__(self, hostname: str, hints: TokenHints | None = None) -> None:
        self._hostname = hostname
        hints = hints or TokenHints()
        self._bound = _BOUND | {
            "OAUTHBEARER": partial(
                OAuthBearerServer,
                scope=hints.scope,
                openid_configuration=hints.openid_configuration,
            ),
            "XOAUTH2": partial(XOAuth2Server, scope=hints.scope),
        }

    def begin(self, name: str, channel: Callable[[bytes], Channel]) -> ServerMechanism:
        """Return a new exchange; `channel` is asked if it depends on its connection."""
        simple = _SIMPLE.get(name)
        if simple is not None:
            return simple()
        return self._bound[name](channel(token_bytes(RANDOM_OCTETS)))

    def timestamp(self) -> bytes:
        """Return a timestamp that was in no greeting before (RFC 1939 §7, APOP)."""
        return f"<{token_hex(16)}.{int(time.time())}@{self._hostname}>".encode("ascii")
