"""GNU SASL: its program as the client of our mechanisms and as the server for our clients.

`gsasl` asks on standard output for what it needs and for each message, in base64; its channel
binding data come the same way, so nothing but octets passes between the two.
"""

import subprocess
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from types import TracebackType

import pytest

from restante.identity import Identity, MutualIdentity
from restante.sasl import (
    ClientMechanism,
    CramMd5Client,
    CramMd5Server,
    ExternalServer,
    LoginClient,
    LoginServer,
    PlainClient,
    PlainServer,
    ScramClient,
    ScramServer,
    ServerMechanism,
)
from restante.sasl.mechanism import Channel
from restante.secret import Secret
from unit.sasl.dialogue import Account, Host

from conftest import require

CLEAR = Channel(hostname="pop.example.org", random=b"eighteen octets at least")
ALICE = Account(name="al,ice=1", password=b"pencil")
SECRET = Secret(ALICE.password)


class Gsasl:
    """The program at work as one side of a mechanism."""

    def __init__(self, side: str, mechanism: str, *options: str) -> None:
        command = ["timeout", "60", require("gsasl"), f"--{side}", "--quiet", "-m", mechanism]
        self._process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._line() == mechanism.encode() + b"\n"

    def __enter__(self) -> "Gsasl":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()

    def send(self, *messages: bytes) -> None:
        """Give it messages, or what else it asks for."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"".join(map(b2a_base64, messages)))
        self._process.stdin.flush()

    def receive(self) -> bytes | None:
        """Return its message; None: it has come to its end."""
        line = self._line()
        return a2b_base64(line.strip(), strict_mode=True) if line else None

    def message(self) -> bytes:
        """Return its message, which there has to be."""
        message = self.receive()
        assert message is not None
        return message

    def finish(self) -> int:
        """Let it come to its end and return its exit status."""
        self._process.communicate()
        return self._process.returncode

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        # Questions stand in front, without a line end.
        return self._process.stdout.readline().rpartition(b": ")[2]


SCRAM = pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SCRAM-SHA-1", ""),
        ("SCRAM-SHA-256", ""),
        ("SCRAM-SHA-1-PLUS", "tls-exporter"),
        ("SCRAM-SHA-256-PLUS", "tls-exporter"),
        ("SCRAM-SHA-1-PLUS", "tls-unique"),
        ("SCRAM-SHA-256-PLUS", "tls-unique"),
    ],
)


def bound(kind: str) -> Channel:
    """Return a connection with a channel binding of one type, or with none."""
    bindings = {kind: kind.encode()} if kind else {}
    return Channel(random=CLEAR.random, bindings=bindings, binding_offered=bool(kind))


def answers(kind: str) -> list[bytes]:
    """Return the answers to its questions for channel bindings, in its order."""
    return [kind.encode()] if kind == "tls-exporter" else [b"", kind.encode()]


# ---- its client


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("PLAIN", PlainServer()),
        ("LOGIN", LoginServer()),
        ("CRAM-MD5", CramMd5Server(CLEAR)),
        ("EXTERNAL", ExternalServer(Channel(certificate=b"DER"))),
    ],
)
def test_its_client(name: str, server: ServerMechanism) -> None:
    """conformance: 2195-S-02, 4616-S-01, LOGIN-S-01, 4422-S-06"""
    host = Host(server, ALICE)
    options = ["-z", ""] if name == "EXTERNAL" else ["-a", ALICE.name, "-p", "pencil"]
    with Gsasl("client", name, *options) as gsasl:
        # In front of an answer to CRAM-MD5 it has an empty line to say.
        first = gsasl.message() if name != "LOGIN" else b""
        challenge = host.start(first if name in ("PLAIN", "EXTERNAL") else None)
        while challenge is not None:
            gsasl.send(challenge)
            challenge = host.respond(gsasl.message())
    assert isinstance(host.outcome, Identity)


@SCRAM
def test_its_client_of_scram(name: str, kind: str) -> None:
    """conformance: 5802-S-01, 5802-S-03, 5802-S-08, 5802-S-16"""
    host = Host(ScramServer(name, bound(kind)), ALICE)
    with Gsasl("client", name, "-a", ALICE.name, "-p", "pencil") as gsasl:
        gsasl.send(*answers(kind))
        first = gsasl.message()
        assert first.startswith(b"p=" + kind.encode() if kind else b"n,,")
        challenge = host.start(first)
        while challenge is not None:
            gsasl.send(challenge)
            challenge = host.respond(gsasl.message())
        gsasl.send(b"")
        assert gsasl.finish() == 0
    assert isinstance(host.outcome, Identity)


def test_its_client_notices_a_server_without_the_password() -> None:
    server = ScramServer("SCRAM-SHA-256", CLEAR)
    with Gsasl("client", "SCRAM-SHA-256", "-a", "alice", "-p", "pencil") as gsasl:
        gsasl.send(b"", b"")
        server.start(gsasl.message())
        gsasl.send(server.salted(ALICE.parameters).data)
        server.respond(gsasl.message())
        identity = MutualIdentity("alice", server_signature=bytes(32))
        gsasl.send(server.admitted(identity).data)
        assert gsasl.finish() != 0


# ---- its server


@pytest.mark.parametrize("password", ["pencil", "pen"])
@pytest.mark.parametrize("client", [PlainClient, LoginClient, CramMd5Client])
def test_its_server(client: Callable[[str, Secret], ClientMechanism], password: str) -> None:
    """conformance: 2195-S-02, 4616-S-01, LOGIN-S-01"""
    assert admits(client(ALICE.name, SECRET), password) == (password == "pencil")


@pytest.mark.parametrize("password", ["pencil", "pen"])
@SCRAM
def test_its_server_of_scram(name: str, kind: str, password: str) -> None:
    """conformance: 5802-S-01, 5802-C-01, 5802-C-04"""
    binding = kind or "tls-server-end-point"
    client = ScramClient(name, ALICE.name, SECRET, bound(kind), binding=binding)
    questions = [kind.encode()] if kind else []
    admitted = admits(client, password, *questions)
    assert client.verified == admitted == (password == "pencil")


def admits(client: ClientMechanism, password: str, *bindings: bytes) -> bool:
    """Tell whether its server, which knows this password, is convinced by one of our clients."""
    options = ["-p", password]
    if client.name.startswith("SCRAM"):
        options += ["--iteration-count", "4096"]
    with Gsasl("server", client.name, *options) as gsasl:
        challenge = gsasl.receive()
        response = client.first_message()
        while challenge is not None:
            if response is None:
                response = client.step(challenge)
            gsasl.send(response, *bindings)
            if client.name.startswith("SCRAM") and client.verified:
                # What it says behind its success is answered already.
                break
            response, bindings = None, ()
            challenge = gsasl.receive()
            if challenge is not None and client.verified:
                # It says something behind a success, be it empty, and nothing behind a failure.
                gsasl.send(b"")
                break
        return gsasl.finish() == 0
