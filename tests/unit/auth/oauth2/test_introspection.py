"""Whoever issued a token says whose it is; whatever else it does costs its own logins alone."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from restante.auth.oauth2.claims import Rules
from restante.auth.oauth2.http import Requester
from restante.auth.oauth2.introspection import IntrospectionSource
from restante.errors import TemporaryFailure
from restante.secret import Secret
from unit.auth.oauth2.issuer import (
    AUDIENCE,
    ISSUER,
    NOW,
    Answer,
    Provider,
    Write,
    hangs,
    provider,
    remote,
    response,
    says,
)
from unit.auth.oauth2.test_http import chunks, endless, interim, long_head
from unit.auth.scene import Clock, run

TOKEN = Secret(b"opaque+token/=")
ACTIVE = {"active": True, "email": "bob@example.org", "email_verified": True, "exp": NOW + 300}


class Scene:
    """A source, the clocks it looks at, and whom it asks."""

    def __init__(self, one: Provider, directory: Path, **settings: Any) -> None:
        secret = directory / "secret"
        if not secret.exists():
            secret.write_text("s: %€\n")
        self.one, self.clock, self.wall = one, Clock(), Clock()
        self.wall.now = NOW
        options = remote(one.url, secret, **settings)
        self.source = IntrospectionSource(
            options, Requester(None), Rules(options, "example.org"), self.clock, self.wall
        )

    async def ask(self, token: Secret = TOKEN) -> str | None:
        """Return whose a token is, or why nobody can say."""
        try:
            return await self.source.holder(token)
        except TemporaryFailure as error:
            return f"?{error.reason}"


def held(directory: Path, answer: Answer, **settings: Any) -> tuple[str | None, Provider]:
    async def story() -> tuple[str | None, Provider]:
        async with provider(answer) as one:
            return await Scene(one, directory, **settings).ask(), one

    return run(story())


def test_what_is_asked(tmp_path: Path) -> None:
    """conformance: 7628-S-06"""
    found, one = held(tmp_path, says(response(ACTIVE)))
    assert found == "bob@example.org"
    assert one.form() == {"token": ["opaque+token/="], "token_type_hint": ["access_token"]}
    assert one.head.startswith(b"POST /page?x=1 HTTP/1.1\r\n")
    basic = base64.b64encode(b"pop:s%3A+%25%E2%82%AC")
    assert b"\r\nAuthorization: Basic " + basic + b"\r\n" in one.head
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in one.head


@pytest.mark.parametrize(
    "answer",
    [
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {"active": None},
        {},
        {"email": "bob@example.org", "email_verified": True},
        ACTIVE | {"active": [True]},
        ACTIVE | {"exp": NOW - 31},
        ACTIVE | {"exp": "never"},
        ACTIVE | {"nbf": NOW + 31},
        ACTIVE | {"token_type": "DPoP"},
        ACTIVE | {"token_type": "refresh_token"},
        ACTIVE | {"token_type": None},
        ACTIVE | {"cnf": {"x5t#S256": "x"}},
        ACTIVE | {"email": "bob@example.org\r\nX: y"},
        ACTIVE | {"email": "../../etc/passwd"},
        ACTIVE | {"email": {"bob": "example.org"}},
    ],
)
def test_a_token_that_is_not_good(tmp_path: Path, answer: dict[str, Any]) -> None:
    """threats: A11, A13"""
    assert held(tmp_path, says(response(answer)))[0] is None


def test_what_the_settings_name_has_to_be_there(tmp_path: Path) -> None:
    full = ACTIVE | {"iss": ISSUER, "aud": [AUDIENCE], "scope": "pop", "token_type": "bearer"}
    wanted = {"issuer": ISSUER, "audience": (AUDIENCE,), "scope": ("pop",)}
    assert held(tmp_path, says(response(full)), **wanted)[0] == "bob@example.org"
    for key in ("iss", "aud", "scope"):
        for wrong in (None, "other"):
            assert held(tmp_path, says(response(full | {key: wrong})), **wanted)[0] is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(response({}, status="302 x", further="Location: /\r\n")), "the status is 302, not"),
        (says(response({}, status="401 x")), "the status is 401, not 200"),
        (says(response({}, status="500 x")), "the status is 500, not 200"),
        (says(response(b"<html>", kind="text/html")), "not announced as JSON"),
        (says(response(b"active")), "no JSON object"),
        (says(b""), "no HTTP"),
        (endless, "too long"),
        (chunks, "too long"),
        (interim, "too long"),
        (long_head, ""),
    ],
)
def test_what_is_no_answer_is_no_no(tmp_path: Path, answer: Answer, words: str) -> None:
    """threats: A11, A13"""
    found, _ = held(tmp_path, answer)
    assert found is not None
    assert found.startswith("?introspection: ")
    assert words in found
    assert "opaque" not in found


def test_who_hangs_costs_the_deadline(tmp_path: Path) -> None:
    """threats: A11"""

    async def silent_after_a_line(_: bytes, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\n")
        await asyncio.Event().wait()

    for answer in (hangs, silent_after_a_line):
        found, one = held(tmp_path, answer, deadline_seconds=0.05)
        assert found == "?introspection: no answer in time"
        assert len(one.asked) == 1


def test_a_drip_of_octets_gains_no_time(tmp_path: Path) -> None:
    async def drips(_: bytes, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            await write(b"x")
            await asyncio.sleep(0.001)

    found, _ = held(tmp_path, drips, deadline_seconds=0.1)
    assert found == "?introspection: no answer in time"


def test_who_waits_for_a_turn_waits_no_longer(tmp_path: Path) -> None:
    """threats: A11"""

    async def story() -> None:
        async with provider(hangs) as one:
            scene = Scene(one, tmp_path, deadline_seconds=0.3, concurrent=2, queue=3)
            tokens = [Secret(b"%d" % number) for number in range(8)]
            found = await asyncio.gather(*map(scene.ask, tokens))
            assert found.count("?introspection: too many wait") == 3
            assert found.count("?introspection: no answer in time") == 5
            assert len(one.asked) <= 4
            # And then there is room again.
            one.answer = says(response(ACTIVE))
            assert await scene.ask() == "bob@example.org"

    run(story())


def test_a_login_that_is_withdrawn_gives_its_turn_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(hangs) as one:
            scene = Scene(one, tmp_path, concurrent=1, queue=0)
            first = asyncio.ensure_future(scene.ask())
            while not one.asked:
                await asyncio.sleep(0)
            assert await scene.ask() == "?introspection: too many wait"
            first.cancel()
            await asyncio.wait([first])
            one.answer = says(response(ACTIVE))
            assert await scene.ask() == "bob@example.org"

    run(story())


def test_a_good_answer_is_remembered_shortly(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(says(response(ACTIVE))) as one:
            scene = Scene(one, tmp_path, cache_seconds=60)
            for _ in range(3):
                assert await scene.ask() == "bob@example.org"
            assert len(one.asked) == 1
            one.answer = says(response({"active": False}))
            assert await scene.ask(Secret(b"another")) is None
            assert await scene.ask() == "bob@example.org"
            scene.clock.now += 60
            assert await scene.ask() is None
            one.answer = says(response(ACTIVE))
            assert await scene.ask() == "bob@example.org"

    run(story())


def test_no_answer_is_remembered_beyond_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(says(response(ACTIVE | {"exp": NOW + 10}))) as one:
            scene = Scene(one, tmp_path, cache_seconds=60)
            assert await scene.ask() == "bob@example.org"
            scene.wall.now += 10
            one.answer = says(response({"active": False}))
            assert await scene.ask() is None

    run(story())


def test_a_no_and_a_failure_are_not_remembered(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(says(response({"active": False}))) as one:
            scene = Scene(one, tmp_path)
            assert await scene.ask() is None
            one.answer = says(b"")
            assert str(await scene.ask()).startswith("?")
            one.answer = says(response(ACTIVE))
            assert await scene.ask() == "bob@example.org"

    run(story())


def test_memory_is_bounded_and_can_be_turned_off(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(says(response(ACTIVE))) as one:
            scene = Scene(one, tmp_path, cache_entries=2)
            for name in (b"a", b"b", b"a", b"c", b"a", b"b"):
                assert await scene.ask(Secret(name))
            assert len(one.asked) == 4  # a, b, c, and b again, which was the longest unused
            scene = Scene(one, tmp_path, cache_seconds=0)
            for _ in range(3):
                assert await scene.ask()
            assert len(one.asked) == 7

    run(story())


def test_no_token_is_kept(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(says(response(ACTIVE))) as one:
            scene = Scene(one, tmp_path)
            assert await scene.ask()
            kept = scene.source._remembered._found
            assert [len(digest) for digest in kept] == [32]
            assert b"opaque" not in repr(kept).encode()

    run(story())


def test_the_secret_is_read_for_every_question(tmp_path: Path) -> None:
    async def story() -> None:
        async with provider(says(response(ACTIVE))) as one:
            scene = Scene(one, tmp_path, cache_seconds=0)
            for words in ("first\r\n", "second"):
                (tmp_path / "secret").write_text(words)
                assert await scene.ask()
                basic = base64.b64encode(f"pop:{words.strip()}".encode())
                assert b"Basic " + basic + b"\r\n" in one.head
            (tmp_path / "secret").unlink()
            words = "client_secret_file: No such file or directory"
            assert await scene.ask() == f"?introspection: {words}"

    run(story())
