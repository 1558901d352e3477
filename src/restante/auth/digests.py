"""Digests that a password was mixed into, judged: APOP and CRAM-MD5.

They need the password itself on this side, which is kept of devices alone: made at random, sealed,
and good for nothing else.
"""

from restante.auth.devices.logins import DeviceLogins
from restante.auth.judging import Claim, Verdict
from restante.identity import DigestCredentials


class DigestJudge:
    """The judge of digests."""

    def __init__(self, devices: DeviceLogins) -> None:
        self._devices = devices

    def at_once(self, claim: Claim, credentials: DigestCredentials) -> Verdict | None:
        """Return nothing: there is no faster way than the whole."""
        return None

    async def judge(self, claim: Claim, credentials: DigestCredentials) -> Verdict:
        """Return the verdict on a digest."""
        device = self._devices.by_digest(claim.name, claim.account, credentials)
        if device is None:
            return Verdict("digest", credentials.digest.reveal())
        reason = self._devices.objection(device, claim.peer.address, credentials.mechanism)
        # Which device it was is known, so that the same again is told, unlike a wrong digest.
        return Verdict(reason, f"device {device.id}".encode(), device)
