"""Settings of one issuer of bearer tokens.

Values only. A value that cannot stand raises ValueError with a sentence.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Those with a public key alone: whoever can verify by them can sign nothing."""

LONGEST_DEADLINE_SECONDS = 20.0
"""Clients wait half a minute for a reply, and the connection's own deadline runs as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Options:
    """One issuer of tokens: exactly one of `keys_file`, `keys_url` and `introspection_url`."""

    keys_file: Path | None = None
    """Tokens are JWTs, and the public keys of their issuer stand in this file (JWKS, RFC 7517); it
    is read again when it changes."""
    keys_url: str = ""
    """The same, and the keys are fetched from there."""
    introspection_url: str = ""
    """Tokens may be of any form, and whoever issued them is asked there (RFC 7662)."""
    issuer: str = ""
    """What `iss` has to be, exactly. JWTs need it; where it is set for introspection, the answer
    has to have it."""
    audience: tuple[str, ...] = ()
    """What tokens are to be for: one of these stands in `aud`. JWTs need it; where it is set for
    introspection, the answer has to have it. Without it a token given to any other service of the
    same issuer opens mailboxes, unless the issuer answers for this client's tokens alone."""
    scope: tuple[str, ...] = ()
    """What a token has to allow, all of it, by `scope` or `scp`."""
    account_claim: str = "email"
    """The claim that names the account. `email` counts where `email_verified` is true beside it.
    Any other has to be one that people cannot set for themselves at the issuer."""
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    """By which JWTs may be signed."""
    leeway_seconds: float = 30.0
    """How far the clocks of the issuer and of this machine may be apart."""
    keys_seconds: float = 3_600.0
    """How old fetched keys get until they are fetched again. Where that fails, they serve for as
    long once more."""
    client_id: str = ""
    """Who asks for introspection."""
    client_secret_file: Path | None = None
    """A file that has the secret of `client_id` in its first line; it is read for every question,
    so that it can be changed at any time."""
    authorities: Path | None = None
    """Who may have signed the certificate of the URL (PEM); not set: whom the machine trusts."""
    deadline_seconds: float = 5.0
    """How long a login waits for the issuer, until it is told to come again."""
    concurrent: int = 16
    """Questions asked of the issuer at once."""
    queue: int = 256
    """Logins that wait to ask; more are told to come again."""
    cache_seconds: float = 60.0
    """How long a good answer to an introspection is remembered, never beyond `exp`: so long may a
    token that was revoked get in. 0: not at all. Others are never remembered."""
    cache_entries: int = 10_000
    """Answers remembered, under keyed digests of their tokens; the longest unused go first."""

    def __post_init__(self) -> None:
        ways = (self.keys_file is not None, bool(self.keys_url), bool(self.introspection_url))
        if sum(ways) != 1:
            raise ValueError("exactly one of keys_file, keys_url and introspection_url is set")
        for name in ("keys_url", "introspection_url"):
            url = getattr(self, name)
            if url and (words := _unfit(url)):
                raise ValueError(f"{name}: {words}")
        if self.introspection_url:
            self._check_introspection()
        else:
            self._check_tokens()
        if not self.account_claim:
            raise ValueError("account_claim: something has to name the account")
        self._check_numbers()

    def _check_introspection(self) -> None:
        if not self.client_id or self.client_secret_file is None:
            raise ValueError("introspection_url needs client_id and client_secret_file")

    def _check_tokens(self) -> None:
        if self.client_id or self.client_secret_file is not None:
            raise ValueError("client_id and client_secret_file belong to introspection_url")
        if not self.issuer or not self.audience:
            raise ValueError("issuer and audience have to be set: anybody else's tokens would do")
        if not self.algorithms:
            raise ValueError("algorithms: without one no token can be verified")

    def _check_numbers(self) -> None:
        # The other way round, NaN would pass.
        if not 0 <= self.leeway_seconds <= 300:
            raise ValueError("leeway_seconds is 0 to 300")
        if not 60 <= self.keys_seconds <= 86_400:
            raise ValueError("keys_seconds is 60 to 86400")
        if not 0 < self.deadline_seconds <= LONGEST_DEADLINE_SECONDS:
            raise ValueError(
                f"deadline_seconds is more than 0, {LONGEST_DEADLINE_SECONDS:g} at most"
            )
        if not 0 <= self.cache_seconds <= 3_600:
            raise ValueError("cache_seconds is 0 to 3600")
        for name in ("concurrent", "cache_entries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1")
        if self.queue < 0:
            raise ValueError("queue is not negative")


def _unfit(url: str) -> str | None:
    """Return why a URL will not do; None: it will."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "a URL is printable ASCII"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "that is no URL"
    if not host or parts.fragment:
        return "that is no URL of a page"
    if parts.username is not None or parts.password is not None:
        return "a secret does not belong into a URL"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host)):
        return None
    return "has to begin with https://, or with http:// and an address of this machine"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
