"""Whatever the other side does, a request ends within bounds."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from restante.auth.oauth2.http import ProviderError, Request, Requester
from unit.auth.oauth2.issuer import Answer, Provider, Write, provider, response, says
from unit.auth.scene import run


def asked(answer: Answer, **settings: Any) -> tuple[Any, Provider]:
    """Return what comes of a request, and of whom it was asked."""

    async def story() -> tuple[Any, Provider]:
        async with provider(answer) as one:
            try:
                return await Requester(None).ask(Request(url=one.url, **settings)), one
            except ProviderError as error:
                return str(error), one

    return run(story())


async def endless(_: bytes, write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        await write(b" " * 65_536)


async def chunks(_: bytes, write: Write) -> None:
    head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    await write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
    while True:
        await write(b"1\r\n \r\n" * 1_000)


async def interim(_: bytes, write: Write) -> None:
    while True:
        await write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)


async def long_head(_: bytes, write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await write(b"x" * 65_536)


def test_what_is_asked_and_answered() -> None:
    found, one = asked(says(response({"active": True})))
    assert found == {"active": True}
    assert one.head.startswith(b"GET /page?x=1 HTTP/1.1\r\n")
    assert b"Host: 127.0.0.1:%d\r\n" % one.port in one.head
    found, one = asked(
        says(response({}, kind="Application/JSON; charset=utf-8")),
        method="POST",
        body=b"a=b",
        headers=(("X", "y"),),
    )
    assert found == {}
    assert one.asked == [b"a=b"]
    assert b"X: y\r\n" in one.head


def test_interim_answers_are_passed_over() -> None:
    found, _ = asked(says(b"HTTP/1.1 103 Early\r\n\r\n" + response({"a": 1})))
    assert found == {"a": 1}


@pytest.mark.parametrize("answer", [endless, chunks, interim, long_head])
def test_who_never_ends_is_left(answer: Answer) -> None:
    """threats: A11, A13"""
    found, one = asked(answer)
    assert found in ("the answer is too long", "that is no HTTP")
    # What the system takes on the way is not ours.
    assert one.written < 64_000_000


def test_ten_gigabytes_are_not_begun() -> None:
    """threats: A13"""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    assert asked(says(head + b"Content-Length: 10000000000\r\n\r\n"))[0] == "the answer is too long"
    assert asked(says(response(b"{}".ljust(65_536))))[0] == {}
    assert asked(says(response(b"{}".ljust(65_537))))[0] == "the answer is too long"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (
            response({}, status="302 Found", further="Location: http://127.0.0.1/\r\n"),
            "the status is 302, not 200",
        ),
        (response({}, status="401 No"), "the status is 401, not 200"),
        (response({}, status="204 No"), "the status is 204, not 200"),
        (response({}, kind="text/html"), "the answer is not announced as JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "the answer is not announced as JSON"),
        (response({}, further="Content-Encoding: gzip\r\n"), "the answer is packed"),
        (response(b"[]"), "the answer is no JSON object"),
        (response(b"[" * 60_000), "the answer is no JSON object"),
        (response(b'{"a":' * 10_000), "the answer is no JSON object"),
        (response(b"\xff"), "the answer is no JSON object"),
        (response(b"7" * 5_000), "the answer is no JSON object"),
        (response(b""), "the answer is no JSON object"),
        (b"", "that is no HTTP"),
        (b"+OK POP3 server ready\r\n", "that is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\nC\rD: e\r\n\r\n", "that is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "that is no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
            "that is no HTTP",
        ),
        (b"HTTP/1.1 101 Up\r\n\r\n", "that is no HTTP"),
    ],
)
def test_what_is_no_answer(octets: bytes, words: str) -> None:
    """threats: A11, A13"""
    assert asked(says(octets))[0] == words


def test_a_redirect_is_not_followed() -> None:
    """threats: A11, A13"""

    async def story() -> None:
        async with provider(says(response({"active": True}))) as second:
            away = response({}, status="307 There", further=f"Location: {second.url}\r\n")
            async with provider(says(away)) as first:
                with pytest.raises(ProviderError, match="307"):
                    await Requester(None).ask(Request(url=first.url, method="POST", body=b"x"))
            assert second.asked == []

    run(story())


def test_nobody_there() -> None:
    async def story() -> None:
        async with provider(says(b"")) as one:
            pass
        with pytest.raises(ProviderError, match="no connection: Connection"):
            await Requester(None).ask(Request(url=one.url))

    run(story())


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_certificates_are_verified(tmp_path: Path, name: str) -> None:
    """threats: A11"""
    authority, other = trustme.CA(), trustme.CA()
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    authority.cert_pem.write_to_path(str(good))
    other.cert_pem.write_to_path(str(bad))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def story() -> list[str]:
        found = []
        async with provider(says(response({"a": 1})), ssl=context) as one:
            url = f"https://{name}:{one.port}/"
            for authorities in (str(good), str(bad), None, str(tmp_path / "none.pem")):
                try:
                    found.append(str(await Requester(authorities).ask(Request(url=url))))
                except ProviderError as error:
                    found.append(str(error))
            # So that the other side's complaint is not lost in the loop's end.
            await asyncio.sleep(0)
        return found

    untrusted = "no connection: SSLCertVerificationError"
    expected = "{'a': 1}" if name == "127.0.0.1" else untrusted
    assert run(story()) == [expected, untrusted, untrusted, "no connection: FileNotFoundError"]
