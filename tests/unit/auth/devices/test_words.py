"""The words of device passwords: enough of them, and read as people type them."""

import math

import pytest

from restante.auth.devices import words
from restante.secret import Secret


def test_nobody_guesses_one() -> None:
    made = {words.make().reveal() for _ in range(1_000)}
    assert len(made) == 1_000
    used = set(b"".join(made))
    assert len(used) == 32
    assert min(map(len, made)) * math.log2(len(used)) >= 128


def test_no_character_looks_like_another() -> None:
    used = set(b"".join(words.make().reveal() for _ in range(1_000)))
    assert not used & set(b"01lo")


def test_people_are_shown_groups() -> None:
    secret = Secret(b"abcdefgh23456789ijkmabcdefgh")
    assert words.grouped(secret) == Secret(b"abcd-efgh-2345-6789-ijkm-abcd-efgh")


@pytest.mark.parametrize(
    "typed",
    [
        b"abcd-efgh-2345-6789-ijkm-abcd-efgh",
        b"abcdefgh23456789ijkmabcdefgh",
        b"abcd efgh 2345 6789 ijkm abcd efgh",
        b" ABCD-EFGH-2345-6789-IJKM-ABCD-EFGH ",
    ],
)
def test_separators_and_capitals_make_no_difference(typed: bytes) -> None:
    assert words.read(typed) == Secret(b"abcdefgh23456789ijkmabcdefgh")


@pytest.mark.parametrize(
    "typed",
    [
        b"",
        b"secret",
        b"abcdefgh23456789ijkmabcdefg",
        b"abcdefgh23456789ijkmabcdefghi",
        b"abcdefgh23456789ijkmabcdefg0",
        b"abcdefgh23456789ijkmabcdefg\xff",
        b"abcdefgh23456789ijkmabcdefgh" + b"-" * 101,
        b"-" * 100_000,
    ],
)
def test_what_is_no_device_password_is_told_by_itself(typed: bytes) -> None:
    assert words.read(typed) is None


def test_a_program_may_have_been_given_either_spelling() -> None:
    secret = words.make()
    for spelling in words.spellings(secret):
        assert words.read(spelling) == secret
    assert len(set(words.spellings(secret))) == 2
