"""Verification of sizes that only a file's name claims: counted in the background, then recorded.

One thread of its own, at a bounded pace, reads files and needs no lock for that. What it and the
sessions that read whole messages find is written under the maildrop's lock, between sessions: the
listing of a session never changes, a correction counts for the next one.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from restante.errors import MessageVanished, Refusal
from restante.stores.changes import Changes
from restante.stores.image import ListingImage, render
from restante.stores.locks import Key
from restante.stores.sizes import wire_size

PER_SECOND = 50
OCTETS_PER_SECOND = 4_194_304
"""Slow enough not to be felt beside the sessions: nobody waits for it."""
BATCH = 20
MAILBOXES = 64
"""More wait for their next session."""
RETRY_SECONDS = 5.0
ATTEMPTS = 120
"""To get the lock of a maildrop that sessions hold, before its next session is waited for."""


@dataclass
class Verification:
    """The verification of one maildrop."""

    mailbox: bytes
    key: Key
    image: ListingImage
    counted: dict[bytes, int] = field(default_factory=dict)
    """Octets on the wire by unique-id."""
    next_number: int = 1
    attempts: int = 0

    @property
    def is_read(self) -> bool:
        """Whether every file was read that had to be."""
        return not self.image.has_claims or self.next_number > self.image.count

    def count_some(self, files: int) -> int:
        """Count the sizes of some messages and return the octets that were read for it."""
        octets = 0
        while files and not self.is_read:
            number = self.next_number
            self.next_number += 1
            if not self.image.is_claim(number):
                continue
            unique_id = self.image.unique_id(number)
            if unique_id in self.counted:
                continue
            try:
                size = wire_size(self.mailbox + b"/" + self.image.name(number))
            except (OSError, MessageVanished):
                # Renamed or gone: it stays a claim, for another time.
                continue
            self.counted[unique_id] = size
            octets += size
            files -= 1
        return octets


@dataclass(frozen=True, slots=True)
class Correction:
    """A size that was listed wrongly."""

    unique_id: bytes
    listed: int
    octets: int


def corrected(
    image: ListingImage, counted: dict[bytes, int]
) -> tuple[ListingImage, Changes, list[Correction]] | None:
    """Return an image with sizes as counted, and what changed; None: nothing did."""
    sizes = image.sizes()
    unique_ids = image.unique_ids()
    claims = bytearray(image.claims() or bytes(image.count))
    corrections: list[Correction] = []
    first = image.count
    for index, unique_id in enumerate(unique_ids):
        octets = counted.get(unique_id)
        if octets is None or (octets == sizes[index] and not claims[index]):
            continue
        first = min(first, index)
        if octets != sizes[index]:
            corrections.append(Correction(unique_id, sizes[index], octets))
        sizes[index], claims[index] = octets, 0
    if first == image.count:
        return None
    names = image.names()
    left = bytes(claims) if any(claims) else b""
    version = image.version
    image = render(version, names, sizes, unique_ids, left)
    return image, Changes(version.generation, first, image), corrections


class Verifier:
    """The verifications that are under way, and the thread that gets on with them."""

    def __init__(
        self, record: Callable[[Verification], bool], *, per_second: int = PER_SECOND
    ) -> None:
        self._record = record
        """Records what was counted; False: a session holds the maildrop now."""
        self._per_second = per_second
        self._waiting: OrderedDict[bytes, Verification] = OrderedDict()
        self._wakened = threading.Condition()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(
        self, mailbox: bytes, key: Key, image: ListingImage, counted: Mapping[bytes, int]
    ) -> None:
        """Count the claims of an image some time, but for what a session has counted."""
        with self._wakened:
            verification = self._verification(mailbox, key, image)
            if verification is not None:
                verification.counted |= counted

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End the thread, and record what was counted where no session is in the way."""
        self._stopped.set()
        with self._wakened:
            self._wakened.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        with self._wakened:
            waiting, self._waiting = self._waiting, OrderedDict()
        for verification in waiting.values():
            if verification.counted:
                self._try_to_record(verification)

    def _verification(self, mailbox: bytes, key: Key, image: ListingImage) -> Verification | None:
        verification = self._waiting.get(mailbox)
        if verification is None:
            if len(self._waiting) >= MAILBOXES or self._stopped.is_set():
                return None
            verification = self._waiting[mailbox] = Verification(mailbox, key, image)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sizes", daemon=True)
                self._thread.start()
            self._wakened.notify_all()
        return verification

    # ---- the thread

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._wakened:
                if not self._waiting:
                    self._wakened.wait()
                    continue
            self._stopped.wait(self.step())

    def step(self) -> float:
        """Get on with one maildrop, and return the seconds to rest."""
        with self._wakened:
            if not self._waiting:
                return 0.0
            mailbox, verification = next(iter(self._waiting.items()))
            self._waiting.move_to_end(mailbox)
        if not verification.is_read:
            octets = verification.count_some(BATCH)
            return max(BATCH / self._per_second, octets / OCTETS_PER_SECOND)
        verification.attempts += 1
        done = self._try_to_record(verification)
        if done or verification.attempts >= ATTEMPTS:
            with self._wakened:
                self._waiting.pop(mailbox, None)
            return 0.0
        return RETRY_SECONDS / max(len(self._waiting), 1)

    def _try_to_record(self, verification: Verification) -> bool:
        try:
            return self._record(verification)
        except (OSError, Refusal):
            # The next session of this maildrop begins anew.
            return True
