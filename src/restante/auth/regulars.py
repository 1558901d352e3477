"""Regulars: who has just logged in, with whatever their next login needs at hand.

A regular is kept under the name as its client sends it, and only while every source says that
nothing has changed since its account was looked up: a password that was changed, a device that was
revoked, or an account that was disabled or removed before a login was sent, is never met here. It
proves nothing: the password is the cache's to know, and who has to wait the throttle's to say.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b

from restante.auth.chain import Chain
from restante.auth.devices.device import Device
from restante.identity import Identity

REGULARS_KEPT = 1_024
"""Half a KiB each."""


@dataclass(slots=True, eq=False)
class Regular:
    """Somebody who may log in, given the password."""

    identity: Identity
    begun: blake2b
    """The digest of the account, for the cache to finish with a password."""
    answer: bytes = b""
    """What the one who asks makes of the identity, kept for its next time."""
    devices: "dict[int, Regular] | None" = None
    """The same account as its devices log in, by their numbers."""

    def using(self, device: Device) -> "Regular":
        """Return this regular as a device's login makes it."""
        if not device.id:
            return self
        if self.devices is None:
            self.devices = {}
        found = self.devices.get(device.id)
        if found is None:
            identity = replace(self.identity, device=device.name, read_only=device.read_only)
            found = self.devices[device.id] = Regular(identity, self.begun)
        return found


class Regulars:
    """The regulars of some sources."""

    def __init__(self, sources: Chain) -> None:
        self._sources = sources
        self._state: object = None
        self._known: dict[bytes, Regular] = {}
        self.get = self._known.get
        """Return the regular of a name as it was sent; None: nobody, or not any more."""

    def refresh(self) -> None:
        """Forget everybody if anything has changed; what was sent before is judged by this."""
        state = self._sources.state()
        if state is None or state != self._state:
            self._known.clear()
            self._state = state

    def add(self, name: bytes, regular: Regular) -> None:
        """Keep somebody whose account was looked up after the last `refresh`, without a wait."""
        if len(self._known) >= REGULARS_KEPT:
            self._known.clear()
        self._known[name] = regular
