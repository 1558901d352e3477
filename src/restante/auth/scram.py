"""SCRAM, judged: proofs by what is kept of a password, and the parameters that they are made with.

Nothing but a few digests is to be computed where a verifier is kept, so that a login needs no hash,
no wait and no cache. Only an entry that holds the password itself has its keys derived, in the
hashing pool; they are remembered once a proof was right, and a wrong one costs it each time.

A name without a verifier is worked on with somebody else's, or with one that nobody's proof fits.
"""

from dataclasses import replace
from functools import partial
from hashlib import blake2b
from secrets import token_bytes

from restante.auth import hashes, scram_verifiers
from restante.auth.devices.logins import DeviceLogins
from restante.auth.judging import Claim, Verdict
from restante.auth.neighbourhood import neighbourhood
from restante.auth.options import AuthOptions
from restante.auth.pool import HashingPool
from restante.auth.recent import Recent
from restante.auth.salts import Salts
from restante.auth.scram_verifiers import SALT_OCTETS, Verifier, check
from restante.auth.sources import NOBODY, Account
from restante.identity import ScramCredentials, ScramParameters
from restante.sasl.saslprep import prepare_password
from restante.sasl.scram import SCRAM_DIGESTS, ScramKeys, derive, family
from restante.secret import Secret

_Kept = Verifier | Secret
"""What an account is verified by: ready, or the password that it is derived from."""


class ScramJudge:
    """The judge of SCRAM's proofs."""

    def __init__(
        self, options: AuthOptions, pool: HashingPool, salts: Salts, devices: DeviceLogins
    ) -> None:
        self._devices = devices
        self._iterations = options.hashing.scram_iterations
        self._pool = pool
        self._salts = salts
        self._remembers = options.cache.seconds > 0
        self._derived: Recent[bytes, ScramKeys] = Recent(options.cache.entries)
        self._key = token_bytes(16)
        self._nobody = {each: _with_a_verifier(each) for each in SCRAM_DIGESTS}
        self._nobodys = ScramKeys(token_bytes(32), token_bytes(32))

    def parameters(
        self, counted: str, account: Account | None, stand_in: Account | None, mechanism: str
    ) -> ScramParameters:
        """Return what a name's proofs are to be made with."""
        name = family(mechanism)
        own = _kept(account, name)
        kept = own or _kept(stand_in, name)
        octets = len(kept.salt) if isinstance(kept, Verifier) else SALT_OCTETS
        # Made for everybody, so that the time tells nobody apart.
        made = self._salts.salt(counted, name, octets)
        if not isinstance(kept, Verifier):
            return ScramParameters(made, self._iterations)
        return ScramParameters(kept.salt if own else made, kept.iterations)

    def at_once(self, claim: Claim, credentials: ScramCredentials) -> Verdict | None:
        """Return the verdict on a right proof, where its keys are ready."""
        name = family(credentials.mechanism)
        # One of them is read for everybody.
        kept = _kept(claim.account, name) or _kept(self._nobody[name], name)
        if isinstance(kept, Secret):
            keys = self._derived.get(self._digest(claim, name, kept))
        else:
            keys = None if kept is None else kept.keys
        signature = check(credentials, keys or self._nobodys)
        if signature is None or not claim.acceptable:
            return None
        return Verdict(None, credentials.proof.reveal(), server_signature=signature)

    async def judge(self, claim: Claim, credentials: ScramCredentials) -> Verdict:
        """Return the verdict on a proof."""
        verdict = self.at_once(claim, credentials)
        if verdict is not None:
            return verdict
        device = self._by_device(claim, credentials)
        if device is not None and device.reason is None and claim.acceptable:
            return device
        own_verdict = await self._by_itself(claim, credentials)
        # A device's proof that breaks a rule has done all the work of a wrong one by now.
        return own_verdict if own_verdict.reason is None or device is None else device

    def _by_device(self, claim: Claim, credentials: ScramCredentials) -> Verdict | None:
        """Return the verdict on the proof of a device's password; None: it is none."""
        found = self._devices.by_scram(claim.name, claim.account, credentials)
        if found is None:
            return None
        device, signature = found
        reason = self._devices.objection(device, claim.peer.address, credentials.mechanism)
        return Verdict(reason, f"device {device.id}".encode(), device, signature)

    async def _by_itself(self, claim: Claim, credentials: ScramCredentials) -> Verdict:
        name = family(credentials.mechanism)
        own = _kept(claim.account, name)
        kept = own or _kept(claim.stand_in, name) or _kept(self._nobody[name], name)
        assert kept is not None
        remember = None
        if isinstance(kept, Verifier):
            keys = kept.keys
        else:
            salt = self._salts.salt(claim.counted, name)
            work = partial(derive, name, _prepared(kept), salt, self._iterations)
            _, network = neighbourhood(claim.peer.address)
            keys = await self._pool.run(work, network=network, rank=claim.rank)
            remember = partial(self._remember, self._digest(claim, name, kept), keys)
        signature, tried = check(credentials, keys), credentials.proof.reveal()
        if own is None:
            return Verdict("unknown" if claim.account is None else "no verifier", tried)
        if signature is None:
            return Verdict("password", tried)
        return Verdict(None, tried, server_signature=signature, remember=remember)

    def _digest(self, claim: Claim, name: str, password: Secret) -> bytes:
        account = claim.account or NOBODY
        parts = (name, claim.counted, account.source, account.version)
        digest = blake2b("\0".join(parts).encode(), key=self._key, digest_size=16)
        digest.update(b"\0" + password.reveal())
        return digest.digest()

    def _remember(self, digest: bytes, keys: ScramKeys) -> None:
        if self._remembers:
            self._derived.use(digest, keys)


def _with_a_verifier(name: str) -> Account:
    """Return nobody, with a verifier that nobody's proof fits."""
    text = scram_verifiers.make(name, token_bytes(16), 1)
    return replace(NOBODY, scram=text, verifies=frozenset({name}))


def _kept(account: Account | None, name: str) -> _Kept | None:
    """Return what an account has for a family of mechanisms; None: nothing, or nothing to read."""
    if account is None or name not in account.verifies:
        return None
    scheme = f"{{{name}}}"
    for text in (*account.scram.split(), account.stored_password):
        if text.startswith(scheme):
            return _read(name, text[len(scheme) :])
    # It may be written in small letters.
    stored, encoding, text = hashes.split(account.stored_password)
    if stored == name and not encoding:
        return _read(name, text)
    password = hashes.cleartext(account.stored_password)
    return None if password is None else Secret(password)


def _read(name: str, text: str) -> Verifier | None:
    try:
        return scram_verifiers.read(name, text)
    except ValueError:
        return None


def _prepared(password: Secret) -> bytes:
    return prepare_password(password.reveal())
