"""Opening: from credentials to an open maildrop.

The lock is never waited for in a thread: a store says at once that somebody holds it, and the
waiting is a timer here. Whoever gives up in the midst of an opening leaves nothing locked behind.
"""

import asyncio
from concurrent.futures import Future
from functools import partial

from restante.errors import MaildropInUse
from restante.identity import Identity
from restante.maildrop import Maildrop, MailStore, Places
from restante.server.threads import Executor

RETRY_SECONDS = 0.05


async def open_maildrop(
    store: MailStore, identity: Identity, executor: Executor, *, wait_seconds: float
) -> Maildrop:
    """Open the maildrop of an identity, trying again for a while if another session holds it.

    Raises:
        Refusal: as `MailStore.open`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while True:
        try:
            maildrop = store.open_ready(identity)
            if maildrop is not None:
                return maildrop
            return await _open_in_thread(store, identity, executor)
        except MaildropInUse:
            if loop.time() >= deadline:
                raise
        await asyncio.sleep(RETRY_SECONDS)


async def _open_in_thread(store: MailStore, identity: Identity, executor: Executor) -> Maildrop:
    place = store.place(identity) if isinstance(store, Places) else None
    future = executor.submit(identity.name, place, partial(store.open, identity))
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        future.add_done_callback(_close_result)
        raise


def _close_result(future: "Future[Maildrop]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
