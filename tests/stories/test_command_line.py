"""An administrator's day: accounts, deliveries and commands beside a server that runs."""

import json
import os
import poplib
import pty
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import READY_SECONDS, RESTANTE, STOP_SECONDS, Dialogue, ServerProcess, read_until

OUR_DATABASE = '[[auth.source]]\ntype = "accounts"\n[auth.hashing]\nmemory_kib = 8\npasses = 1\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two workers that knows our own accounts too."""
    with ServerProcess(
        tmp_path_factory.mktemp("command-line"), workers=2, settings=OUR_DATABASE
    ) as running:
        yield running


def log_in(server: ServerProcess, name: str, password: str) -> bytes:
    """Try a login and return the reply to PASS."""
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        return dialogue.log_in(name, password)


def succeed(server: ServerProcess, *arguments: str, stdin: bytes = b"") -> bytes:
    """Carry out a command that says nothing but what was asked for."""
    done = server.run(*arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_the_life_of_an_account(server: ServerProcess) -> None:
    """Every change counts at once, though the server was told nothing."""
    refused = b"-ERR [AUTH] authentication failed"
    assert log_in(server, "carol", "first") == refused
    succeed(server, "account", "add", "carol", "--password-stdin", stdin=b"first\n")
    assert log_in(server, "carol", "first").startswith(b"+OK")
    assert log_in(server, "CAROL", "first").startswith(b"+OK")
    assert log_in(server, "carol", "other") == refused
    succeed(server, "account", "password", "carol", "--password-stdin", stdin=b"second\n")
    assert log_in(server, "carol", "first") == refused
    assert log_in(server, "carol", "second").startswith(b"+OK")
    succeed(server, "account", "disable", "carol")
    assert log_in(server, "carol", "second") == refused
    succeed(server, "account", "enable", "carol")
    assert log_in(server, "carol", "second").startswith(b"+OK")
    succeed(server, "account", "remove", "carol")
    assert log_in(server, "carol", "second") == refused
    succeed(server, "account", "add", "carol", "--password-stdin", stdin=b"third\n")
    assert log_in(server, "carol", "second") == refused
    assert log_in(server, "carol", "third").startswith(b"+OK")


def test_a_password_is_asked_for_twice_on_a_terminal(server: ServerProcess) -> None:
    controller, terminal = pty.openpty()
    command = [*RESTANTE, "account", "add", "dave", "--config", str(server.configuration)]
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    seen = b""
    for prompt in (b"Password: ", b"Once more: "):
        while not seen.endswith(prompt):
            assert select.select([controller], [], [], READY_SECONDS)[0], seen
            seen += os.read(controller, 1024)
        os.write(controller, b"typed by hand\n")
    assert process.wait(STOP_SECONDS) == 0
    os.close(controller)
    assert b"typed by hand" not in seen
    assert log_in(server, "dave", "typed by hand").startswith(b"+OK")


def test_what_is_delivered_is_collected(server: ServerProcess) -> None:
    server.account("erin", "secret")
    messages = [b"Subject: %d\n\n.\n..dots\nlast line" % number for number in range(3)]
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        assert dialogue.log_in("erin", "secret").startswith(b"+OK")
        for message in messages:
            succeed(server, "deliver", "erin", stdin=message)
        assert dialogue.say(b"STAT") == b"+OK 0 0"
    listed = json.loads(succeed(server, "mail", "list", "erin", "--json"))
    maildrop = poplib.POP3(server.host, server.ports["none"], timeout=30)
    maildrop.user("erin")
    maildrop.pass_("secret")
    for number, message in enumerate(messages, 1):
        _, lines, octets = maildrop.retr(number)
        assert lines == message.split(b"\n")
        shown = succeed(server, "mail", "show", "erin", str(number))
        assert shown == b"".join(line + b"\r\n" for line in lines)
        assert listed[number - 1] == {
            "number": number,
            "octets": octets,
            "unique_id": maildrop.uidl(number).split()[2].decode(),
        }
    maildrop.quit()


def test_a_reader_that_has_enough_is_no_error(server: ServerProcess) -> None:
    server.account("frank", "secret")
    succeed(server, "deliver", "frank", stdin=b"Subject: x\n\n" + b"x" * 70 + b"\n" * 1_000_000)
    show = [*RESTANTE, "mail", "show", "frank", "1", "--config", str(server.configuration)]
    process = subprocess.Popen(show, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(9) == b"Subject: "
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as errors:
        assert errors.read() == b""
    process.wait(STOP_SECONDS)


def test_who_is_there_and_who_has_to_go(server: ServerProcess) -> None:
    server.account("grace", "secret")
    succeed(server, "deliver", "grace", stdin=b"Subject: x\n\n")
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        dialogue.log_in("grace", "secret")
        assert dialogue.say(b"DELE 1").startswith(b"+OK")
        seen = json.loads(succeed(server, "who", "--json"))
        assert [listener["tls"] for listener in seen["listeners"]] == list(server.ports)
        [session] = [each for each in seen["sessions"] if each["account"] == "grace"]
        assert session["address"] == "127.0.0.1"
        assert session["state"] == "transaction"
        assert session["messages"] == 1
        text = succeed(server, "who").decode()
        assert f"listening on 127.0.0.1:{server.ports['implicit']} (implicit)\n" in text
        [row] = [line for line in text.splitlines() if "grace" in line]
        assert row.split()[0] == session["session"]
        succeed(server, "kick", session["session"])
        assert dialogue.rest() == b""
    assert len(json.loads(succeed(server, "mail", "list", "grace", "--json"))) == 1
    done = server.run("kick", session["session"])
    assert (done.returncode, done.stdout) == (69, b"")
    assert done.stderr == b"restante: there is no such session\n"


def test_a_reload_takes_what_can_be_honoured(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, settings="connections = 100\n") as server:
        server.account("heidi", "secret")
        right = server.configuration.read_text()
        with Dialogue(server.host, server.ports["none"]) as dialogue:
            dialogue.log_in("heidi", "secret")
            server.configuration.write_text(right.replace("connections = 100", "connections = 0"))
            line = right.split("\n").index("connections = 100") + 1
            done = server.run("reload")
            assert done.returncode == 69
            words = f"{server.configuration}:{line}: limits.connections: is at least 1"
            assert done.stderr.decode() == f"restante: {words}\n"
            assert succeed(server, "who")
            server.configuration.write_text(right.replace("connections = 100", "connections = 9"))
            assert succeed(server, "reload") == b""
            assert dialogue.say(b"NOOP").startswith(b"+OK")
        assert log_in(server, "heidi", "secret").startswith(b"+OK")


def test_a_drain_ends_the_server(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        assert server.process is not None
        succeed(server, "drain")
        assert server.process.wait(STOP_SECONDS) == 0
        done = server.run("who")
        assert (done.returncode, done.stdout) == (69, b"")
        assert done.stderr == b"restante: no server is running with this state directory\n"


def test_serving_says_nothing_on_standard_output(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    process = subprocess.Popen(
        [*RESTANTE, "serve", "--config", str(server.configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stdout is not None
    read_until(process, process.stderr, b"ready:")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=STOP_SECONDS)
    assert (process.returncode, out) == (0, b"")


@pytest.mark.parametrize("taken", ["port", "key"])
def test_a_server_that_cannot_start_says_why_in_one_line(tmp_path: Path, taken: str) -> None:
    server = ServerProcess(tmp_path)
    with ServerProcess(tmp_path / "other") as other:
        if taken == "port":
            server.ports = other.ports
            server.write_configuration()
        else:
            server.private_key.write_bytes(other.private_key.read_bytes())
        done = server.run("serve")
    last = done.stderr.decode().splitlines()[-1]
    assert (done.returncode, done.stdout) == (78, b"")
    assert last.startswith(str(server.configuration))
    assert ("Address already in use" if taken == "port" else "do not belong together") in last
    assert "Traceback" not in done.stderr.decode()


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "restante", "--version"], capture_output=True, check=True
    )
    assert done.stdout.startswith(b"restante ")


def test_a_state_directory_may_lie_deep(tmp_path: Path) -> None:
    """An address of a socket has 108 octets; a path may have more."""
    with ServerProcess(tmp_path / ("x" * 120), workers=2) as server:
        server.account("ivan", "secret")
        assert log_in(server, "ivan", "secret").startswith(b"+OK")
        assert succeed(server, "reload") == b""
        assert log_in(server, "ivan", "secret").startswith(b"+OK")
        assert succeed(server, "who").startswith(b"listening on ")
        server.stop(expect=0)
        assert list((server.state / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("deliver ivan --config {file} <&-", 75),
        ("account add bob --config {file} <&-", 64),
        ("account add bob --password-stdin --config {file} <&-", 74),
        ("config check --config {file} >&-", 74),
        ("config check --config {file} >/dev/full", 74),
        ("config show --config {file} >&- 2>&-", 74),
        ("config check --config nowhere <&- >&- 2>&-", 78),
        ("account disable nobody --config {file} <&- >&-", 67),
        ("account list --config {file} <&- 2>&-", 0),
    ],
)
def test_a_stream_that_is_closed_is_no_defect(
    server: ServerProcess, arguments: str, status: int
) -> None:
    if "ivan:" not in server.passwords.read_text():
        server.account("ivan", "secret")
    words = arguments.format(file=shlex.quote(str(server.configuration)))
    result = subprocess.run(
        ["sh", "-c", f"{shlex.join(RESTANTE)} {words}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == status
    assert result.stderr.count(b"\n") == (0 if status == 0 or "2>&-" in words else 1)
    assert b"defect" not in result.stderr


def test_a_server_without_streams_has_none_of_its_sockets_in_their_place(tmp_path: Path) -> None:
    """What is logged would go to whoever is at that descriptor."""
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    with ServerProcess(tmp_path, wrapper=closed) as server:
        assert server.process is not None
        for process in [server.process.pid, *children(server.process.pid)]:
            for number in range(3):
                assert os.readlink(f"/proc/{process}/fd/{number}") == os.devnull


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in text.split()]
