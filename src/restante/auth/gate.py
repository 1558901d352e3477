"""The gate: what a login that needs a hash has to wait for, before anything is looked at.

A delay is a timer: it holds no thread and no worker. Whoever is delayed waits in the queue of the
delayed of its network, one after the other with their delays; then everybody takes a turn to be
hashed. Whether there is a delay is asked again with the turn in hand, since those before it may
have failed.

What is judged elsewhere has turns of its own, so that a slow party holds up its own logins alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from restante.auth.neighbourhood import Network
from restante.auth.throttle import Throttle
from restante.auth.turns import UNSUSPECTED_AT_ONCE, Turns
from restante.identity import Credentials, Peer, TokenCredentials
from restante.telemetry import Event, Log

ASKED_AT_ONCE = 1_000_000
"""Of a network: whoever is asked has a deadline and a queue, and a login waits no longer."""

_HERE, _TOKEN, _ASKED = _KINDS = ("here", "token", "asked")
"""What is looked at here, and what somebody else is asked about."""


class Gate:
    """Where logins wait."""

    def __init__(
        self, throttle: Throttle, log: Log, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._throttle = throttle
        self._log = log
        self._sleep = sleep
        self._queues = {kind: (Turns(), Turns()) for kind in _KINDS}
        """Those of the delayed and of those behind them."""
        self._sleeping: dict[asyncio.Future[None], tuple[str, str, float]] = {}
        """Address, account and delay of everybody whose delay has begun."""

    @asynccontextmanager
    async def passed(
        self, account: str, credentials: Credentials, peer: Peer, *, apart: bool = False
    ) -> AsyncIterator[None]:
        """Wait until a login may be looked at, and hold its turn.

        `account` is what it is counted under. Whose source has to be asked with the turn in hand
        waits `apart`, so that nobody else waits for that answer.

        Raises:
            TemporaryFailure: too many of its network wait already.
        """
        throttle, address = self._throttle, peer.address
        place, rank = throttle.place(address, account), throttle.rank(address, account)

        is_token = isinstance(credentials, TokenCredentials)
        delayed, turns = self._queues[_TOKEN if is_token else _ASKED if apart else _HERE]

        def at_once() -> int:
            if is_token:
                return ASKED_AT_ONCE
            return 1 if throttle.suspects(address, account) else UNSUSPECTED_AT_ONCE

        while not throttle.delay(address, account):
            async with turns.turn(place.network, at_once, place.alone, rank):
                if not throttle.delay(address, account):
                    yield
                    return
        async with delayed.turn(place.network, lambda: 1, place.alone, rank):
            await self._wait_out(account, credentials, peer)
            async with turns.turn(place.network, at_once, place.alone, rank):
                yield

    def forgive(self, network: Network | None = None, account: str | None = None) -> int:
        """Forget failures, and let logins go on that are delayed no longer; return how many."""
        return self._wake(self._throttle.forgive(network, account))

    def forgive_all(self) -> int:
        """Forget every failure in the same way."""
        return self._wake(self._throttle.forgive_all())

    def _wake(self, forgotten: int) -> int:
        for sleeping, (address, account, seconds) in self._sleeping.items():
            if self._throttle.delay(address, account) < seconds:
                sleeping.cancel()
        return forgotten

    async def _wait_out(self, account: str, credentials: Credentials, peer: Peer) -> None:
        woken = True
        while woken and (delay := self._throttle.judge(peer.address, account)).seconds:
            self._log(
                Event.AUTH_DELAYED,
                rip=peer.address,
                session=peer.session,
                mech=credentials.mechanism,
                seconds=delay.seconds,
                reason=delay.reason,
                user=credentials.name,
            )
            woken = await self._pause(peer.address, account, delay.seconds)

    async def _pause(self, address: str, account: str, seconds: float) -> bool:
        """Wait; return whether it was cut short because something was forgiven."""
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        self._sleeping[sleeping] = address, account, seconds
        try:
            await asyncio.wait([sleeping])
        finally:
            del self._sleeping[sleeping]
            sleeping.cancel()
        return sleeping.cancelled()
