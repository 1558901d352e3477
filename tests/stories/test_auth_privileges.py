"""Who may see the credential stores: the auth process, and no worker, whatever it tries."""

import os
import pwd
import re
import socket
import stat
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from serving import Dialogue, ServerProcess, eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become two users")

DATABASE = '[[auth.source]]\ntype = "accounts"\n[auth.hashing]\nmemory_kib = 8\npasses = 1\n'
WORKER, AUTH = "nobody", "daemon"
STRANGER = "www-data"
FIRST = b64encode(b"n,,n=carol,r=fyko+d2lbbFgONRv9qkxdawL")
KEYS = ("salts.key", "devices.key")

ATTEMPT = """
import os, socket, sys
uid, gid, what, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.setgroups([])
os.setresgid(gid, gid, gid)
os.setresuid(uid, uid, uid)
try:
    if what == "read":
        os.read(os.open(path, os.O_RDONLY), 1)
    elif what == "write":
        os.open(path, os.O_WRONLY)
    elif what == "list":
        os.listdir(path)
    elif what == "replace":
        os.rename(path, path + ".away")
    elif what == "create":
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    elif what == "connect":
        socket.socket(socket.AF_UNIX).connect(path)
    elif what == "signal":
        os.kill(int(path), 0)
    else:
        raise ValueError(what)
except OSError as error:
    print(type(error).__name__)
else:
    print("done")
"""


