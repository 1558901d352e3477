"""Keys of an issuer: which are taken, and when they are read again."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from restante.auth.oauth2.http import ProviderError, Requester
from restante.auth.oauth2.keys import REST_SECONDS, FetchedKeys, FileKeys, KeySet
from restante.errors import TemporaryFailure
from unit.auth.oauth2.issuer import (
    EC,
    RSA,
    Provider,
    Write,
    hangs,
    key_set,
    provider,
    response,
    says,
)
from unit.auth.scene import Clock, run

NEW = ECKey.generate_key("P-256", {"kid": "new"})


def entries(*keys: RSAKey | ECKey) -> list[dict[str, Any]]:
    return list(key_set(*keys)["keys"])


def test_keys_are_found_by_name_and_kind() -> None:
    keys = KeySet(key_set(RSA, EC))
    assert [key.kid for key in keys.find("r", "RSA")] == ["r"]
    assert [key.kid for key in keys.find(None, "EC")] == ["e"]
    assert keys.find("e", "RSA") == keys.find("x", "EC") == keys.find("", "EC") == []
    assert KeySet(key_set(NEW, EC)).find(None, "EC") == []


def test_a_private_key_is_read_as_a_public_one() -> None:
    [found] = KeySet({"keys": [EC.as_dict(private=True)]}).find("e", "EC")
    assert not found.is_private


@pytest.mark.parametrize(
    "bad",
    [
        *(7, None, [], {}, {"kty": "EC"}, {"kty": ["EC"]}, {"kty": "ML-DSA"}),
        OctKey.generate_key(256).as_dict(private=True),
        entries(EC)[0] | {"use": "enc"},
        entries(EC)[0] | {"kid": 7},
        entries(EC)[0] | {"x": "AAAA"},
        entries(EC)[0] | {"y": entries(EC)[0]["x"]},
        entries(EC)[0] | {"crv": "P-1"},
        entries(EC)[0] | {"x": 7},
        entries(RSA)[0] | {"e": ""},
        entries(RSA)[0] | {"e": "AA"},
        entries(RSA)[0] | {"n": "not base64 !"},
        {"kty": "RSA", "e": "AQAB", "n": entries(RSA)[0]["n"][:171]},  # 1,026 bits
        entries(RSA)[0] | {"n": "_" * 3000},
    ],
)
def test_what_is_no_good_is_left_out(bad: object) -> None:
    """threats: A11"""
    with pytest.raises(ProviderError, match="no key in it"):
        KeySet({"keys": [bad]})
    assert [key.kid for key in KeySet({"keys": [bad, *entries(RSA)]}).find("r", "RSA")] == ["r"]


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": 7}, {"keys": []}])
def test_a_document_without_keys(document: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="no key in it"):
        KeySet(document)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(key_set(EC)))
    keys = FileKeys(path)
    assert run(keys.find("e", "EC"))
    assert not run(keys.find("new", "EC"))
    path.write_text(json.dumps(key_set(NEW, RSA)))
    assert run(keys.find("new", "EC"))
    assert not run(keys.find("e", "EC"))


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b" " * 70_000 + b"{}"])
def test_a_file_that_cannot_be_used_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TemporaryFailure) as caught:
        run(FileKeys(path).find("e", "EC"))
    assert str(caught.value.reason).startswith("keys: ")


def fetched(one: Provider, clock: Clock, deadline: float = 20.0) -> FetchedKeys:
    return FetchedKeys(
        Requester(None), one.url, keys_seconds=600, deadline_seconds=deadline, clock=clock
    )


def test_keys_are_fetched_once() -> None:
    async def story() -> None:
        async with provider(says(response(key_set(EC), kind="application/jwk-set+json"))) as one:
            keys = fetched(one, Clock())
            found = await asyncio.gather(*(keys.find("e", "EC") for _ in range(20)))
            assert all(found)
            assert await keys.find("e", "EC")
            assert len(one.asked) == 1
            await keys.close()

    run(story())


def test_an_unknown_key_is_fetched_for_within_bounds() -> None:
    """threats: A11"""

    async def story() -> None:
        async with provider(says(response(key_set(EC)))) as one:
            clock = Clock()
            keys = fetched(one, clock)
            assert await keys.find("e", "EC")
            for number in range(50):
                assert not await keys.find(f"unknown{number}", "EC")
            assert len(one.asked) == 1
            one.answer = says(response(key_set(EC, NEW)))
            clock.now += REST_SECONDS
            assert await keys.find("new", "EC")
            assert not await keys.find("unknown", "EC")
            assert not await keys.find(None, "RSA")
            assert len(one.asked) == 2

    run(story())


def test_old_keys_serve_while_new_ones_are_fetched_and_once_more_as_long() -> None:
    async def story() -> None:
        async with provider(says(response(key_set(EC)))) as one:
            clock = Clock()
            keys = fetched(one, clock)
            assert await keys.find("e", "EC")
            one.answer = hangs
            clock.now += 601
            assert await keys.find("e", "EC")
            assert await keys.find("e", "EC")
            await keys.close()
            one.answer = says(b"HTTP/1.1 500 x\r\n\r\n")
            clock.now += 600
            with pytest.raises(TemporaryFailure) as caught:
                await keys.find("e", "EC")
            assert caught.value.reason == "keys: the status is 500, not 200"

    run(story())


def test_what_failed_is_not_tried_again_at_once() -> None:
    """threats: A11"""

    async def story() -> None:
        async with provider(says(response(b"{"))) as one:
            clock = Clock()
            keys = fetched(one, clock)
            for _ in range(5):
                with pytest.raises(TemporaryFailure) as caught:
                    await keys.find("e", "EC")
                assert caught.value.reason == "keys: the answer is no JSON object"
            assert len(one.asked) == 1
            clock.now += REST_SECONDS
            one.answer = says(response(key_set(EC)))
            assert await keys.find("e", "EC")

    run(story())


def test_a_login_that_is_withdrawn_takes_the_keys_from_nobody() -> None:
    async def story() -> None:
        let = asyncio.Event()

        async def later(_: bytes, write: Write) -> None:
            await let.wait()
            await write(response(key_set(EC)))

        async with provider(later) as one:
            keys = fetched(one, Clock())
            first, second = (asyncio.ensure_future(keys.find("e", "EC")) for _ in range(2))
            while not one.asked:
                await asyncio.sleep(0)
            first.cancel()
            let.set()
            assert await second
            assert len(one.asked) == 1

    run(story())


def test_who_hangs_costs_the_deadline() -> None:
    """threats: A11"""

    async def story() -> None:
        async with provider(hangs) as one:
            with pytest.raises(TemporaryFailure) as caught:
                await fetched(one, Clock(), 0.05).find("e", "EC")
            assert caught.value.reason == "keys: no answer in time"

    run(story())


def test_the_clock_of_a_file_is_not_enough(tmp_path: Path) -> None:
    """A file that replaces another may have its size and its time."""
    path, other = tmp_path / "keys.json", tmp_path / "new.json"
    path.write_text(json.dumps(key_set(EC)))
    keys = FileKeys(path)
    assert run(keys.find("e", "EC"))
    other.write_text(json.dumps(key_set(NEW)).ljust(path.stat().st_size))
    path.write_text(json.dumps(key_set(EC)).ljust(other.stat().st_size))
    assert run(keys.find("e", "EC"))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)
    assert run(keys.find("new", "EC"))
