"""Trials: what would come of a login, told to an administrator.

A trial asks the judges that logins are judged by. It waits for nobody, counts for nothing, is noted
nowhere and makes no file.
"""

import asyncio
from dataclasses import dataclass
from secrets import token_bytes, token_hex

from restante.auth import hashes
from restante.auth.judges import Judgement, Judges
from restante.auth.key_file import KEY_OCTETS
from restante.auth.options import AuthOptions
from restante.auth.salts import Salts
from restante.auth.sources import Account
from restante.auth.verifiable import PASSWORDS, verifiable
from restante.errors import AccountError
from restante.identity import (
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    PasswordCredentials,
    Peer,
    SaltRequest,
    ScramCredentials,
    TokenCredentials,
)
from restante.sasl.apop import apop_digest
from restante.sasl.cram_md5 import cram_md5_digest
from restante.sasl.saslprep import prepare_password
from restante.sasl.scram.keys import SCRAM_DIGESTS, client_keys, client_proof, family
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog

BY_CERTIFICATE = "EXTERNAL"
_DIGESTS = {"APOP": apop_digest, "CRAM-MD5": cram_md5_digest}
_TOKENS = frozenset({"OAUTHBEARER", "XOAUTH2"})
MECHANISMS = (
    *sorted(PASSWORDS),
    *(f"{name}{bound}" for name in SCRAM_DIGESTS for bound in ("", "-PLUS")),
    *_DIGESTS,
    *sorted(_TOKENS),
    BY_CERTIFICATE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a trial."""

    name: str | None
    """The prepared name; None: nobody can have what was given."""
    mechanism: str
    verifiable: bool
    """Some source serves this mechanism."""
    reason: str | None
    """Why it was refused, as the log has it; None: it would be let in."""
    source: str | None = None
    """Which source has the account; None: none has."""
    account: str | None = None
    mailbox: str | None = None
    disabled: bool = False
    kept: tuple[str, ...] = ()
    """The schemes of what the account is verified by."""
    device: str = ""
    read_only: bool = False
    notes: tuple[str, ...] = ()
    """What the log of a server would have warned of."""


def attempt(options: AuthOptions, name: str, secret: Secret, mechanism: str, address: str) -> Trial:
    """Return what would come of a login; `secret` is a password, a token or a certificate.

    Raises:
        TemporaryFailure: a source cannot say now.
        AccountError: the mechanism is not known.
    """
    log = RecordingLog()
    # Salts under a key of their own: the server's may not be there yet, and is its to make.
    salts = Salts(options.state_directory, log, Secret(token_bytes(KEY_OCTETS)))
    judges = Judges(options, log, salts=salts)
    peer = Peer(address, 0, "", 0, "trial")

    async def judged() -> tuple[str | None, Judgement]:
        try:
            asked = _credentials(judges, name, secret, mechanism)
            claim, judgement = await judges.judge(asked, peer)
            return claim.name, judgement
        finally:
            await judges.close()

    prepared, judgement = asyncio.run(judged())
    notes = tuple(str(fields["reason"]) for fields in log.named(Event.WARNING))
    return _told(options, prepared, mechanism, judgement, notes)


def _told(
    options: AuthOptions,
    prepared: str | None,
    mechanism: str,
    judgement: Judgement,
    notes: tuple[str, ...],
) -> Trial:
    account, verdict, reason = judgement
    return Trial(
        name=prepared,
        mechanism=mechanism,
        verifiable=mechanism in verifiable(options),
        reason=reason,
        source=None if account is None else account.source,
        account=None if account is None else account.name,
        mailbox=None if account is None else account.mailbox,
        disabled=account is not None and account.disabled,
        kept=() if account is None else _schemes(account),
        device=verdict.device.name,
        read_only=verdict.device.read_only,
        notes=notes,
    )


def _schemes(account: Account) -> tuple[str, ...]:
    """Return the schemes of what is kept, and nothing else of it."""
    stored = [account.stored_password] if account.stored_password else []
    known = []
    for text in (*stored, *account.scram.split()):
        scheme = hashes.split(text)[0]
        # What stands in braces may be a password in the wrong place.
        known.append(scheme if scheme in hashes.SCHEMES else "unreadable")
    return tuple(known)


def _credentials(judges: Judges, name: str, secret: Secret, mechanism: str) -> Credentials:
    octets = secret.reveal()
    if mechanism in PASSWORDS:
        return PasswordCredentials(name, secret, mechanism)
    if mechanism in _DIGESTS:
        challenge = f"<{token_hex(16)}@trial>".encode()
        digest = Secret(_DIGESTS[mechanism](challenge, octets))
        return DigestCredentials(name, challenge, digest, mechanism)
    if mechanism in _TOKENS:
        return TokenCredentials(name, secret, mechanism)
    if mechanism == BY_CERTIFICATE:
        return CertificateCredentials(name, octets)
    if family(mechanism) in SCRAM_DIGESTS:
        return _proof(judges, name, octets, mechanism)
    raise AccountError(f"there is no mechanism {mechanism!a} to try")


def _proof(judges: Judges, name: str, password: bytes, mechanism: str) -> ScramCredentials:
    salt, iterations = judges.parameters(SaltRequest(name, mechanism))
    client_key, _ = client_keys(mechanism, prepare_password(password), salt, iterations)
    message = token_bytes(32)
    proof = Secret(client_proof(mechanism, client_key, message))
    return ScramCredentials(name, message, proof, mechanism)