def attempt(user: str, what: str, path: object) -> str:
    """Try something as this user, and return what came of it."""
    entry = pwd.getpwnam(user)
    command = [sys.executable, "-c", ATTEMPT, str(entry.pw_uid), str(entry.pw_gid), what, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


class TwoUsers(ServerProcess):
    """A server started as root whose workers are one user and whose auth process another."""

    def write_configuration(self) -> None:
        super().write_configuration()
        written = self.configuration.read_text()
        users = f'user = "{WORKER}"\nauth_user = "{AUTH}"\n'
        self.configuration.write_text(users + written)

    def pid(self, role: str) -> int:
        found = re.search(rf"role={role} process=(\d+)", self.log())
        assert found is not None
        return int(found[1])


@pytest.fixture(scope="module")
def server() -> Iterator[TwoUsers]:
    # Not below a folder of pytest's, into which nobody but root can look.
    with tempfile.TemporaryDirectory(prefix="restante-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        two = TwoUsers(path, settings=DATABASE)
        two.account("bob", "secret")
        _give(two.passwords, AUTH)
        _give(two.private_key, WORKER)
        _give(two.mail, WORKER)
        added = two.run("account", "add", "carol", "--password-stdin", stdin=b"secret\n")
        assert added.returncode == 0, added.stderr
        added = two.run("device", "add", "carol", "tablet")
        assert added.returncode == 0, added.stderr
        with two:
            with Dialogue(two.host, two.ports["none"]) as dialogue:
                # The first salt has the key of all salts made.
                assert dialogue.say(b"AUTH SCRAM-SHA-256 " + FIRST).startswith(b"+ ")
            yield two


def _give(path: Path, user: str) -> None:
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    path.chmod(0o700 if path.is_dir() else 0o600)


def test_each_process_is_who_it_should_be(server: TwoUsers) -> None:
    for role, user in (("worker", WORKER), ("auth", AUTH)):
        entry = pwd.getpwnam(user)
        status = Path(f"/proc/{server.pid(role)}/status").read_text()
        for field, number in (("Uid", entry.pw_uid), ("Gid", entry.pw_gid)):
            found = re.search(rf"^{field}:\s+(.*)$", status, re.MULTILINE)
            assert found is not None
            assert found[1].split() == [str(number)] * 4
        groups = re.search(r"^Groups:(.*)$", status, re.MULTILINE)
        assert groups is not None
        assert set(groups[1].split()) <= {str(entry.pw_gid)}
        capabilities = re.findall(r"^Cap(?:Eff|Prm):\s+(\S+)$", status, re.MULTILINE)
        assert {int(each, 16) for each in capabilities} == {0}


def test_logins_work_across_them(server: TwoUsers) -> None:
    for name in ("bob", "carol"):
        with Dialogue(server.host, server.ports["none"]) as dialogue:
            assert dialogue.log_in(name, "secret").startswith(b"+OK")


def a_device_logs_in(server: TwoUsers) -> None:
    """Have root add a device, let it log in, and wait until that is written down."""
    added = server.run("device", "add", "carol", "phone")
    assert added.returncode == 0, added.stderr
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        assert dialogue.log_in("carol", added.stdout.decode().strip()).startswith(b"+OK")
    listed = partial(server.run, "device", "list", "carol", "--json")
    eventually(lambda: b'"mechanism": "USER"' in listed().stdout, seconds=60)
    assert server.run("device", "revoke", "carol", "phone").returncode == 0


def test_a_worker_cannot_get_at_the_stores(server: TwoUsers) -> None:
    folder = server.state / "auth"
    database = folder / "accounts.sqlite"
    a_device_logs_in(server)
    assert attempt(AUTH, "read", database) == "done"
    assert attempt(AUTH, "read", folder / "devices.key") == "done"
    assert attempt(AUTH, "read", server.passwords) == "done"
    for user in (WORKER, STRANGER):
        for what, path in [
            ("read", database),
            ("write", database),
            ("replace", database),
            ("list", folder),
            ("create", folder / "accounts.sqlite-journal"),
            ("read", folder / "devices.key"),
            ("write", folder / "devices.key"),
            ("replace", folder / "devices.key"),
            ("read", folder / "device-uses.sqlite"),
            ("replace", folder),
            ("read", server.passwords),
            ("write", server.passwords),
            ("replace", server.passwords),
            ("create", server.state / "planted"),
            ("read", f"/proc/{server.pid('auth')}/mem"),
            ("read", f"/proc/{server.pid('auth')}/environ"),
            ("list", f"/proc/{server.pid('auth')}/fd"),
            ("signal", server.pid("auth")),
        ]:
            assert attempt(user, what, path) == "PermissionError", (user, what, path)
    assert database.exists()


def test_a_worker_cannot_get_at_the_keys(server: TwoUsers) -> None:
    for name in KEYS:
        key = server.state / "auth" / name
        status = key.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, pwd.getpwnam(AUTH).pw_uid)
        assert attempt(AUTH, "read", key) == "done"
        for user in (WORKER, STRANGER):
            for what in ("read", "write", "replace"):
                assert attempt(user, what, key) == "PermissionError", (user, what, name)


def test_a_trial_has_the_rights_of_the_auth_process(server: TwoUsers) -> None:
    def tried(name: str) -> tuple[int, bytes]:
        done = server.run("auth", "test", name, "--password-stdin", stdin=b"secret\n")
        return done.returncode, done.stderr

    assert tried("bob") == (0, b"")
    _give(server.passwords, WORKER)
    try:
        status, complaint = tried("nobody")
        assert status == 75
        assert b"passwd-file: Permission denied" in complaint
    finally:
        _give(server.passwords, AUTH)
    for path in (server.state / "auth").iterdir():
        assert path.stat().st_uid == pwd.getpwnam(AUTH).pw_uid


def test_a_worker_holds_no_descriptor_of_them(server: TwoUsers) -> None:
    held = [os.readlink(path) for path in Path(f"/proc/{server.pid('worker')}/fd").iterdir()]
    assert held
    stores = ("accounts", "passwd", *KEYS)
    assert not [name for name in held if any(store in name for store in stores)]
    auth = [os.readlink(path) for path in Path(f"/proc/{server.pid('auth')}/fd").iterdir()]
    assert str(server.state / "auth" / "accounts.sqlite") in auth


def test_the_auth_process_holds_no_socket_of_clients(server: TwoUsers) -> None:
    """Its only sockets are of this machine's own kind."""
    inodes = {
        os.readlink(path)
        for path in Path(f"/proc/{server.pid('auth')}/fd").iterdir()
        if os.readlink(path).startswith("socket:")
    }
    internet = {
        f"socket:[{line.split()[9]}]"
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{server.pid('auth')}/net/{table}").read_text().splitlines()[1:]
    }
    assert inodes
    assert not inodes & internet


def test_only_workers_reach_the_auth_process(server: TwoUsers) -> None:
    (path,) = (server.state / "run").glob("auth-*.sock")
    assert attempt(WORKER, "connect", path) == "done"
    assert attempt(STRANGER, "connect", path) == "PermissionError"
    assert attempt(AUTH, "read", server.private_key) == "PermissionError"
    assert attempt(AUTH, "list", server.mail) == "PermissionError"
    for user in (WORKER, AUTH, STRANGER):
        assert attempt(user, "connect", server.state / "run" / "control.sock") == "PermissionError"


def test_octets_that_are_no_frame_end_that_line_alone(server: TwoUsers) -> None:
    """As a worker that was taken over would send them."""
    (path,) = (server.state / "run").glob("auth-*.sock")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(path))
        line.sendall(b"\x80\x04\x95" * 100)
        with suppress(ConnectionResetError):
            assert line.recv(1) == b""
    test_logins_work_across_them(server)
    assert 'fault: reason="frame from a worker' in server.log()


def test_a_change_by_root_stays_readable(server: TwoUsers) -> None:
    a_device_logs_in(server)
    done = server.run("account", "password", "carol", "--password-stdin", stdin=b"another\n")
    assert done.returncode == 0
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        assert dialogue.log_in("carol", "another").startswith(b"+OK")
    entry = pwd.getpwnam(AUTH)
    for path in (server.state / "auth").iterdir():
        assert path.stat().st_uid == entry.pw_uid
