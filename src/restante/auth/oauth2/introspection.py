"""Tokens of any form, judged by whoever issued them (RFC 7662).

Only good answers are remembered, and shortly. Whoever asks waits in a line of its own: one that is
slow, dead or lying costs its own logins `[SYS/TEMP]` within the deadline, and nobody else anything.
"""

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes
from urllib.parse import quote_plus, urlencode

from restante.auth.oauth2.claims import Claims, Holder, Rules
from restante.auth.oauth2.http import ProviderError, Request, Requester
from restante.auth.oauth2.options import OAuth2Options
from restante.errors import TemporaryFailure
from restante.secret import Secret

BUSY = "too many logins at once, try again later"
_SECRET_OCTETS = 4_096


class Remembered:
    """Tokens found good lately, by keyed digests."""

    def __init__(
        self,
        options: OAuth2Options,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._seconds = options.cache_seconds
        self._entries = options.cache_entries
        self._clock = clock
        self._wall_clock = wall_clock
        self._key = token_bytes(32)
        self._found: OrderedDict[bytes, tuple[Holder, float]] = OrderedDict()

    def recall(self, token: bytes) -> Holder | None:
        """Return whose a token was found to be; None: it is not known any more."""
        digest = self._digest(token)
        holder, until = self._found.get(digest, (None, 0.0))
        if holder is None:
            return None
        over = holder.expires is not None and self._wall_clock() >= holder.expires
        if over or self._clock() >= until:
            del self._found[digest]
            return None
        self._found.move_to_end(digest)
        return holder

    def learn(self, token: bytes, holder: Holder) -> None:
        """Remember whose a token is."""
        if not self._seconds:
            return
        self._found[self._digest(token)] = holder, self._clock() + self._seconds
        if len(self._found) > self._entries:
            self._found.popitem(last=False)

    def _digest(self, token: bytes) -> bytes:
        return blake2b(token, digest_size=32, key=self._key).digest()


class IntrospectionSource:
    """A source that asks whose a token is."""

    name = "oauth2"

    def __init__(
        self,
        options: OAuth2Options,
        requester: Requester,
        rules: Rules,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._requester = requester
        self._rules = rules
        self._wall_clock = wall_clock
        self._remembered = Remembered(options, clock, wall_clock)
        self._turn = asyncio.Semaphore(options.concurrent)
        self._asking = 0
        """Those that wait as well."""

    async def holder(self, token: Secret) -> str | None:
        """Return whose a token is; see the contract."""
        octets = token.reveal()
        known = self._remembered.recall(octets)
        if known is not None:
            return known.name
        claims = await self._answer(octets)
        # RFC 7662 §2.2: anything but `true` is a no, and says nothing else.
        if claims.get("active") is not True or not _is_bearer(claims):
            return None
        holder = self._rules.holder(claims, self._wall_clock(), must_expire=False)
        if holder is None:
            return None
        self._remembered.learn(octets, holder)
        return holder.name

    async def close(self) -> None:
        """Do nothing: what is under way goes with the logins that wait for it."""

    async def _answer(self, token: bytes) -> Claims:
        options = self._options
        if self._asking >= options.concurrent + options.queue:
            raise TemporaryFailure(BUSY, reason="introspection: too many wait")
        self._asking += 1
        try:
            # With the wait for a turn, which those before can make as long as they like.
            async with asyncio.timeout(options.deadline_seconds), self._turn:
                return await self._requester.ask(self._request(token))
        except TimeoutError as error:
            raise TemporaryFailure(reason="introspection: no answer in time") from error
        except ProviderError as error:
            raise TemporaryFailure(reason=f"introspection: {error}") from error
        finally:
            self._asking -= 1

    def _request(self, token: bytes) -> Request:
        # RFC 6749 §2.3.1: both are encoded as in a form, before they are put together.
        pair = f"{quote_plus(self._options.client_id)}:{quote_plus(self._secret())}"
        basic = base64.b64encode(pair.encode()).decode()
        form = {"token": token.decode("ascii", "replace"), "token_type_hint": "access_token"}
        return Request(
            url=self._options.introspection_url,
            method="POST",
            headers=(
                ("Authorization", f"Basic {basic}"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ),
            body=urlencode(form).encode(),
        )

    def _secret(self) -> str:
        path = self._options.client_secret_file
        assert path is not None
        try:
            with path.open("rb") as file:
                line = file.read(_SECRET_OCTETS).partition(b"\n")[0].removesuffix(b"\r")
        except OSError as error:
            raise ProviderError(f"client_secret_file: {error.strerror}") from error
        return line.decode("utf-8", "surrogateescape")


def _is_bearer(claims: Claims) -> bool:
    """Say whether a token is good by itself: not for refreshing, not only with a key (RFC 9449)."""
    kind = claims.get("token_type", "Bearer")
    return isinstance(kind, str) and kind.lower() in ("bearer", "access_token")
