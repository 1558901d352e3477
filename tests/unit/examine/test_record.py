"""The record keeps what was said, within bounds, and no secret."""

from __future__ import annotations

import pytest

from restante.examine.record import KEPT_IN_ALL, KEPT_OCTETS, KEPT_UTTERANCES, Record, Utterance

PASSWORD = b"hunter2-hunter2"


def record() -> Record:
    made = Record()
    made.hide([PASSWORD])
    return made


def test_what_is_said_is_kept_in_order() -> None:
    kept = record()
    kept.note(1, "S", b"+OK\r\n")
    kept.note(1, "C", b"USER {user}\r\n")
    assert kept.utterances() == (
        Utterance(1, "S", b"+OK\r\n"),
        Utterance(1, "C", b"USER {user}\r\n"),
    )


def test_a_long_utterance_is_cut() -> None:
    kept = record()
    kept.note(1, "S", b"x" * 10_000)
    assert kept.utterances() == (Utterance(1, "S", b"x" * KEPT_OCTETS, 10_000 - KEPT_OCTETS),)


@pytest.mark.parametrize("place", range(KEPT_OCTETS - 20, KEPT_OCTETS + 2))
def test_the_cut_spares_nothing_of_a_secret(place: int) -> None:
    kept = record()
    kept.note(1, "S", b"x" * place + PASSWORD + b"y" * 9_000)
    octets = kept.utterances()[0].octets
    assert set(octets.lstrip(b"x")) <= set(b"{secret}y")
    assert len(octets) <= KEPT_OCTETS


def test_many_secrets_draw_no_other_cut_into_view() -> None:
    kept = Record()
    kept.hide([b"s" * 200])
    kept.note(1, "S", b"s" * 4_000 + b"s" * 9_000)
    assert kept.utterances()[0].octets.strip(b"{secret}") == b""


def test_a_secret_the_suite_says_by_itself_is_hidden_as_well() -> None:
    kept = Record()
    kept.hide([b"password"])
    kept.note(1, "C", b"PASS {password}\r\nPASS password\r\n")
    assert kept.utterances()[0].octets == b"PASS {password}\r\nPASS {secret}\r\n"


def test_a_word_before_a_placeholder_is_no_head_of_a_secret() -> None:
    kept = Record()
    kept.hide([b"pass with space", b"user {user} whole"])
    kept.note(1, "C", b"PASS {password}\r\nUSER {user}\r\n")
    assert kept.utterances()[0].octets == b"PASS {password}\r\nUSER {user}\r\n"


def test_of_many_utterances_the_beginning_and_the_end_are_kept() -> None:
    kept = record()
    for number in range(1_000):
        kept.note(1, "C", b"%d\r\n" % number)
    said = kept.utterances()
    assert len(said) == KEPT_UTTERANCES + 1
    assert said[0].octets == b"0\r\n"
    assert said[KEPT_UTTERANCES // 2] == Utterance(0, "*", b"600 utterances left out")
    assert said[-1].octets == b"999\r\n"


def test_a_record_has_a_bound_in_octets() -> None:
    kept = record()
    for number in range(300):
        kept.note(1, "S", b"%d" % number * 1_500)
    said = kept.utterances()
    assert sum(len(one.octets) for one in said) <= KEPT_IN_ALL + 64
    assert said[0].octets.startswith(b"0")
    assert said[-1].octets.startswith(b"299")


def test_an_explanation_is_told_without_secrets_and_within_bounds() -> None:
    kept = record()
    assert kept.told("the reply is 'hunter2-hunter2'") == "the reply is '{secret}'"
    assert len(kept.told("x" * 9_000_000)) == KEPT_OCTETS
    assert "hunter" not in kept.told("x" * 4_090 + PASSWORD.decode() * 100)
