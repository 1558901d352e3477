"""The folder of a demo: made once, kept, and never somebody else's."""

import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restante import assembly
from restante.cli.demo_folder import HOST, DemoFolder
from restante.cli.failures import CANNOT_CREATE, UNAVAILABLE, CommandFailed
from restante.config import loading
from unit.cli.conftest import Command


@pytest.fixture
def folder(tmp_path: Path) -> DemoFolder:
    return DemoFolder(tmp_path / "demo")


def ports(folder: DemoFolder) -> list[int]:
    listeners = loading.load(folder.configuration).server.listeners
    return [int(listener.address.rpartition(":")[2]) for listener in listeners]


def test_everything_is_made_and_kept(folder: DemoFolder) -> None:
    password = folder.prepare(0)
    assert len(password) == 20
    assert folder.message_count() == 4
    first = ports(folder)
    certificate = folder.certificate.read_bytes()
    for message in (folder.directory / "mail" / "demo" / "new").iterdir():
        message.unlink()
        break
    assert folder.prepare(0) == password
    assert folder.message_count() == 3
    assert ports(folder) == first
    assert folder.certificate.read_bytes() == certificate


def test_secrets_are_their_owners(folder: DemoFolder) -> None:
    folder.prepare(0)
    for name in ("password", "private_key.pem"):
        assert stat.S_IMODE((folder.directory / name).stat().st_mode) == 0o600


def test_no_two_demos_have_one_password(tmp_path: Path) -> None:
    assert DemoFolder(tmp_path / "a").prepare(0) != DemoFolder(tmp_path / "b").prepare(0)


def test_ports_that_were_taken_meanwhile_are_replaced(folder: DemoFolder) -> None:
    folder.prepare(0)
    pop3, pop3s = ports(folder)
    with socket.create_server((HOST, pop3)):
        folder.prepare(0)
        assert ports(folder)[0] != pop3
        assert ports(folder)[1] == pop3s


def test_a_port_of_ones_own_choice(folder: DemoFolder) -> None:
    folder.prepare(20_110)
    assert ports(folder) == [20_110, 20_111]


@pytest.mark.parametrize("name", ["letter.txt", "restante.toml"])
def test_a_folder_of_something_else_is_left_alone(folder: DemoFolder, name: str) -> None:
    folder.directory.mkdir()
    (folder.directory / name).write_bytes(b"\xff not ours")
    with pytest.raises(CommandFailed, match="holds something else") as raised:
        folder.prepare(0)
    assert raised.value.status == CANNOT_CREATE
    assert [path.name for path in folder.directory.iterdir()] == [name]


def test_a_demo_that_was_cut_short_begins_anew(folder: DemoFolder) -> None:
    folder.prepare(0)
    (folder.directory / "password").unlink()
    for message in (folder.directory / "mail" / "demo" / "new").iterdir():
        message.unlink()
    folder.prepare(0)
    assert folder.message_count() == 4


def test_account_commands_take_its_configuration(folder: DemoFolder, command: Command) -> None:
    folder.prepare(0)
    listed = command("account", "list", "--config", folder.configuration)
    assert listed.status == 0
    assert "demo" in listed.out
    assert command("config", "check", "--config", folder.configuration).status == 0


def test_a_first_start_that_was_cut_short_is_made_to_its_end(
    folder: DemoFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver, delivered = assembly.deliver, 0

    def cut(*arguments: Any) -> bytes:
        nonlocal delivered
        delivered += 1
        if delivered == 3:
            raise KeyboardInterrupt
        return deliver(*arguments)

    monkeypatch.setattr(assembly, "deliver", cut)
    with pytest.raises(KeyboardInterrupt):
        folder.prepare(0)
    assert folder.message_count() == 2
    folder.prepare(0)
    assert folder.message_count() == 4


def test_one_demo_at_a_time(folder: DemoFolder) -> None:
    """Not even while the other one is still being made, and its server does not answer yet."""
    folder.directory.mkdir()
    program = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1], 'w')\n"
        "fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(folder.directory / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"\n"
        with pytest.raises(CommandFailed, match="already running") as raised:
            folder.prepare(0)
        assert raised.value.status == UNAVAILABLE
        assert [path.name for path in folder.directory.iterdir()] == ["lock"]
        other.kill()
    folder.prepare(0)
    assert folder.message_count() == 4
