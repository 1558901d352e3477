"""Claims: what a token says of itself, once it is certain who says it.

The same rules hold for a JWT and for the answer to an introspection (RFC 7519 §4.1, RFC 7662 §2.2,
RFC 9068 §4). What is not of the type it has to be is as good as wrong.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from restante.auth.names import prepare
from restante.auth.oauth2.options import OAuth2Options

Claims = Mapping[str, Any]


class Holder(NamedTuple):
    """Whose a token is, and until when."""

    name: str
    expires: float | None
    """Seconds since 1970; None: it does not say."""


class Rules:
    """What claims have to be."""

    def __init__(self, options: OAuth2Options, default_domain: str) -> None:
        self._options = options
        self._default_domain = default_domain

    def holder(self, claims: Claims, now: float, *, must_expire: bool) -> Holder | None:
        """Return whose a token is; None: it is good for nothing here."""
        options = self._options
        if not self._is_due(claims, now, must_expire=must_expire):
            return None
        if options.issuer and claims.get("iss") != options.issuer:
            return None
        if options.audience and not (_texts(claims.get("aud")) & set(options.audience)):
            return None
        if not allowed(claims).issuperset(options.scope):
            return None
        # RFC 7800 §3.1: it is of use to whoever has a certain key, and that was not shown.
        if "cnf" in claims:
            return None
        name = self._name(claims)
        return None if name is None else Holder(name, _number(claims.get("exp")))

    def _is_due(self, claims: Claims, now: float, *, must_expire: bool) -> bool:
        leeway = self._options.leeway_seconds
        for key, far in (("nbf", 1), ("iat", 1), ("exp", -1)):
            if key not in claims:
                if key == "exp" and must_expire:
                    return False
                continue
            moment = _number(claims[key])
            # RFC 7519 §4.1.4: on or after `exp` it is over.
            if moment is None or (now < moment - leeway if far > 0 else now >= moment + leeway):
                return False
        return True

    def _name(self, claims: Claims) -> str | None:
        key = self._options.account_claim
        found = claims.get(key)
        # OpenID Connect Core §5.1: an address that was not verified may be anybody's. Some send
        # the word.
        if key == "email" and claims.get("email_verified") not in (True, "true"):
            return None
        return prepare(found, self._default_domain) if isinstance(found, str) else None


def allowed(claims: Claims) -> frozenset[str]:
    """Return the scope of a token: words with spaces between (RFC 8693 §4.2), or a list of them."""
    return frozenset().union(*(_words(claims.get(key)) for key in ("scope", "scp")))


def _words(value: object) -> frozenset[str]:
    return frozenset(value.split(" ")) if isinstance(value, str) else _texts(value)


def _texts(value: object) -> frozenset[str]:
    """Return a text or the texts of a list."""
    listed = value if isinstance(value, list) else [value]
    return frozenset(each for each in listed if isinstance(each, str))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
