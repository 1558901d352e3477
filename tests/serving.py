"""Real `restante serve` processes for tests: on loopback, free ports, a folder of their own."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import trustme

from restante.admin.control import ControlClient

from issuing import Issuer

READY_SECONDS = 20.0
STOP_SECONDS = 20.0
RESTANTE = [sys.executable, "-m", "restante"]
ALL_MECHANISMS = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "CRAM-MD5",
    "LOGIN",
    "PLAIN",
    "EXTERNAL",
    "APOP",
    "USER",
)
"""Every one that a passwd-file in clear and certificates can verify."""
DIGESTS = ("CRAM-MD5", "APOP")
"""Those that take a password of their own (RFC 1939 §13, RFC 2195 §4)."""
ALL_BUT_DIGESTS = tuple(name for name in ALL_MECHANISMS if name not in DIGESTS)
TOKENS = ("OAUTHBEARER", "XOAUTH2")
"""Those of bearer tokens, which need an issuer."""
ALL_VERIFIED = ("SCRAM-SHA-256", "SCRAM-SHA-1", *DIGESTS)
_NO_LIMITS: dict[str, float] = {
    "before_login_per_address": 5000,
    "connections_per_address": 5000,
    "connections_per_network": 5000,
}


def eventually(what: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.02)


def fill(maildir: Path, *messages: bytes) -> list[Path]:
    """Put messages into the `new` of a Maildir, in this order."""
    for folder in ("tmp", "new", "cur"):
        (maildir / folder).mkdir(parents=True, exist_ok=True)
    there = len(list((maildir / "new").iterdir()))
    files = []
    for number, message in enumerate(messages, there + 1):
        files.append(maildir / "new" / f"{1_700_000_000 + number}.{number}.example")
        files[-1].write_bytes(message)
    return files


def fill_large(maildir: Path, octets: int) -> Path:
    """Put a message of so many octets into a Maildir that takes no room on the disk."""
    [file] = fill(maildir, b"Subject: large\n\n")
    with file.open("r+b") as open_file:
        open_file.truncate(octets)
    return file


class ServerProcess:
    """One `restante serve` with its configuration, accounts and mail below one folder.

    Accounts are lines of a passwd-file in clear, so that adding one costs no process and no hash.
    """

    def __init__(
        self,
        directory: Path,
        *,
        cleartext: str = "always",
        workers: int = 1,
        listeners: dict[str, str] | None = None,
        settings: str = "",
        environment: dict[str, str] | None = None,
        hosts: dict[str, str] | None = None,
        proxies: Sequence[str] = (),
        limits: dict[str, float] | None = None,
        wrapper: Sequence[str] = (),
        log_to: int | None = None,
        mechanisms: Sequence[str] = (),
        utf8: bool = False,
        surrogates: bool = False,
        verifies: Sequence[str] = (),
        client_certificates: bool = False,
        issuer: Issuer | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.directory = directory
        self.state = directory / "state"
        self.mail = directory / "mail"
        self.passwords = directory / "passwd"
        self.certificate = directory / "certificate.pem"
        self.private_key = directory / "key.pem"
        self.configuration = directory / "restante.toml"
        self.log_file = directory / "log"
        self._listeners = listeners or {"stls": "stls", "implicit": "implicit", "none": "none"}
        self._cleartext = cleartext
        self._workers = workers
        self._settings = settings
        self._environment = environment or {}
        self._hosts = hosts or {}
        """Where a listener listens, if not on 127.0.0.1."""
        self._proxies = list(proxies)
        """Networks whose PROXY headers are believed, on every listener."""
        self._limits = _NO_LIMITS | (limits or {})
        self._wrapper = list(wrapper)
        """A command that becomes what is written behind it."""
        self._log_to = log_to
        """A descriptor that gets the log, in place of the file."""
        self._mechanisms = list(mechanisms)
        self._utf8 = utf8 or surrogates
        self._surrogates = surrogates
        """What is offered, in place of the default."""
        self._verifies = list(verifies)
        """What the passwd-file serves besides passwords as they are."""
        self._issuer = issuer
        """Whose tokens are taken."""
        self._clients = trustme.CA(organization_name="Clients") if client_certificates else None
        self.ports: dict[str, int] = {}
        self.process: subprocess.Popen[bytes] | None = None
        for folder in (self.state, self.mail):
            folder.mkdir(parents=True, exist_ok=True)
        self.passwords.touch()
        self.make_certificate()
        self.write_configuration()

    # ---- what it is made of

    def make_certificate(self) -> None:
        """Make a new certificate for `localhost` and 127.0.0.1, of an authority of its own."""
        authority = trustme.CA()
        issued = authority.issue_cert(
            "localhost", "127.0.0.1", "::1", key_type=trustme.KeyType.ECDSA
        )
        self.private_key.write_bytes(issued.private_key_pem.bytes())
        self.certificate.write_bytes(
            b"".join(blob.bytes() for blob in issued.cert_chain_pems) + authority.cert_pem.bytes()
        )

    def client_certificate(self, name: str, folder: Path) -> tuple[Path, Path]:
        """Issue a certificate for an account, and return where it and its key are."""
        assert self._clients is not None
        issued = self._clients.issue_cert(common_name=name)
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(issued.cert_chain_pems[0].bytes())
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)
        return certificate, key

    def write_configuration(self) -> None:
        """Write the configuration file anew from what is set."""
        named = f"mechanisms = {json.dumps(self._mechanisms)}\n" if self._mechanisms else ""
        if self._utf8:
            named += "utf8 = true\n"
        if self._surrogates:
            named += 'international_headers = "surrogate"\n'
        verifies = f"verifies = {json.dumps(self._verifies)}\n" if self._verifies else ""
        authorities = certificates = ""
        if self._clients is not None:
            file = self.directory / "clients.pem"
            self._clients.cert_pem.write_to_path(str(file))
            authorities = f'client_authorities = "{file}"\n'
            certificates = (
                '[[auth.source]]\ntype = "certificate"\ncertificate_name = "common-name"\n'
            )
        tokens = ""
        if self._issuer is not None:
            tokens = self._issuer.source(self.directory / "keys.json")
        believed = f"proxy_protocol = {json.dumps(self._proxies)}\n" if self._proxies else ""
        listeners = "\n".join(
            f'[[listener]]\naddress = "{self._hosts.get(name, self.host)}:'
            f'{self.ports.get(name, 0)}"\ntls = "{tls}"\n{believed}'
            for name, tls in self._listeners.items()
        )
        limits = "".join(f"{name} = {value}\n" for name, value in self._limits.items())
        self.configuration.write_text(
            f'hostname = "pop.example.org"\n'
            f'state_directory = "{self.state}"\n'
            f"workers = {self._workers}\n"
            f"{listeners}\n"
            f'[tls]\ncertificate = "{self.certificate}"\nprivate_key = "{self.private_key}"\n'
            f"{authorities}"
            f'[auth]\ncleartext = "{self._cleartext}"\n{named}'
            f'[[auth.source]]\ntype = "passwd-file"\npath = "{self.passwords}"\n{verifies}'
            f"{certificates}{tokens}"
            f"[auth.throttle]\nfree_failures = 1000000\n"
            f'[mail]\npath = "{self.mail}/{{name}}"\n'
            f"[limits]\n{limits}"
            f"{self._settings}"
        )

    def account(self, name: str, password: str) -> Path:
        """Add an account and return its Maildir, which does not exist yet."""
        with self.passwords.open("a") as lines:
            lines.write(f"{name}:{{PLAIN}}{password}\n")
        return self.mail / name

    # ---- its life

    def start(self) -> "ServerProcess":
        """Start it and return when it says that it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
            # An abstract name: a path below a test's folder can be too long for a socket.
            notifications.bind(f"\0restante-test-{os.getpid()}-{id(self)}")
            notifications.settimeout(0.1)
            name = "@" + notifications.getsockname()[1:].decode()
            with self.log_file.open("ab") as log:
                self.process = subprocess.Popen(
                    [*self._wrapper, *RESTANTE, "serve", "--config", str(self.configuration)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log if self._log_to is None else self._log_to,
                    env=os.environ | {"NOTIFY_SOCKET": name} | self._environment,
                )
            if not self._becomes_ready(self.process, notifications):
                self.stop()
                raise AssertionError(f"not ready:\n{self.log()}") from None
        self._learn_ports()
        return self

    def _becomes_ready(
        self, process: "subprocess.Popen[bytes]", notifications: socket.socket
    ) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if b"READY=1" in notifications.recv(4096):
                    return True
            except TimeoutError:
                continue
        return False

    def _learn_ports(self) -> None:
        listeners = self.control("who")["listeners"]
        assert isinstance(listeners, list)
        for name, listener in zip(self._listeners, listeners, strict=True):
            assert listener["tls"] == self._listeners[name]
            self.ports[name] = int(str(listener["address"]).rpartition(":")[2])

    def stop(self, *, expect: int | None = None) -> None:
        """Ask it to end and wait until it has."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end:\n{self.log()}") from None
        self.process = None
        if expect is not None:
            assert status == expect, self.log()

    def __enter__(self) -> "ServerProcess":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- talking to it

    def control(self, command: str, **fields: str) -> dict[str, object]:
        """Send a command through the control socket."""
        path = self.state / "run" / "control.sock"
        return dict(ControlClient(path).request(command, **fields))

    def log(self) -> str:
        """Return all it has logged."""
        return self.log_file.read_text(errors="backslashreplace")

    def processes(self, role: str) -> list[int]:
        """Return the processes of a role that live, the oldest first."""
        log = self.log()
        started = re.findall(rf"process started: role={role} process=(\d+)", log)
        ended = set(re.findall(rf"process ended: role={role} process=(\d+)", log))
        return [int(process) for process in started if process not in ended]

    def worker_of(self, account: str) -> int:
        """Return the worker that has the latest session of an account."""
        line = rf"restante\[(\d+)\]: login: .* user={account}\n"
        # The client may have the reply before the log has the line.
        eventually(lambda: re.search(line, self.log()))
        return int(re.findall(line, self.log())[-1])

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts this server's certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def run(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a subcommand with this server's configuration."""
        return subprocess.run(
            [*RESTANTE, *arguments, "--config", str(self.configuration)],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )


def read_until(process: "subprocess.Popen[bytes]", stream: IO[bytes], words: bytes) -> bytes:
    """Return what a process says up to and with these words; it has to say them in time."""
    timer = threading.Timer(READY_SECONDS, process.kill)
    timer.start()
    said = b""
    try:
        while words not in said:
            line = stream.readline()
            assert line, f"the end came before {words!r}: {said!r}"
            said += line
    finally:
        timer.cancel()
    return said


class Dialogue:
    """A line-wise client for tests that say every octet themselves."""

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None = None,
        *,
        source: str | None = None,
        header: bytes = b"",
    ) -> None:
        self.socket: socket.socket = socket.create_connection(
            (host, port), timeout=30, source_address=(source, 0) if source else None
        )
        if header:
            self.socket.sendall(header)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._file = self.socket.makefile("rb")
        self.greeting = self.line()

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on under TLS, behind the reply to STLS."""
        self._file.close()
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._file = self.socket.makefile("rb")

    def line(self) -> bytes:
        """Return the next line without its end; b"" at the end."""
        return self._file.readline().removesuffix(b"\r\n")

    def lines(self) -> list[bytes]:
        """Return the lines of a multi-line reply behind its status line, as sent."""
        return list(iter(self.line, b"."))

    def say(self, *commands: bytes) -> bytes:
        """Send commands and return the reply to the last one."""
        reply = b""
        for command in commands:
            self.socket.sendall(command + b"\r\n")
            reply = self.line()
        return reply

    def log_in(self, name: str, password: str) -> bytes:
        """Authenticate by USER and PASS."""
        return self.say(b"USER " + name.encode(), b"PASS " + password.encode())

    def rest(self) -> bytes:
        """Return everything until the server closes."""
        return self._file.read()

    def close(self) -> None:
        """Close without QUIT."""
        self._file.close()
        self.socket.close()

    def __enter__(self) -> "Dialogue":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
