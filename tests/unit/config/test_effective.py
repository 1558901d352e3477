"""Effective values come out in the shape of the file, and can be read again."""

from typing import Any

import pytest

from restante.config.effective import effective, find, to_toml
from restante.config.loading import parse
from restante.config.shape import ROOT
from unit.config.written import FILE, LISTENER, RIGHT


@pytest.mark.parametrize("text", [RIGHT, LISTENER])
@pytest.mark.parametrize("changed", [False, True])
def test_what_is_printed_means_the_same(text: str, *, changed: bool) -> None:
    configuration = parse(text, FILE)
    printed = to_toml(effective(configuration, changed=changed))
    assert parse(printed, FILE) == configuration


def test_every_setting_appears() -> None:
    plain = effective(parse(RIGHT, FILE))
    unset = {"user", "auth_user", "client_authorities", "certificate_name"}
    unset |= {"keys_file", "client_secret_file", "authorities", "password_file"}
    for table in ROOT.walk():
        place = {"oauth2": 2, "sql": 4}.get(table.key, 3)
        key = table.name.replace("auth.source.", f"auth.source[{place}].")
        value: Any = find(plain, key) if key else plain
        holder: dict[str, object] = value[0] if table.repeated else value
        assert set(table.settings()) - unset <= set(holder), table.name


def test_only_what_is_not_the_default() -> None:
    assert effective(parse(LISTENER, FILE), changed=True) == {
        "listener": [{"address": "127.0.0.1:110", "tls": "none"}],
        "auth": {"cleartext": "always"},
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workers", 2),
        ("listener[1].address", "[::1]:995"),
        ("auth.mechanisms", ["USER"]),
        ("auth.throttle.first_delay_seconds", 1.0),
        ("auth.source[1]", {"type": "accounts", "verifies": []}),
    ],
)
def test_one_value_is_found(key: str, value: object) -> None:
    assert find(effective(parse(RIGHT, FILE)), key) == value


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("workrs", 'workrs is not set \\(did you mean "workers"\\?\\)'),
        ("listener[7].address", "is not set"),
        ("workers.x", "is not set"),
        ("auth.source.type", "is not set"),
        ("user", "user is not set"),
    ],
)
def test_what_is_not_there_is_said(key: str, words: str) -> None:
    with pytest.raises(KeyError, match=words):
        find(effective(parse(RIGHT, FILE)), key)
