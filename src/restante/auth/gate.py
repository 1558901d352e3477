"""The gate: what a login that needs a hash has to wait for, before anything is looked at.

A delay is a timer: it holds no thread and no worker. Whoever is delayed waits in the queue of the
delayed of its network, one after the other with their delays; then everybody takes a turn to be
hashed. Whether there is a delay is asked again with the turn in hand, since those before it may
have failed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from restante.auth.neighbourhood import Network
from restante.auth.throttle import Throttle
from restante.auth.turns import UNSUSPECTED_AT_ONCE, Turns
from restante.identity import Credentials, Peer
from restante.telemetry import Event, Log


class Gate:
    """Where logins wait."""

    def __init__(
        self, throttle: Throttle, log: Log, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._throttle = throttle
        self._log = log
        self._sleep = sleep
        self._delayed = Turns()
        self._hashed = Turns()
        self._sleeping: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def passed(
        self, account: str, credentials: Credentials, peer: Peer
    ) -> AsyncIterator[None]:
        """Wait until a login may be looked at, and hold its turn.

        `account` is what it is counted under.

        Raises:
            TemporaryFailure: too many of its network wait already.
        """
        throttle, address = self._throttle, peer.address
        place, rank = throttle.place(address, account), throttle.rank(address, account)

        def at_once() -> int:
            return 1 if throttle.suspects(address, account) else UNSUSPECTED_AT_ONCE

        while not throttle.delay(address, account):
            async with self._hashed.turn(place.network, at_once, place.alone, rank):
                if not throttle.delay(address, account):
                    yield
                    return
        async with self._delayed.turn(place.network, lambda: 1, place.alone, rank):
            await self._wait_out(account, credentials, peer)
            async with self._hashed.turn(place.network, at_once, place.alone, rank):
                yield

    def forgive(self, network: Network | None, account: str | None) -> int:
        """Forget failures, and let those who are delayed ask anew; return how many were forgotten.

        With neither a network nor an account, everything is.
        """
        if network is None and account is None:
            forgotten = self._throttle.forgive_all()
        else:
            forgotten = self._throttle.forgive(network, account)
        for sleeping in self._sleeping:
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
            woken = await self._pause(delay.seconds)

    async def _pause(self, seconds: float) -> bool:
        """Wait; return whether it was cut short because something was forgiven."""
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        self._sleeping.add(sleeping)
        try:
            await asyncio.wait([sleeping])
        finally:
            self._sleeping.discard(sleeping)
            sleeping.cancel()
        return sleeping.cancelled()
