"""Digests that a password was mixed into, judged: APOP and CRAM-MD5.

They need the password itself on this side. It is kept of devices, made at random, sealed, and good
for nothing else; and by passwd-files whose source is told to serve these mechanisms, as it is or,
for CRAM-MD5 alone, in the form that Dovecot has for it. A name with no entry that would do has a
digest compared with somebody else's, so that the time tells nobody apart.
"""

import hmac
from dataclasses import replace
from secrets import token_hex

from restante.auth import hashes
from restante.auth.devices.device import ITSELF
from restante.auth.devices.logins import DeviceLogins
from restante.auth.judging import Claim, Verdict
from restante.auth.md5_states import hmac_md5_from
from restante.auth.sources import NOBODY, Account
from restante.identity import DigestCredentials
from restante.sasl.apop import apop_digest
from restante.sasl.cram_md5 import cram_md5_digest
from restante.sasl.saslprep import prepare_password


class DigestJudge:
    """The judge of digests."""

    def __init__(self, devices: DeviceLogins) -> None:
        self._devices = devices
        stored, verifies = f"{{PLAIN}}{token_hex(8)}", frozenset({"APOP", "CRAM-MD5"})
        self._nobody = replace(NOBODY, stored_password=stored, verifies=verifies)

    def at_once(self, claim: Claim, credentials: DigestCredentials) -> Verdict | None:
        """Return nothing: there is no faster way than the whole."""
        return None

    async def judge(self, claim: Claim, credentials: DigestCredentials) -> Verdict:
        """Return the verdict on a digest."""
        digest = credentials.digest.reveal()
        own = _digest(claim.account, credentials)
        other = _digest(claim.stand_in, credentials) if own is None else own
        made = _digest(self._nobody, credentials) if other is None else other
        itself = made is not None and hmac.compare_digest(made, digest) and own is not None
        device = self._devices.by_digest(claim.name, claim.account, credentials)
        if device is None:
            wrong = "unknown" if claim.account is None else "digest"
            return Verdict(None if itself else wrong, digest, ITSELF)
        reason = self._devices.objection(device, claim.peer.address, credentials.mechanism)
        # Which device it was is known, so that the same again is told, unlike a wrong digest.
        return Verdict(reason, f"device {device.id}".encode(), device)


def _digest(account: Account | None, credentials: DigestCredentials) -> bytes | None:
    """Return the digest of an account's own password; None: it has none for this mechanism."""
    mechanism, challenge = credentials.mechanism, credentials.challenge
    if account is None or mechanism not in account.verifies:
        return None
    password = hashes.cleartext(account.stored_password)
    if password is not None:
        if mechanism == "APOP":
            # RFC 6856 §2.2: both sides prepare it.
            return apop_digest(challenge, prepare_password(password))
        return cram_md5_digest(challenge, password)
    states = hashes.hmac_states(account.stored_password) if mechanism == "CRAM-MD5" else None
    return None if states is None else hmac_md5_from(states, challenge)
