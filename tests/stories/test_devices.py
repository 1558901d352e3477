"""Passwords for devices, on a real server: added, used by other people's programs, revoked."""

import hashlib
import hmac
import json
import os
import re
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from restante.auth.devices import words

from conftest import require
from serving import Dialogue, ServerProcess, eventually, fill

OWN = "the account's own password"
MESSAGE = b"Subject: one\n\nbody\n"
REFUSED = b"-ERR [AUTH] authentication failed"
FETCHED = b"Subject: one\r\n\r\nbody\r\n"


class DeviceServer(ServerProcess):
    """A server whose accounts are in our own database, and one account with a message."""

    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "USER", "APOP", "CRAM-MD5")

    def write_configuration(self) -> None:
        """Write the configuration with the accounts database and cheap hashes."""
        super().write_configuration()
        head, _, tail = self.configuration.read_text().partition("[[auth.source]]")
        self.configuration.write_text(
            f"{head}mechanisms = {json.dumps(self.mechanisms)}\n"
            "[auth.hashing]\nmemory_kib = 8\npasses = 1\n"
            f'[[auth.source]]\ntype = "accounts"\n[[auth.source]]{tail}'
        )

    def command(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command, which has to succeed without a word of complaint."""
        done = self.run(*arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout.decode()

    def add(self, device: str, *rules: str) -> str:
        """Add a device to bob, and return its password."""
        return self.command("device", "add", "bob", device, *rules).strip()

    def devices(self) -> dict[str, dict[str, Any]]:
        """Return what is listed of bob's devices."""
        listed = json.loads(self.command("device", "list", "bob", "--json"))
        return {each["device"]: each for each in listed}

    def log_in(self, password: str) -> bytes:
        """Log in by USER and PASS, and return the reply."""
        client = Dialogue(self.host, self.ports["none"])
        try:
            return client.log_in("bob", password)
        finally:
            client.close()

    def plain(self, password: str) -> bytes:
        """Log in by AUTH PLAIN, and return the reply."""
        client = Dialogue(self.host, self.ports["none"])
        try:
            return client.say(b"AUTH PLAIN " + b64encode(f"\0bob\0{password}".encode()))
        finally:
            client.close()

    def apop(self, password: str) -> bytes:
        """Log in by APOP, and return the reply."""
        client = Dialogue(self.host, self.ports["none"])
        try:
            found = re.search(rb"<[^>]*>", client.greeting)
            assert found is not None, client.greeting
            digest = hashlib.md5(found[0] + password.encode(), usedforsecurity=False)
            return client.say(b"APOP bob " + digest.hexdigest().encode())
        finally:
            client.close()

    def cram_md5(self, password: str) -> bytes:
        """Log in by CRAM-MD5, and return the reply."""
        client = Dialogue(self.host, self.ports["none"])
        try:
            challenge = b64decode(client.say(b"AUTH CRAM-MD5").removeprefix(b"+ "))
            digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
            return client.say(b64encode(f"bob {digest}".encode()))
        finally:
            client.close()


@contextmanager
def started(folder: Path, *mechanisms: str) -> Iterator[DeviceServer]:
    """Run a server with bob and a message of his."""
    server = DeviceServer(folder)
    server.mechanisms = mechanisms or server.mechanisms
    server.write_configuration()
    server.command("account", "add", "bob", "--password-stdin", stdin=OWN.encode())
    fill(server.mail / "bob", MESSAGE)
    with server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DeviceServer]:
    """A server that offers everything that passwords and digests serve for."""
    with started(tmp_path) as server:
        yield server


def curl(
    server: ServerProcess, password: str, *options: str
) -> "subprocess.CompletedProcess[bytes]":
    """Fetch bob's message by curl."""
    return subprocess.run(
        [
            *(require("curl"), "-sS", "--max-time", "50", "-u", f"bob:{password}", *options),
            f"pop3://{server.host}:{server.ports['none']}/1",
        ],
        capture_output=True,
        timeout=60,
        check=False,
        env={"HOME": str(server.directory), "PATH": os.environ["PATH"]},
    )


@pytest.mark.parametrize("login", ["USER", "PLAIN", "LOGIN"])
def test_curl_logs_in_with_the_password_of_a_device(tmp_path: Path, login: str) -> None:
    """By USER and PASS, which curl takes where nothing else is offered, and by SASL."""
    with started(tmp_path, login) as server:
        laptop, phone = server.add("laptop"), server.add("phone")
        for password in (laptop, phone, laptop.replace("-", ""), OWN):
            assert curl(server, password).stdout == FETCHED
        server.command("device", "revoke", "bob", "laptop")
        refused = curl(server, laptop)
        assert (refused.returncode, refused.stdout) == (67, b"")
        for password in (phone, OWN):
            assert curl(server, password).stdout == FETCHED


