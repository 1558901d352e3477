"""Errors: each refusal knows its answer, and no answer says more than it should."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante import errors
from restante.errors import (
    AuthenticationFailed,
    LocalProtocolError,
    MaildropInUse,
    MessageVanished,
    PermanentFailure,
    Refusal,
    RestanteError,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.protocol.replies import status_line


def subclasses(kind: type[RestanteError]) -> Iterator[type[RestanteError]]:
    for child in kind.__subclasses__():
        if child.__module__ == "restante.errors":
            yield child
            yield from subclasses(child)


REFUSALS = [
    Refusal(),
    AuthenticationFailed(),
    MaildropInUse(),
    TemporaryFailure(),
    PermanentFailure(),
    MessageVanished(),
    UpdateIncomplete(3),
]


def test_the_tree_at_the_top_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = {word for word in errors.__doc__.split() if word.isidentifier()}
    assert {kind.__name__ for kind in subclasses(RestanteError)} <= drawn


def test_every_refusal_is_tried_here() -> None:
    assert {type(refusal) for refusal in REFUSALS} == {Refusal, *subclasses(Refusal)}


def test_codes() -> None:
    """conformance: 2449-S-33, 3206-S-01, 3206-S-02, 3206-S-03, IANA-S-01"""
    assert [refusal.code for refusal in REFUSALS] == [
        None, "AUTH", "IN-USE", "SYS/TEMP", "SYS/PERM", None, "SYS/TEMP",
    ]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_default_text_may_stand_in_a_reply(refusal: Refusal) -> None:
    assert status_line(False, refusal.text, refusal.code).startswith(b"-ERR ")
    assert str(refusal) == refusal.text == type(refusal).default_text


def test_a_reason_is_for_the_log_alone() -> None:
    refusal = AuthenticationFailed(reason="no such account: /etc/secret")
    assert refusal.reason == "no such account: /etc/secret"
    assert "secret" not in f"{refusal} {refusal.text} {refusal.args}"


def test_a_text_of_its_own() -> None:
    assert TemporaryFailure("the disk is full").text == "the disk is full"
    incomplete = UpdateIncomplete(2, "two are left")
    assert (incomplete.remaining, incomplete.text) == (2, "two are left")
    assert not issubclass(LocalProtocolError, Refusal)


def test_texts_name_no_host_and_no_path() -> None:
    tree = ast.parse(Path(errors.__file__).read_text())
    texts = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign | ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and " " in node.value.value
    ]
    assert texts
    assert not [text for text in texts if "/" in text or "." in text]
