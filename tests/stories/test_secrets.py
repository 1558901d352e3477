"""A secret that is used in every way there is, right and wrong, is found nowhere afterwards."""

import hashlib
import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restante.sasl import (
    ClientExchange,
    ClientMechanism,
    CramMd5Client,
    LoginClient,
    PlainClient,
    ScramClient,
)
from restante.sasl.mechanism import Channel
from restante.secret import Secret

from serving import ALL_MECHANISMS, ALL_VERIFIED, ServerProcess

DATABASE = '[[auth.source]]\ntype = "accounts"\n[auth.hashing]\nmemory_kib = 8\npasses = 1\n'
CHANNEL = Channel(hostname="localhost", random=b"eighteen octets at least")
OWN, OTHER, WRONG = "Kanarienvogel-7", "Zaunkoenig-8", "Wiedehopf-9"
MECHANISMS: dict[str, Callable[[str, Secret], ClientMechanism]] = {
    "PLAIN": PlainClient,
    "LOGIN": LoginClient,
    "CRAM-MD5": CramMd5Client,
    "SCRAM-SHA-1": lambda name, secret: ScramClient("SCRAM-SHA-1", name, secret, CHANNEL),
    "SCRAM-SHA-256": lambda name, secret: ScramClient("SCRAM-SHA-256", name, secret, CHANNEL),
}


class Talk:
    """One connection, and everything that was heard on it."""

    def __init__(self, server: ServerProcess) -> None:
        address = (server.host, server.ports["none"])
        self._socket = socket.create_connection(address, timeout=60)
        self._lines = self._socket.makefile("rb")
        self.heard = self.greeting = self._lines.readline()

    def say(self, line: bytes) -> bytes:
        """Send a line and return the one that comes back."""
        self._socket.sendall(line + b"\r\n")
        reply = self._lines.readline()
        self.heard += reply
        return reply

    def close(self) -> bytes:
        """Hang up and return what was heard."""
        self._socket.close()
        return self.heard


def by_mechanism(server: ServerProcess, mechanism: str, name: str, password: str) -> bytes:
    """Try to log in by AUTH, and return what was heard."""
    talk = Talk(server)
    exchange = ClientExchange(MECHANISMS[mechanism](name, Secret(password.encode())))
    first = exchange.initial_response
    words = [b"AUTH", mechanism.encode(), *([] if first is None else [b64encode(first)])]
    reply = talk.say(b" ".join(words))
    while reply.startswith(b"+ "):
        reply = talk.say(b64encode(exchange.respond(b64decode(reply[2:]))))
    return talk.close()


def by_commands(server: ServerProcess, name: str, password: str) -> bytes:
    """Try to log in by USER and PASS, and by APOP, and return what was heard."""
    talk = Talk(server)
    talk.say(b"USER " + name.encode())
    talk.say(b"PASS " + password.encode())
    heard = talk.close()
    talk = Talk(server)
    timestamp = talk.greeting.split()[-1]
    digest = hashlib.md5(timestamp + password.encode(), usedforsecurity=False).hexdigest()
    talk.say(f"APOP {name} {digest}".encode())
    # What is no command at all, as a program sends it that is out of step.
    talk.say(password.encode())
    talk.say(b"AUTH PLAIN " + password.encode())
    return heard + talk.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(
        tmp_path,
        mechanisms=ALL_MECHANISMS,
        verifies=ALL_VERIFIED,
        client_certificates=True,
        settings=DATABASE,
    )
    made.account("bob", OWN)
    with made:
        yield made


def spellings(secret: str) -> list[bytes]:
    """Return what a secret looks like in whatever it may be written."""
    octets = secret.encode()
    found = [octets, octets.hex().encode(), octets[::-1]]
    # In base64 it depends on what stands before it.
    found += [b64encode(bytes(skipped) + octets)[4:-4] for skipped in range(3)]
    return [spelling.lower() for spelling in found]


def told(server: ServerProcess) -> bytes:
    """Return everything that a server has written or shows of its processes."""
    seen = server.log().encode() + json.dumps(server.control("who")).encode()
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    for pid in [str(server.process.pid), *children.split()]:
        for name in ("cmdline", "environ", "comm"):
            seen += Path(f"/proc/{pid}/{name}").read_bytes()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max core file size        0 " in limits, "a core would show it"
    return seen


def kept(server: ServerProcess) -> bytes:
    """Return everything that lies in the state directory."""
    files = [path for path in server.state.rglob("*") if path.is_file()]
    assert len(files) > 3
    return b"".join(path.read_bytes() for path in files)


def test_no_secret_is_found_anywhere(server: ServerProcess) -> None:
    """conformance: 5034-S-31"""
    added = server.run("account", "add", "carol", "--password-stdin", stdin=OTHER.encode())
    devices = [
        server.run("device", "add", "carol", name, "--mechanism", mechanism)
        for name, mechanism in (("phone", "any"), ("pda", "apop"), ("scanner", "cram-md5"))
    ]
    shown = [device.stdout.decode().strip() for device in devices]
    secrets = [OWN, OTHER, WRONG, *shown]
    heard = added.stdout + added.stderr + b"".join(device.stderr for device in devices)
    admitted = 0
    for name in ("bob", "carol", "nobody", "carol/.."):
        for secret in secrets:
            for mechanism in MECHANISMS:
                reply = by_mechanism(server, mechanism, name, secret)
                admitted += b"+OK maildrop" in reply
                heard += reply
            heard += by_commands(server, name, secret)
    assert admitted > 8
    seen = heard + told(server)
    server.stop()
    seen += server.log().encode() + kept(server)
    assert b"auth failed" in seen
    seen = seen.lower()
    found = [secret for secret in secrets for spelling in spellings(secret) if spelling in seen]
    assert found == []
