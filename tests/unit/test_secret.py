"""Secret: no accident shows what it holds."""

import copy
import json
import logging
import pickle
import traceback

import pytest

from restante.identity import PasswordCredentials
from restante.secret import Secret

BIRD = b"kanarienvogel"


def test_the_one_way_to_the_octets() -> None:
    assert Secret(BIRD).reveal() == BIRD


def test_no_way_of_printing_shows_it() -> None:
    """conformance: 5034-S-31"""
    secret = Secret(BIRD)
    held = PasswordCredentials("alice", secret)
    shown = f"{secret} {secret!r} {secret!s} {secret!a} {[secret]} {{0: secret}} {held} {held!r}"
    record = logging.LogRecord("x", 10, "x", 1, "%s %r", (secret, held), None)
    assert BIRD.decode() not in shown + record.getMessage()
    with pytest.raises(TypeError):
        format(secret, "s")


def test_it_leaves_by_no_copy() -> None:
    held = PasswordCredentials("alice", Secret(BIRD))
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickle"):
            leave(held.password)
    with pytest.raises(TypeError):
        json.dumps(held)
    with pytest.raises(TypeError):
        json.dumps(held.password)
    with pytest.raises(TypeError):
        vars(held.password)


def test_an_error_that_carries_it_does_not_show_it() -> None:
    with pytest.raises(ValueError) as caught:
        raise ValueError(Secret(BIRD))
    assert BIRD.decode() not in "".join(traceback.format_exception(caught.value))


def test_equal_by_octets_and_never_a_key() -> None:
    assert Secret(BIRD) == Secret(BIRD)
    assert Secret(BIRD) != Secret(b"")
    assert Secret(BIRD) != BIRD
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(BIRD))


def test_it_is_true_unless_empty() -> None:
    assert Secret(BIRD)
    assert not Secret(b"")
