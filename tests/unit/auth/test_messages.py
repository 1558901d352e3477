"""What the frames say: everything comes back as it was, and what says nothing is refused."""

import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.frames import BadFrame
from restante.auth.messages import (
    identity_fields,
    read_identity,
    read_refusal,
    read_request,
    refusal_fields,
    request_fields,
)
from restante.errors import (
    AuthenticationFailed,
    MaildropInUse,
    PermanentFailure,
    Refusal,
    TemporaryFailure,
)
from restante.identity import Identity, PasswordCredentials, Peer
from restante.secret import Secret

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ASCII = st.text(st.characters(max_codepoint=127), max_size=20)


@given(TEXTS, st.binary(max_size=20), ASCII, TEXTS, ASCII, ASCII)
def test_a_login_comes_back(
    name: str, password: bytes, mechanism: str, other: str, address: str, session: str
) -> None:
    credentials = PasswordCredentials(name, Secret(password), mechanism, other)
    asker = Peer(address, 1, "", 2, session)
    came, peer = read_request(tuple(request_fields(credentials, asker)))
    assert came == credentials
    assert (peer.address, peer.session) == (address, session)


@pytest.mark.parametrize("mailbox", [None, "/var/mail/bob", "", "/var/mail/b\udcf6b"])
def test_an_identity_comes_back(mailbox: str | None) -> None:
    identity = Identity("bøb@example.org", "accounts", mailbox)
    assert read_identity(tuple(identity_fields(identity))) == identity


@pytest.mark.parametrize("kind", [AuthenticationFailed, TemporaryFailure, PermanentFailure])
@pytest.mark.parametrize("reason", [None, "unknown"])
def test_a_refusal_comes_back(kind: type[Refusal], reason: str | None) -> None:
    came = read_refusal(tuple(refusal_fields(kind("no", reason=reason))))
    assert (type(came), came.text, came.reason) == (kind, "no", reason)


def test_a_refusal_of_another_kind_is_temporary() -> None:
    assert type(read_refusal(tuple(refusal_fields(MaildropInUse())))) is TemporaryFailure


@given(st.lists(st.binary(max_size=8), max_size=8).map(tuple))
def test_fields_that_say_nothing_are_refused(fields: tuple[bytes, ...]) -> None:
    for read in (read_request, read_identity, read_refusal):
        with suppress(BadFrame):
            read(fields)


@pytest.mark.parametrize("count", [0, 1, 5, 7])
def test_a_login_has_six_fields(count: int) -> None:
    with pytest.raises(BadFrame):
        read_request((b"x",) * count)


@pytest.mark.parametrize(
    "fields", [(), (b"\0", b"no"), (b"", b"no", b""), (b"\3", b"no", b""), (b"\0\0", b"no", b"")]
)
def test_a_refusal_is_one_of_three(fields: tuple[bytes, ...]) -> None:
    with pytest.raises(BadFrame):
        read_refusal(fields)


def test_a_field_that_is_no_text_is_in_no_traceback() -> None:
    field = b"kanarien" + b"vogel\xff"
    with pytest.raises(BadFrame) as caught:
        read_request((field, b"", b"", b"", b"", b""))
    assert "kanarienvogel" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