def test_a_revoked_device_is_refused_at_once(server: DeviceServer) -> None:
    """Warm, by every way that it was let in a moment before."""
    for number in range(5):
        password = server.add(f"device {number}")
        for _ in range(3):
            assert server.log_in(password).startswith(b"+OK")
            assert server.plain(password).startswith(b"+OK")
        server.command("device", "revoke", "bob", f"device {number}")
        assert server.log_in(password) == REFUSED
        assert server.plain(password) == REFUSED
        assert server.log_in(OWN).startswith(b"+OK")


def test_rules_are_refused_in_the_words_of_a_wrong_password(server: DeviceServer) -> None:
    elsewhere = server.add("elsewhere", "--network", "192.0.2.0/24", "--network", "2001:db8::/32")
    here = server.add("here", "--network", "127.0.0.0/8")
    soon = server.add("soon", "--expires", "1")
    apop = server.add("old", "--mechanism", "apop")
    wrong = words.grouped(words.make()).reveal().decode()
    for password in (elsewhere, apop, wrong):
        assert server.log_in(password) == REFUSED
        assert server.plain(password) == REFUSED
    for password in (here, soon):
        assert server.log_in(password).startswith(b"+OK")
    assert set(re.findall(r'auth failed: .* reason=("[^"]*"|\S+)', server.log())) == {
        '"device network: elsewhere"',
        '"device mechanism: old"',
        "password",
    }


def test_nothing_is_removed_by_a_device_that_may_only_read(server: DeviceServer) -> None:
    printer = server.add("printer", "--read-only")
    client = Dialogue(server.host, server.ports["none"])
    assert client.log_in("bob", printer).startswith(b"+OK")
    assert client.say(b"RETR 1").startswith(b"+OK")
    assert client.lines() == [b"Subject: one", b"", b"body"]
    assert client.say(b"DELE 1").startswith(b"-ERR")
    assert client.say(b"QUIT").startswith(b"+OK")
    client.close()
    assert server.log_in(OWN).startswith(b"+OK")
    assert len(list((server.mail / "bob" / "new").iterdir())) == 1


def test_the_last_use_is_listed(server: DeviceServer) -> None:
    laptop = server.add("laptop")
    old = server.add("old", "--mechanism", "apop")
    server.log_in(laptop)
    server.plain(laptop)
    server.apop(old)
    eventually(lambda: server.devices()["old"]["last_use"] is not None, seconds=60)
    listed = server.devices()
    used = {name: (each["last_use"] or {}).get("mechanism") for name, each in listed.items()}
    assert used == {"laptop": "PLAIN", "old": "APOP"}
    assert listed["old"]["last_use"]["address"] == "127.0.0.1"


def test_what_is_noted_is_written_when_the_server_ends(server: DeviceServer) -> None:
    laptop = server.add("laptop")
    assert server.devices()["laptop"]["last_use"] is None
    server.log_in(laptop)
    server.stop(expect=0)
    assert server.devices()["laptop"]["last_use"]["mechanism"] == "USER"


def test_a_login_names_its_device(server: DeviceServer) -> None:
    server.log_in(server.add("Bob's phone"))
    server.log_in(OWN)
    pattern = r"login: .* octets=22 (.*)\n"
    eventually(lambda: len(re.findall(pattern, server.log())) == 2)
    assert re.findall(pattern, server.log()) == ['device="Bob\'s phone" user=bob', "user=bob"]


def test_a_lost_key_costs_the_devices_and_nothing_else(server: DeviceServer) -> None:
    laptop, old = server.add("laptop"), server.add("old", "--mechanism", "apop")
    key = server.state / "auth" / "devices.key"
    kept = key.read_bytes()
    key.unlink()
    assert server.log_in(laptop) == REFUSED
    assert server.apop(old) == REFUSED
    assert server.log_in(OWN).startswith(b"+OK")
    assert {each["state"] for each in server.devices().values()} == {"without its key"}
    assert 'warning: reason="the key of the devices is gone' in server.log()
    key.write_text("0" * 64 + "\n")
    key.chmod(0o600)
    assert server.log_in(laptop) == REFUSED
    assert "another key of the devices" in server.log()
    key.write_bytes(kept)
    key.chmod(0o640)
    assert server.log_in(laptop) == REFUSED
    assert "its mode has to be 600" in server.log()
    key.chmod(0o600)
    assert server.log_in(laptop).startswith(b"+OK")
    assert server.apop(old).startswith(b"+OK")


# ---- APOP and CRAM-MD5


def test_digests_are_for_devices_that_are_allowed_them(server: DeviceServer) -> None:
    """conformance: 1939-S-55 2195-S-04 2195-S-05"""
    apop, cram = server.add("a", "--mechanism", "apop"), server.add("c", "--mechanism", "cram-md5")
    plain = server.add("p")
    for password in (apop, apop.replace("-", "")):
        assert server.apop(password).startswith(b"+OK")
    assert server.cram_md5(cram).startswith(b"+OK")
    for password in (cram, plain, OWN):
        assert server.apop(password) == REFUSED
    for password in (apop, plain, OWN):
        assert server.cram_md5(password) == REFUSED
    for password in (apop, cram):
        assert server.log_in(password) == REFUSED
        assert server.plain(password) == REFUSED
    for name in ("a", "c"):
        server.command("device", "revoke", "bob", name)
    assert server.apop(apop) == REFUSED
    assert server.cram_md5(cram) == REFUSED


