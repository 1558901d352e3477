"""The end of the auth process, for every kind of question: [SYS/TEMP] for logins in flight."""

import json
import os
import signal
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_bytes

import pytest
import trustme

from restante.sasl.apop import apop_digest, timestamp_of
from restante.sasl.cram_md5 import cram_md5_digest
from restante.sasl.mechanism import Channel
from restante.sasl.scram.client import ScramClient
from restante.secret import Secret

from serving import Dialogue, ServerProcess, eventually

MECHANISMS = ("SCRAM-SHA-256", "CRAM-MD5", "APOP", "PLAIN", "USER", "EXTERNAL")
FAMILY = "SCRAM-SHA-256"
PASSWORD = Secret(b"secret")


class EveryMechanism(ServerProcess):
    """A server that offers all kinds of proofs, of entries of a passwd-file and of certificates."""

    def write_configuration(self) -> None:
        """Write the configuration with an authority for clients."""
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("bob@example.org", common_name="bob")
        self.shown = self.directory / "client.pem"
        self.shown.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        authorities = self.directory / "authorities.pem"
        authorities.write_bytes(self.authority.cert_pem.bytes())
        super().write_configuration()
        text = self.configuration.read_text()
        text = text.replace("[tls]\n", f'[tls]\nclient_authorities = "{authorities}"\n')
        text = text.replace("[auth]\n", f"[auth]\nmechanisms = {json.dumps(MECHANISMS)}\n")
        served = '\nverifies = ["SCRAM-SHA-256", "CRAM-MD5", "APOP"]\n[[auth.source]]\n'
        text = text.replace(
            f'path = "{self.passwords}"\n',
            f'path = "{self.passwords}"{served}type = "certificate"\n'
            'certificate_name = "common-name"\n',
        )
        self.configuration.write_text(text)

    def context(self) -> ssl.SSLContext:
        """Return what connects with a certificate of bob's."""
        context = self.client_context()
        context.load_cert_chain(self.shown)
        return context


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EveryMechanism]:
    every = EveryMechanism(tmp_path_factory.mktemp("death"))
    every.account("bob", "secret")
    with every:
        yield every


class Login:
    """A login up to its last message, which is sent when it is told to."""

    def __init__(self, server: EveryMechanism, mechanism: str) -> None:
        implicit = mechanism == "EXTERNAL"
        port = server.ports["implicit" if implicit else "none"]
        self.dialogue = Dialogue(server.host, port, server.context() if implicit else None)
        self.scram: ScramClient | None = None
        self.last = self._prepare(mechanism)

    def _prepare(self, mechanism: str) -> bytes:
        say = self.dialogue.say
        if mechanism == "USER":
            assert say(b"USER bob").startswith(b"+OK")
            return b"PASS secret"
        if mechanism == "APOP":
            timestamp = timestamp_of(self.dialogue.greeting)
            assert timestamp is not None
            return b"APOP bob " + apop_digest(timestamp, b"secret").hex().encode()
        if mechanism == "PLAIN":
            return b"AUTH PLAIN " + b64encode(b"\0bob\0secret")
        if mechanism == "EXTERNAL":
            return b"AUTH EXTERNAL ="
        if mechanism == "CRAM-MD5":
            challenge = b64decode(say(b"AUTH CRAM-MD5").removeprefix(b"+ "))
            return b64encode(b"bob " + cram_md5_digest(challenge, b"secret").hex().encode())
        self.scram = ScramClient(FAMILY, "bob", PASSWORD, Channel(random=token_bytes(18)))
        first = b"AUTH SCRAM-SHA-256 " + b64encode(self.scram.first_message())
        if mechanism == "salt":
            return first
        challenge = b64decode(say(first).removeprefix(b"+ "))
        return b64encode(self.scram.step(challenge))

    def send(self) -> None:
        self.dialogue.socket.sendall(self.last + b"\r\n")

    def finish(self) -> bytes:
        """Return the reply, behind whatever has to be said before it."""
        reply = self.dialogue.line()
        while self.scram is not None and reply.startswith(b"+ "):
            reply = self.dialogue.say(b64encode(self.scram.step(b64decode(reply[2:]))))
        return reply


EVERY = (*MECHANISMS, "salt")


def test_each_of_them_lets_in(server: EveryMechanism) -> None:
    """conformance: 4422-S-06, 5802-S-16, 2195-S-02"""
    for mechanism in EVERY:
        login = Login(server, mechanism)
        login.send()
        assert login.finish().startswith(b"+OK"), mechanism
        login.dialogue.say(b"QUIT")
        login.dialogue.close()


def test_an_auth_process_that_is_killed_costs_logins_in_flight_alone(
    server: EveryMechanism,
) -> None:
    """conformance: 3206-S-01, 3206-S-04"""
    with ExitStack() as stack:
        session = Dialogue(server.host, server.ports["none"])
        stack.callback(session.close)
        server.account("alice", "secret")
        assert session.log_in("alice", "secret").startswith(b"+OK")
        logins = {mechanism: Login(server, mechanism) for mechanism in EVERY}
        [auth] = server.processes("auth")
        os.kill(auth, signal.SIGSTOP)
        for login in logins.values():
            stack.callback(login.dialogue.close)
            login.send()
        # The requests have to be on their way: another one of the same worker's is behind them.
        assert session.say(b"NOOP").startswith(b"+OK")
        os.kill(auth, signal.SIGKILL)
        for mechanism, login in logins.items():
            assert login.dialogue.line().startswith(b"-ERR [SYS/TEMP] "), mechanism
        eventually(lambda: server.processes("auth") not in ([], [auth]))
        assert session.say(b"STAT").startswith(b"+OK")
        assert logins["USER"].dialogue.log_in("bob", "secret").startswith(b"+OK")
    assert "Traceback" not in server.log()
    assert "fault" not in server.log()


def test_a_name_has_the_same_salt_in_the_next_auth_process(server: EveryMechanism) -> None:
    """conformance: 5802-S-14"""

    def salt(name: str) -> bytes:
        client = ScramClient(FAMILY, name, PASSWORD, Channel(random=token_bytes(18)))
        with Dialogue(server.host, server.ports["none"]) as dialogue:
            first = b64encode(client.first_message())
            challenge = b64decode(dialogue.say(b"AUTH SCRAM-SHA-256 " + first).removeprefix(b"+ "))
        return challenge.partition(b",")[2]

    before = {name: salt(name) for name in ("bob", "nobody")}
    [auth] = server.processes("auth")
    os.kill(auth, signal.SIGKILL)
    eventually(lambda: server.processes("auth") not in ([], [auth]))
    assert {name: salt(name) for name in before} == before
    assert before["bob"] != before["nobody"]
    assert Path(server.state / "auth" / "salts.key").stat().st_mode & 0o777 == 0o600
