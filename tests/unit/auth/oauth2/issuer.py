"""An issuer of tokens for tests: its keys, the tokens it signs, and a server that says anything."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from restante.auth.oauth2.options import OAuth2Options
from restante.secret import Secret

ISSUER = "https://id.example.org"
AUDIENCE = "pop.example.org"
NOW = 1_800_000_000.0
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "exp": NOW + 300,
    "iat": NOW - 10,
    "email": "bob@example.org",
    "email_verified": True,
    "scope": "openid pop",
}
RSA = RSAKey.generate_key(2048, {"kid": "r"})
EC = ECKey.generate_key("P-256", {"kid": "e"})
OTHER = ECKey.generate_key("P-256", {"kid": "e"})
"""Somebody else's that goes by the same name."""

Write = Callable[[bytes], Awaitable[None]]
Answer = Callable[[bytes, Write], Awaitable[None]]


def key_set(*keys: RSAKey | ECKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(
    claims: dict[str, Any] | None = None,
    key: RSAKey | ECKey = EC,
    header: dict[str, Any] | None = None,
) -> Secret:
    """Return a token as the issuer makes it, except for what is said."""
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    head = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    body = {name: value for name, value in (CLAIMS | (claims or {})).items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[str(head["alg"])], strict_check_header=False)
    registry.max_header_length = 100_000
    return Secret(jws.serialize_compact(head, json.dumps(body), key, registry=registry).encode())


def part(value: object) -> bytes:
    """Return one part of a token that is made by hand."""
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def local(path: Path, **settings: Any) -> OAuth2Options:
    given: dict[str, Any] = {"keys_file": path, "issuer": ISSUER, "audience": (AUDIENCE,)}
    return OAuth2Options(**(given | settings))


def remote(url: str, secret: Path, **settings: Any) -> OAuth2Options:
    given: dict[str, Any] = {
        "introspection_url": url,
        "client_id": "pop",
        "client_secret_file": secret,
    }
    return OAuth2Options(**(given | settings))


def response(
    body: bytes | dict[str, Any],
    *,
    status: str = "200 OK",
    kind: str = "application/json",
    further: str = "",
) -> bytes:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(octets)}\r\n"
        f"{further}\r\n"
    ).encode() + octets


def says(octets: bytes) -> Answer:
    async def answer(_: bytes, write: Write) -> None:
        await write(octets)

    return answer


async def hangs(_: bytes, write: Write) -> None:
    await asyncio.Event().wait()


class Provider:
    """A server that answers each request as it is told to, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.written = 0
        self.port = 0
        self._tasks: set[asyncio.Task[Any] | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/page?x=1"

    def form(self) -> dict[str, list[str]]:
        """Return the form of the last request."""
        return parse_qs(self.asked[-1].decode())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def write(octets: bytes) -> None:
            writer.write(octets)
            await writer.drain()
            self.written += len(octets)

        self._tasks.add(asyncio.current_task())
        try:
            self.head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in self.head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.asked.append(await reader.readexactly(length))
            await self.answer(self.asked[-1], write)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def end(self) -> None:
        for task in self._tasks:
            assert task is not None
            task.cancel()
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)


@asynccontextmanager
async def provider(answer: Answer, **tls: Any) -> AsyncIterator[Provider]:
    """Yield a provider while it listens."""
    one = Provider(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0, **tls)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.end()