@pytest.mark.parametrize(("allowed", "login"), [("apop", "+APOP"), ("cram-md5", "CRAM-MD5")])
def test_curl_logs_in_by_a_digest(server: DeviceServer, allowed: str, login: str) -> None:
    password = server.add("old", "--mechanism", allowed)
    options = ("--login-options", f"AUTH={login}")
    assert curl(server, password, *options).stdout == FETCHED
    assert curl(server, OWN, *options).returncode == 67


def mpop(server: DeviceServer, folder: Path, password: str, method: str) -> bool:
    """Have mpop look for mail, and say whether it was let in and has seen the message."""
    file = folder / "mpoprc"
    file.write_text(
        f"account default\nhost {server.host}\nport {server.ports['none']}\ntls off\n"
        f"user bob\npassword {password}\nauth {method}\nuidls_file {folder / 'uidls'}\n"
        f"delivery maildir {folder}\n"
    )
    file.chmod(0o600)
    done = subprocess.run(
        [require("mpop"), "-C", str(file), "--status-only"],
        capture_output=True,
        timeout=60,
        check=False,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
    )
    assert (done.returncode == 0) == (b"new: 1 message" in done.stdout), done
    return done.returncode == 0


@pytest.mark.parametrize("method", ["apop", "cram-md5"])
def test_mpop_logs_in_by_a_digest(server: DeviceServer, tmp_path: Path, method: str) -> None:
    password = server.add("old", "--mechanism", method)
    assert mpop(server, tmp_path, password, method)
    assert not mpop(server, tmp_path, OWN, method)


def test_mpop_logs_in_where_scram_is_offered_first(tmp_path: Path) -> None:
    """As a configuration without a word on mechanisms has it: mpop takes what it thinks best."""
    usual = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "USER")
    with started(tmp_path, *usual) as server:
        laptop = server.add("laptop")
        server.command("account", "password", "bob", "--password-stdin", stdin=b"another")
        assert mpop(server, tmp_path, laptop, "scram-sha-256")
        assert mpop(server, tmp_path, "another", "scram-sha-256")
        assert not mpop(server, tmp_path, OWN, "scram-sha-256")
        server.command("device", "revoke", "bob", "laptop")
        assert not mpop(server, tmp_path, laptop, "scram-sha-256")
    assert "mech=SCRAM-SHA-256 messages=1 octets=22 device=laptop user=bob" in server.log()


def test_fetchmail_logs_in_by_apop(server: DeviceServer, tmp_path: Path) -> None:
    password = server.add("old", "--mechanism", "apop")
    file = tmp_path / "fetchmailrc"
    file.write_text(
        f"poll {server.host} protocol APOP service {server.ports['none']} timeout 30:\n"
        f'user "bob" there with password "{password}" sslproto "" mda "/bin/cat"\n'
    )
    file.chmod(0o700)
    done = subprocess.run(
        [
            *(require("fetchmail"), "-f", str(file), "--nosyslog", "--check"),
            *("-i", str(tmp_path / "ids"), "--pidfile", str(tmp_path / "pid")),
        ],
        capture_output=True,
        timeout=60,
        check=False,
        env={"HOME": str(tmp_path), "FETCHMAILHOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done
    assert b"1 message for bob" in done.stdout, done


# ---- where a secret could show


def test_no_secret_shows_anywhere(server: DeviceServer) -> None:
    """In no file of the state, in no log and in no command line that this machine shows."""
    secrets = {
        allowed: server.add(f"device {allowed}", "--mechanism", allowed)
        for allowed in ("any", "apop", "cram-md5")
    }
    server.log_in(secrets["any"])
    server.apop(secrets["apop"])
    server.cram_md5(secrets["cram-md5"])
    for password in secrets.values():
        server.log_in(password + "x")
    server.log_in(secrets["apop"])
    shown: dict[str, bytes] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            shown[str(path)] = path.read_bytes()
    server.stop(expect=0)
    shown |= {str(path): path.read_bytes() for path in server.state.rglob("*") if path.is_file()}
    shown["log"] = server.log().encode()
    assert any(path.endswith("accounts.sqlite") for path in shown)
    for secret in secrets.values():
        for spelling in (secret, secret.replace("-", ""), secret.replace("-", "").upper()):
            for form in (
                spelling.encode(),
                spelling.encode().hex().encode(),
                b64encode(spelling.encode()),
            ):
                assert [path for path, data in shown.items() if form in data] == []
