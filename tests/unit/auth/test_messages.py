"""What the frames say: everything comes back as it was, and what says nothing is refused."""

import struct
import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.frames import AUTHENTICATE, BadFrame, Decoder
from restante.auth.messages import (
    ADDRESS_OCTETS,
    identity_body,
    login_frame,
    read_credentials,
    read_identity,
    read_login,
    read_refusal,
    refusal_body,
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
SIZES = st.integers(0, 12) | st.integers(0, 0xFFFFFFFF)


def body_of(credentials: PasswordCredentials, peer: Peer) -> bytes:
    """Return the body of the frame that a login is."""
    ((number, kind, body),) = Decoder().feed(b"".join(login_frame(7, credentials, peer)))
    assert (number, kind) == (7, AUTHENTICATE)
    return body


@given(TEXTS, st.binary(max_size=20), ASCII, TEXTS, ASCII, ASCII)
def test_a_login_comes_back(
    name: str, password: bytes, mechanism: str, other: str, address: str, session: str
) -> None:
    credentials = PasswordCredentials(name, Secret(password), mechanism, other)
    asker = Peer(address, 1, "", 2, session)
    login = read_login(body_of(credentials, asker))
    assert login[0] == name.encode()
    assert login[-1] == password
    came, peer = read_credentials(login)
    assert came == credentials
    assert (peer.address, peer.session) == (address, session)


@pytest.mark.parametrize("mailbox", [None, "/var/mail/bob", "", "/var/mail/b\udcf6b"])
@pytest.mark.parametrize("device", ["", "scånner"])
@pytest.mark.parametrize("read_only", [False, True])
def test_an_identity_comes_back(mailbox: str | None, device: str, read_only: bool) -> None:
    identity = Identity("bøb@example.org", "accounts", mailbox, device, read_only)
    assert read_identity(identity_body(identity)) == identity


def test_the_sessions_of_an_account_share_its_identity() -> None:
    body = identity_body(Identity("bob", "accounts", "/var/mail/bob"))
    assert read_identity(bytes(body)) is read_identity(bytes(bytearray(body)))


@pytest.mark.parametrize("kind", [AuthenticationFailed, TemporaryFailure, PermanentFailure])
@pytest.mark.parametrize("reason", [None, "unknown"])
def test_a_refusal_comes_back(kind: type[Refusal], reason: str | None) -> None:
    came = read_refusal(refusal_body(kind("no", reason=reason)))
    assert (type(came), came.text, came.reason) == (kind, "no", reason)


def test_a_refusal_of_another_kind_is_temporary() -> None:
    assert type(read_refusal(refusal_body(MaildropInUse()))) is TemporaryFailure


@given(st.binary(max_size=60))
def test_bodies_that_say_nothing_are_refused(body: bytes) -> None:
    for read in (read_login, read_identity, read_refusal):
        with suppress(BadFrame):
            read(body)


@given(st.tuples(*[SIZES] * 5), st.binary(max_size=60))
def test_no_field_of_a_login_reaches_beyond_its_frame(sizes: tuple[int, ...], rest: bytes) -> None:
    body = struct.pack("!5I", *sizes) + rest
    if sum(sizes) > len(rest):
        with pytest.raises(BadFrame):
            read_login(body)
        return
    fields = read_login(body)
    assert tuple(map(len, fields[:-1])) == sizes
    assert b"".join(fields) == rest


@given(SIZES, SIZES, SIZES, st.booleans(), st.binary(max_size=60))
def test_no_field_of_an_identity_reaches_beyond_its_frame(
    name: int, source: int, device: int, mailbox: bool, rest: bytes
) -> None:
    rest = b"x" * len(rest)
    body = struct.pack("!IIIB", name, source, device, mailbox) + rest
    left = len(rest) - name - source - device
    if left < 0 or (left and not mailbox):
        with pytest.raises(BadFrame):
            read_identity(body)
        return
    wanted = "x" * left if mailbox else None
    came = Identity("x" * name, "x" * source, wanted, "x" * device)
    assert read_identity(body) == came


def test_an_address_is_none_that_would_fill_the_memory() -> None:
    """What is remembered of thousands of addresses is a worker's to fill."""
    for octets, is_address in ((ADDRESS_OCTETS, True), (ADDRESS_OCTETS + 1, False)):
        body = struct.pack("!5I", 1, 1, octets, 1, 1) + b"x" * (octets + 5)
        if is_address:
            assert len(read_login(body)[2]) == octets
            continue
        with pytest.raises(BadFrame, match="address"):
            read_login(body)


@pytest.mark.parametrize("octets", [0, 1, 19])
def test_a_login_that_is_cut_off_is_refused(octets: int) -> None:
    with pytest.raises(BadFrame):
        read_login(b"\0" * octets)


@pytest.mark.parametrize("body", [b"", b"\0", b"\3\0\0\0\2no", b"\xff\0\0\0\2no", b"\0\0\0\0\3no"])
def test_a_refusal_is_one_of_three(body: bytes) -> None:
    with pytest.raises(BadFrame):
        read_refusal(body)


def test_a_field_that_is_no_text_is_in_no_traceback() -> None:
    field = b"kanarien" + b"vogel\xff"
    with pytest.raises(BadFrame) as caught:
        read_credentials((field, b"", b"", b"", b"", b""))
    assert "kanarienvogel" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
