"""What sources of accounts can verify, as their settings say: no store is opened to know it.

A mechanism is worth offering where at least one source can judge it. That is no promise to each
account: one whose password was set before its source was told to keep a verifier has none.
"""

from restante.auth.devices.device import BY_DIGEST
from restante.auth.options import AuthOptions, HashOptions, SourceOptions
from restante.sasl.md5 import md5_available
from restante.sasl.scram import SCRAM_DIGESTS

PASSWORDS = frozenset({"USER", "PLAIN", "LOGIN"})
"""What is judged by the password itself."""
TOKENS = frozenset({"OAUTHBEARER", "XOAUTH2"})
"""What is judged by a bearer token."""


def verifiable(options: AuthOptions) -> frozenset[str]:
    """Return the mechanisms that at least one source can verify."""
    found: frozenset[str] = frozenset()
    for source in options.sources:
        found |= verifies(source, options.hashing)
    return found


def verifies(source: SourceOptions, hashing: HashOptions) -> frozenset[str]:
    """Return the mechanisms that a source can verify; whoever has SCRAM has it bound as well."""
    if source.type == "certificate":
        return frozenset({"EXTERNAL"})
    if source.type == "oauth2":
        return TOKENS
    # By devices alone: an account's own password is never kept in a form that would do.
    ours = (*hashing.scram, *BY_DIGEST)
    further: tuple[str, ...] = ours if source.type == "accounts" else source.verifies
    if not md5_available():
        further = tuple(name for name in further if name not in BY_DIGEST)
    bound = (f"{name}-PLUS" for name in further if name in SCRAM_DIGESTS)
    return PASSWORDS | frozenset(further) | frozenset(bound)
