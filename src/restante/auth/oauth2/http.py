"""One HTTP request to a party that may be slow, dead or lying, and its JSON answer.

Bounded on every side: octets of the answer, TLS verified, no redirect followed, nothing unpacked,
no proxy of the environment, no cookie, a connection for each. The time is bounded by whoever asks.
"""

import asyncio
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import h11

from restante.errors import RestanteError

BODY_OCTETS = 65_536
HEAD_OCTETS = 16_384
_PIECE_OCTETS = 16_384
_DEFAULT_PORTS = {"https": 443, "http": 80}


class ProviderError(RestanteError):
    """No answer that is worth anything; the text is for the log, and is all ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Requester:
    """Where requests go out, with the authorities that certificates are verified by."""

    def __init__(self, authorities: str | None) -> None:
        self._authorities = authorities
        self._context: ssl.SSLContext | None = None

    async def ask(self, request: Request) -> dict[str, Any]:
        """Return the JSON object that answers a request.

        Raises:
            ProviderError: there is none.
        """
        parts = urlsplit(request.url)
        assert parts.hostname is not None
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        try:
            # Out here, since loading the authorities fails in the same ways.
            context = self._tls() if parts.scheme == "https" else None
            reader, writer = await asyncio.open_connection(
                parts.hostname, port, ssl=context, limit=_PIECE_OCTETS
            )
        except (OSError, ValueError) as error:
            # Of the error's own words some come from the other side's certificate.
            raise ProviderError(f"no connection: {type(error).__name__}") from error
        try:
            return await _converse(reader, writer, request)
        except OSError as error:
            raise ProviderError(f"connection broken: {type(error).__name__}") from error
        finally:
            # Whoever is told to close may take their time.
            writer.transport.abort()

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._authorities)
        return self._context


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
) -> dict[str, Any]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_OCTETS)
    try:
        writer.write(_rendered(connection, request))
        await writer.drain()
        return _read_json(await _body(connection, reader))
    except h11.ProtocolError as error:
        raise ProviderError("that is no HTTP") from error


def _rendered(connection: h11.Connection, request: Request) -> bytes:
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [
        ("Host", parts.netloc),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *request.headers,
    ]
    if request.body:
        headers.append(("Content-Length", str(len(request.body))))
    pieces = [connection.send(h11.Request(method=request.method, target=target, headers=headers))]
    if request.body:
        pieces.append(connection.send(h11.Data(data=request.body)))
    pieces.append(connection.send(h11.EndOfMessage()))
    return b"".join(piece for piece in pieces if piece is not None)


async def _body(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    """Return the body of the answer, or stop reading as soon as it cannot be one."""
    body = bytearray()
    received = 0
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            piece = await reader.read(_PIECE_OCTETS)
            received += len(piece)
            # Of the whole, so that interim answers and the frames of chunks have an end as well.
            if received > BODY_OCTETS + HEAD_OCTETS:
                raise ProviderError("the answer is too long")
            connection.receive_data(piece)
        elif isinstance(event, h11.Response):
            _check(event)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_OCTETS:
                raise ProviderError("the answer is too long")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            raise ProviderError("the connection ended before the answer")


def _check(response: h11.Response) -> None:
    if response.status_code != 200:
        raise ProviderError(f"the status is {response.status_code}, not 200")
    headers: Iterable[tuple[bytes, bytes]] = response.headers
    given = dict(headers)
    kind = given.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and not kind.endswith(b"+json"):
        raise ProviderError("the answer is not announced as JSON")
    if given.get(b"content-encoding", b"identity").lower() != b"identity":
        raise ProviderError("the answer is packed")
    if int(given.get(b"content-length", b"0")) > BODY_OCTETS:
        raise ProviderError("the answer is too long")


def _read_json(octets: bytes) -> dict[str, Any]:
    found = read_object(octets)
    if found is None:
        raise ProviderError("the answer is no JSON object")
    return found


def read_object(octets: bytes) -> dict[str, Any] | None:
    """Return the JSON object that octets are; None: they are none."""
    try:
        found = json.loads(octets.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
