"""What lies below the session: the ClientHello, and the frames of the auth process."""

import ssl
from collections.abc import Callable
from contextlib import suppress

from restante.auth.frames import (
    ADMITTED,
    ADMITTED_MUTUALLY,
    ASK,
    CANCEL,
    KINDS,
    MAXIMUM_OCTETS,
    REFUSED,
    SALTED,
    BadFrame,
    Decoder,
    Frame,
    encode,
)
from restante.auth.messages import (
    identity_body,
    login_frame,
    read_credentials,
    read_identity,
    read_login,
    read_refusal,
    refusal_body,
)
from restante.auth.questions import (
    mutual_body,
    parameters_body,
    question_body,
    read_mutual,
    read_parameters,
    read_question,
)
from restante.errors import AuthenticationFailed
from restante.identity import (
    CertificateCredentials,
    DigestCredentials,
    Identity,
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
from restante.server.client_hello import ClientHello, NotAClientHello, Reading

SECRET = Secret(b"pencil")


def frames(data: bytes) -> None:
    """Cut the octets of a worker or of the auth process in two ways; read what each frame says."""
    size, octets = (data[0] if data else 0) + 1, data[1:]
    whole = _frames_of([octets])
    assert _frames_of([octets[at : at + size] for at in range(0, len(octets), size)]) == whole
    for _, kind, body in whole:
        assert kind in KINDS
        assert len(body) <= MAXIMUM_OCTETS
        for read in (_login_of, _question_of, read_identity, read_refusal, read_parameters):
            with suppress(BadFrame):
                read(body)
        with suppress(BadFrame):
            assert read_mutual(body) == read_mutual(mutual_body(read_mutual(body)))


def _frames_of(segments: list[bytes]) -> list[Frame]:
    decoder, found = Decoder(), []
    try:
        for segment in segments:
            found += decoder.feed(segment)
    except BadFrame:
        pass
    return found


def _login_of(body: bytes) -> None:
    login = read_login(body)
    read_credentials(login)
    assert sum(map(len, login)) <= len(body)


def _question_of(body: bytes) -> None:
    question, peer = read_question(body)
    if peer.address.isascii() and peer.session.isascii():
        assert question_body(question, peer) == body


def hello(data: bytes) -> None:
    """Read a ClientHello as it comes in: how it was cut makes no difference."""
    size, octets = (data[0] if data else 0) + 1, data[1:]
    whole = _hello_of([octets])
    assert _hello_of([octets[at : at + size] for at in range(0, len(octets), size)]) == whole
    if isinstance(whole, ClientHello):
        assert len(whole.random) == 32


def _hello_of(segments: list[bytes]) -> ClientHello | str | None:
    reading = Reading()
    try:
        for segment in segments:
            if (found := reading.feed(segment)) is not None:
                return found
    except NotAClientHello:
        return "none"
    return None


def _client_hello() -> bytes:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["pop3"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="pop.example.org")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


STRANGER = Peer("192.0.2.7", 1, "", 2, "session-1")
ALICE = PasswordCredentials("alice", SECRET, "PLAIN")
QUESTIONS: tuple[Question, ...] = (
    DigestCredentials("alice", b"<1@pop.example.org>", SECRET, "APOP"),
    ScramCredentials("alice", b"n=alice,r=x", SECRET, "SCRAM-SHA-256"),
    TokenCredentials("alice", SECRET, "OAUTHBEARER"),
    CertificateCredentials("", b"DER"),
    SaltRequest("alice", "SCRAM-SHA-1"),
)

TARGETS: dict[str, Callable[[bytes], None]] = {"frames": frames, "client-hello": hello}

SEEDS: dict[str, list[bytes]] = {
    "frames": [
        b"\x04" + b"".join(login_frame(7, ALICE, STRANGER)) + encode(7, CANCEL),
        *(b"\x09" + encode(8, ASK, question_body(each, STRANGER)) for each in QUESTIONS),
        b"\0"
        + encode(7, ADMITTED, identity_body(Identity("alice", "accounts", None, "pda", True))),
        b"\0" + encode(7, REFUSED, refusal_body(AuthenticationFailed(reason="unknown"))),
        b"\0" + encode(7, SALTED, parameters_body(ScramParameters(b"salt", 4096))),
        b"\0" + encode(7, ADMITTED_MUTUALLY, mutual_body(MutualIdentity("alice"))),
    ],
    "client-hello": [b"\x05" + _client_hello()],
}
