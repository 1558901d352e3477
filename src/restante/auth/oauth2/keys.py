"""The public keys of an issuer: JWKS (RFC 7517), out of a file or fetched.

Keys are only ever looked for among these: what a token says of where its key is to be had (`jku`,
`x5u`, `jwk`) is not read, and its `kid` is compared and nothing else.
"""

import asyncio
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from restante.auth.oauth2.http import BODY_OCTETS, ProviderError, Request, Requester, read_object
from restante.errors import TemporaryFailure

MAXIMUM_KEYS = 100
RSA_BITS = range(2048, 8193)
"""RFC 7518 §3.3 from below; from above, what can be verified in a moment."""
REST_SECONDS = 30.0
"""Between two fetches, whatever tokens ask for."""

PublicKey = RSAKey | ECKey


class Keys(Protocol):
    """Where the keys of an issuer are."""

    async def find(self, kid: str | None, kind: str) -> Sequence[PublicKey]:
        """Return the keys of a kind that a token may have been signed with.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        ...

    async def close(self) -> None:
        """Let go of what is under way."""
        ...


class KeySet:
    """The keys of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        listed = document.get("keys")
        entries = listed[:MAXIMUM_KEYS] if isinstance(listed, list) else []
        self._keys = [key for each in entries if (key := _public_key(each)) is not None]
        if not self._keys:
            raise ProviderError("there is no key in it that a signature could be verified with")

    def find(self, kid: str | None, kind: str) -> Sequence[PublicKey]:
        """Return the keys of a kind that have this `kid`; without one, the only one there is."""
        fit = [key for key in self._keys if key.key_type == kind]
        if kid is None:
            return fit if len(fit) == 1 else []
        return [key for key in fit if key.kid == kid]


def _public_key(entry: object) -> PublicKey | None:
    """Return a key that is meant for signatures; None: it is none, or of no use here.

    RFC 7517 §5: what is not understood is left out, and the others serve.
    """
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kid = entry.get("kid")
    if kid is not None and not isinstance(kid, str):
        return None
    # Of what else stands there nothing is needed; a private key would be the issuer's mistake.
    members = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}.get(str(entry.get("kty")), ())
    wanted = ("kty", *members) if kid is None else ("kty", "kid", *members)
    public = {name: text for name in wanted if isinstance(text := entry.get(name), str)}
    if not members or len(public) != len(wanted):
        return None
    try:
        if entry["kty"] == "EC":
            key = ECKey.import_key({**public})
            key.public_key  # noqa: B018  # reads the point
            return key
        # First, since the library would warn of a short one, and a long one is work.
        if int.from_bytes(urlsafe_b64decode(public["n"] + "==")).bit_length() not in RSA_BITS:
            return None
        rsa = RSAKey.import_key({**public})
        rsa.public_key  # noqa: B018
        return rsa
    except (JoseError, ValueError, TypeError, KeyError, ArithmeticError):
        return None


class FileKeys:
    """Keys in a file, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[object, KeySet] | None = None

    async def find(self, kid: str | None, kind: str) -> Sequence[PublicKey]:
        """Return the keys that a token may have been signed with; see the contract."""
        try:
            return self._current().find(kid, kind)
        except OSError as error:
            raise TemporaryFailure(reason=f"keys: {error.strerror}") from error
        except ProviderError as error:
            raise TemporaryFailure(reason=f"keys: {error}") from error

    async def close(self) -> None:
        """Do nothing: nothing is under way."""

    def _current(self) -> KeySet:
        with self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if self._read is not None and self._read[0] == state:
                return self._read[1]
            octets = file.read(BODY_OCTETS + 1)
        document = read_object(octets) if len(octets) <= BODY_OCTETS else None
        if document is None:
            raise ProviderError("the file is no JSON object, or too long")
        self._read = state, KeySet(document)
        return self._read[1]


class FetchedKeys:
    """Keys at a URL, fetched now and then and when a token names one that is not known."""

    def __init__(
        self,
        requester: Requester,
        url: str,
        *,
        keys_seconds: float,
        deadline_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._requester = requester
        self._request = Request(url=url)
        self._keys_seconds = keys_seconds
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._set: KeySet | None = None
        self._fetched = self._tried = -float("inf")
        self._failure = ""
        """Why the last fetch brought nothing; empty: it did."""
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, kind: str) -> Sequence[PublicKey]:
        """Return the keys that a token may have been signed with; see the contract."""
        age = self._clock() - self._fetched
        if self._set is None or age > 2 * self._keys_seconds:
            await self._refresh()
        elif age > self._keys_seconds:
            self._begin()  # the old ones serve meanwhile
        found = self._known(kid, kind)
        if not found and kid is not None and await self._refresh():
            found = self._known(kid, kind)
        return found

    async def close(self) -> None:
        """Stop what is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _known(self, kid: str | None, kind: str) -> Sequence[PublicKey]:
        if self._set is None or self._clock() - self._fetched > 2 * self._keys_seconds:
            raise TemporaryFailure(reason=f"keys: {self._failure}")
        return self._set.find(kid, kind)

    async def _refresh(self) -> bool:
        """Fetch the keys if that is not too soon, and return whether something was tried.

        Raises:
            TemporaryFailure: it failed, now or just before.
        """
        tried = self._begin()
        if self._fetching is not None:
            tried = True
            # A login that is withdrawn takes it from nobody else.
            await asyncio.shield(self._fetching)
        if self._failure:
            raise TemporaryFailure(reason=f"keys: {self._failure}")
        return tried

    def _begin(self) -> bool:
        if self._fetching is not None or self._clock() - self._tried < REST_SECONDS:
            return False
        self._tried = self._clock()
        self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        self._fetching.add_done_callback(self._forget)
        return True

    def _forget(self, _: "asyncio.Task[None]") -> None:
        self._fetching = None

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                self._set = KeySet(await self._requester.ask(self._request))
        except TimeoutError:
            self._failure = "no answer in time"
        except ProviderError as error:
            self._failure = str(error)
        else:
            self._failure, self._fetched = "", self._clock()
