"""Proofs other than a password in frames: they come back as they were, or are refused."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.frames import BadFrame
from restante.auth.messages import ADDRESS_OCTETS
from restante.auth.questions import (
    NAME_OCTETS,
    mutual_body,
    parameters_body,
    question_body,
    read_mutual,
    read_parameters,
    read_question,
)
from restante.identity import (
    CertificateCredentials,
    DigestCredentials,
    MutualIdentity,
    PasswordCredentials,
    Peer,
    Question,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
    TokenCredentials,
)
from restante.secret import Secret

PEER = Peer("192.0.2.7", 49152, "192.0.2.254", 110, "session-1")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
OCTETS = st.binary(max_size=40)
SECRETS = OCTETS.map(Secret)
MECHANISMS = st.sampled_from(["APOP", "SCRAM-SHA-256-PLUS", ""])
QUESTIONS = st.one_of(
    st.builds(DigestCredentials, TEXTS, OCTETS, SECRETS, MECHANISMS, TEXTS),
    st.builds(ScramCredentials, TEXTS, OCTETS, SECRETS, MECHANISMS, TEXTS),
    st.builds(TokenCredentials, TEXTS, SECRETS, MECHANISMS, TEXTS),
    st.builds(CertificateCredentials, TEXTS, OCTETS, MECHANISMS, TEXTS),
    st.builds(SaltRequest, TEXTS, MECHANISMS),
)


@given(QUESTIONS)
def test_a_question_comes_back(question: Question) -> None:
    came, peer = read_question(question_body(question, PEER))
    assert came == question
    assert type(came) is type(question)
    assert (peer.address, peer.session) == (PEER.address, PEER.session)


def test_a_password_has_another_frame() -> None:
    with pytest.raises(TypeError):
        question_body(PasswordCredentials("bob", Secret(b"secret")), PEER)


@given(st.binary(max_size=60))
def test_bodies_that_say_nothing_are_refused(body: bytes) -> None:
    for read in (read_question, read_parameters, read_mutual):
        with suppress(BadFrame):
            read(body)


@given(QUESTIONS, st.data())
def test_a_question_that_was_cut_or_grew_is_refused(
    question: Question, data: st.DataObject
) -> None:
    body = question_body(question, PEER)
    end = data.draw(st.integers(0, len(body) - 1))
    for other in (body[:end], body + b"x"):
        with pytest.raises(BadFrame):
            read_question(other)


def test_a_question_of_no_kind_is_refused() -> None:
    body = question_body(SaltRequest("bob", "SCRAM-SHA-256"), PEER)
    with pytest.raises(BadFrame):
        read_question(b"\x63" + body[1:])


def test_an_address_or_a_name_is_none_that_would_fill_the_memory() -> None:
    at_most = Peer("1" * ADDRESS_OCTETS, 1, "", 2)
    read_question(question_body(SaltRequest("x" * NAME_OCTETS, "SCRAM-SHA-1"), at_most))
    with pytest.raises(BadFrame, match="address"):
        read_question(question_body(SaltRequest("x", "Y"), Peer("1" * 129, 1, "", 2)))
    with pytest.raises(BadFrame, match="name"):
        read_question(question_body(SaltRequest("x" * (NAME_OCTETS + 1), "Y"), PEER))


def test_a_text_that_is_none_is_refused() -> None:
    body = struct.pack("!B4I", 4, 0, 0, 1, 0) + b"\xff"
    with pytest.raises(BadFrame, match="UTF-8"):
        read_question(body)


@given(st.binary(min_size=1, max_size=64), st.integers(0, 0xFFFFFFFF))
def test_parameters_come_back(salt: bytes, iterations: int) -> None:
    parameters = ScramParameters(salt, iterations)
    assert read_parameters(parameters_body(parameters)) == parameters


def test_a_mutual_identity_comes_back() -> None:
    identity = MutualIdentity("bob", "accounts", None, "", True, server_signature=b"s" * 32)
    came = read_mutual(mutual_body(identity))
    assert came == identity
    assert came.server_signature == b"s" * 32


@pytest.mark.parametrize("body", [b"", b"\1", b"\1s", b"\5sss"])
def test_a_mutual_identity_that_is_cut_off_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        read_mutual(body)


def test_no_secret_shows() -> None:
    for question in (
        DigestCredentials("bob", b"<1@x>", Secret(b"kanarienvogel"), "APOP"),
        ScramCredentials("bob", b"n,,", Secret(b"kanarienvogel"), "SCRAM-SHA-1"),
        TokenCredentials("bob", Secret(b"kanarienvogel"), "OAUTHBEARER"),
    ):
        assert "kanarien" not in repr(question)
