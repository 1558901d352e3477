"""Where a server is reached: both families, TLS by name, certificates exchanged under way."""

import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from conftest import require
from serving import Dialogue, ServerProcess, eventually

NAMES = ("localhost", "pop.example.net", "mail.example.org")


class ManyNames(ServerProcess):
    """A server with a certificate for each of several names, and listeners of both families."""

    def __init__(self, directory: Path) -> None:
        self.authority = trustme.CA()
        super().__init__(
            directory,
            workers=2,
            cleartext="tls",
            listeners={
                "stls": "stls",
                "implicit": "implicit",
                "six": "stls",
                "six tls": "implicit",
            },
            hosts={"six": "[::1]", "six tls": "[::1]"},
            settings="".join(
                f'[[tls.additional]]\nnames = ["{name}"]\n'
                f'certificate = "{directory}/{number}.pem"\n'
                f'private_key = "{directory}/{number}.key"\n'
                for number, name in enumerate((NAMES[1], "*.example.org"))
            ),
        )

    def make_certificate(self) -> None:
        """Have all certificates issued by one authority."""
        self._issue(self.certificate, self.private_key, "localhost", "127.0.0.1", "::1")
        self._issue(self.directory / "0.pem", self.directory / "0.key", NAMES[1])
        self._issue(self.directory / "1.pem", self.directory / "1.key", "*.example.org")

    def _issue(self, certificate: Path, key: Path, *names: str) -> None:
        issued = self.authority.issue_cert(*names, key_type=trustme.KeyType.ECDSA)
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())

    def client_context(self) -> ssl.SSLContext:
        """Trust the authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManyNames]:
    with ManyNames(tmp_path_factory.mktemp("listeners")) as running:
        assert isinstance(running, ManyNames)
        running.account("alice", "secret")
        yield running


def certificate(host: str, port: int, context: ssl.SSLContext, name: str) -> bytes:
    """Return the certificate that is shown to who asks for a name."""
    with (
        socket.create_connection((host, port), timeout=20) as tcp,
        context.wrap_socket(tcp, server_hostname=name) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
        assert shown is not None
        return shown


@pytest.mark.parametrize(("name", "host"), [("stls", "127.0.0.1"), ("six", "::1")])
def test_both_families_are_served(server: ManyNames, name: str, host: str) -> None:
    """conformance: 1939-S-01, 9325-S-01"""
    with Dialogue(host, server.ports[name]) as dialogue:
        assert dialogue.greeting == b"+OK POP3 server ready"
        assert dialogue.say(b"STLS").startswith(b"+OK")
        dialogue.socket = server.client_context().wrap_socket(
            dialogue.socket, server_hostname="localhost"
        )
        dialogue.socket.sendall(b"USER alice\r\nPASS secret\r\nQUIT\r\n")
        received = b""
        while piece := dialogue.socket.recv(4096):
            received += piece
        assert received.endswith(b"\r\n+OK goodbye\r\n")
    implicit = server.ports["six tls" if name == "six" else "implicit"]
    with Dialogue(host, implicit, server.client_context()) as dialogue:
        assert dialogue.log_in("alice", "secret").startswith(b"+OK")
    assert f"lip={host} lport={server.ports[name]} tls=TLSv1.3" in server.log()


def test_a_family_has_listeners_of_its_own(server: ManyNames) -> None:
    for host, name in (("::1", "stls"), ("127.0.0.1", "six")):
        with pytest.raises(OSError):
            Dialogue(host, server.ports[name])


@pytest.mark.parametrize("name", NAMES)
def test_the_name_chooses_the_certificate(server: ManyNames, name: str) -> None:
    """The client verifies it, so a wrong one fails. conformance: 9325-S-06"""
    for host, port in (("127.0.0.1", server.ports["implicit"]), ("::1", server.ports["six tls"])):
        certificate(host, port, server.client_context(), name)


def test_an_unknown_name_gets_the_first_certificate(server: ManyNames) -> None:
    context = server.client_context()
    context.check_hostname = False
    port = server.ports["implicit"]
    shown = certificate("127.0.0.1", port, context, "nobody.example.com")
    assert shown == certificate("127.0.0.1", port, context, "localhost")


def test_certificates_are_exchanged_under_way(tmp_path: Path) -> None:
    server = ManyNames(tmp_path)
    with server:
        server.account("alice", "secret")
        context = server.client_context()
        port = server.ports["implicit"]
        with Dialogue(server.host, port, context) as session:
            assert session.log_in("alice", "secret").startswith(b"+OK")
            before = [certificate(server.host, port, context, name) for name in NAMES]
            server.make_certificate()
            assert [certificate(server.host, port, context, name) for name in NAMES] == before
            assert server.process is not None
            server.process.send_signal(signal.SIGHUP)
            eventually(
                lambda: (
                    certificate(server.host, port, context, NAMES[0]) != before[0]
                    and len(server.processes("worker")) == 3
                )
            )
            after = [certificate(server.host, port, context, name) for name in NAMES]
            assert not set(after) & set(before)
            assert session.say(b"STAT") == b"+OK 0 0"
            # What cannot be loaded is refused, and the ones that can go on.
            server.private_key.write_text("no key")
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: "reload refused" in server.log())
            assert [certificate(server.host, port, context, name) for name in NAMES] == after
            assert session.say(b"QUIT") == b"+OK goodbye"


# ---- what openssl sees


def s_client(server: ManyNames, *arguments: str) -> str:
    """Return what `openssl s_client` says of a handshake."""
    done = subprocess.run(
        [
            require("openssl"),
            "s_client",
            "-connect",
            f"127.0.0.1:{server.ports['implicit']}",
            "-servername",
            "localhost",
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).decode(errors="replace")


def test_another_protocol_is_turned_away(server: ManyNames) -> None:
    """conformance: 9325-S-07"""
    said = s_client(server, "-alpn", "http/1.1")
    assert "no application protocol" in said
    assert "BEGIN CERTIFICATE" not in said
    assert "ALPN protocol: pop3" in s_client(server, "-alpn", "http/1.1,pop3")
    assert "No ALPN negotiated" in s_client(server)


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_not_spoken(server: ManyNames, version: str) -> None:
    """conformance: 8314-S-06"""
    said = s_client(server, version, "-cipher", "ALL:@SECLEVEL=0")
    assert "BEGIN CERTIFICATE" not in said
    assert re.search(r"alert protocol version|unsupported protocol|no protocols available", said)


def test_new_versions_are_spoken(server: ManyNames) -> None:
    """conformance: 9325-S-02, 9325-S-05, 9325-S-09"""
    assert "New, TLSv1.3, Cipher is TLS_" in s_client(server)
    said = s_client(server, "-tls1_2")
    assert re.search(r"New, TLSv1.2, Cipher is ECDHE-ECDSA-(AES(128|256)-GCM|CHACHA20)", said)
    assert "Compression: NONE" in said
    assert "Extended master secret: yes" in said


@pytest.mark.parametrize(
    "ciphers", ["kRSA", "aNULL", "eNULL", "DHE", "SHA1", "CAMELLIA", "ARIA", "AESCCM", "3DES:RC4"]
)
def test_weak_ciphers_are_not_spoken(server: ManyNames, ciphers: str) -> None:
    """conformance: 9325-S-08, 2595-S-16"""
    said = s_client(server, "-tls1_2", "-cipher", f"{ciphers}:@SECLEVEL=0")
    assert "BEGIN CERTIFICATE" not in said
    assert re.search(r"handshake failure|no ciphers available|no cipher match", said), said


def test_no_client_certificate_is_asked_for(server: ManyNames) -> None:
    """conformance: 8314-S-08"""
    assert "No client certificate CA names sent" in s_client(server)
