"""A newcomer: one command, and the lines it prints collect the mail."""

import contextlib
import json
import os
import poplib
import shlex
import signal
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import require
from serving import RESTANTE, STOP_SECONDS, Dialogue, read_until


@contextmanager
def demo(
    directory: Path, *arguments: str, wrapper: Sequence[str] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a demo, and end it as Ctrl-C does."""
    with (directory.parent / "log").open("a") as log:
        process = subprocess.Popen(
            [*wrapper, *RESTANTE, "demo", "--directory", str(directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0, (directory.parent / "log").read_text()
    assert out == b""


def facts(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Return the line of JSON."""
    assert process.stdout is not None
    told = json.loads(read_until(process, process.stdout, b"\n"))
    assert isinstance(told, dict)
    return told


def collect(told: dict[str, Any]) -> list[bytes]:
    """Collect all mail by implicit TLS."""
    context = ssl.create_default_context(cafile=told["certificate"])
    place = told["pop3s"]
    maildrop = poplib.POP3_SSL(place["host"], place["port"], timeout=30, context=context)
    maildrop.user(told["account"])
    maildrop.pass_(told["password"])
    count, _ = maildrop.stat()
    messages = [b"\n".join(maildrop.retr(number)[1]) for number in range(1, count + 1)]
    maildrop.quit()
    return messages


def test_the_lines_it_prints_do_what_they_say(tmp_path: Path) -> None:
    require("curl")
    with demo(tmp_path / "x's y") as process:
        assert process.stdout is not None
        printed = read_until(process, process.stdout, b"The log follows.\n").decode()
        assert read_until(process, process.stdout, b"\n") == b"\n"
        assert read_until(process, process.stdout, b"\n") == b"\n"
        commands = list(shell_commands(printed))
        assert [command.split()[0] for command in commands] == [
            *["curl"] * 4,
            "python3",
            "printf",
            shlex.quote(RESTANTE[0]),
        ]
        said = [run(command) for command in commands]
    listing, welcome, eight_bit, dots, collected, delivered, who = said
    numbers = [line.split()[0] for line in listing.splitlines()]
    assert numbers == [b"1", b"2", b"3", b"4"]
    assert b"Subject: Your mail has been kept for you\r\n" in welcome
    assert "Καλημέρα, доброе утро, 早上好".encode() in eight_bit
    assert b"\r\n.\r\n..\r\n...\r\n....\r\n.hidden\r\n..\r\n.\r\n" in dots
    assert collected.decode().splitlines() == [
        f"{line} {subject}"
        for line, subject in zip(
            listing.decode().splitlines(),
            (
                "Your mail has been kept for you",
                "A report, with the figures attached",
                "Grüße aus dem Postamt",
                "Lines that begin with a dot",
            ),
            strict=True,
        )
    ]
    assert delivered == b""
    assert who.startswith(b"listening on 127.0.0.1:")


def shell_commands(printed: str) -> Iterator[str]:
    """Yield the commands of a text: what does not read like a sentence."""
    lines = iter(printed.splitlines())
    for line in lines:
        if line.startswith("python3 - <<'END'"):
            yield "\n".join([line, *iter(lambda: next(lines), "END"), "END"])
        elif line.startswith(("curl ", "printf ", shlex.quote(RESTANTE[0]))):
            yield line


def run(command: str) -> bytes:
    """Run a command as a shell does and return what it prints."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_demo_goes_on_where_it_was(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--json") as process:
        first = facts(process)
        messages = collect(first)
        assert max(map(len, messages)) > 65_536
        context = ssl.create_default_context(cafile=first["certificate"])
        with Dialogue("127.0.0.1", first["pop3s"]["port"], context) as dialogue:
            dialogue.log_in(first["account"], first["password"])
            assert dialogue.say(b"DELE 1", b"QUIT").startswith(b"+OK")
    with demo(tmp_path / "demo", "--json") as process:
        again = facts(process)
        assert again == first
        assert collect(again) == messages[1:]


def test_the_configuration_it_names_can_be_served(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--json") as process:
        told = facts(process)
        messages = collect(told)
    config = ["--config", told["config"]]
    changed = subprocess.run(
        [*RESTANTE, "account", "password", "demo", "--password-stdin", *config],
        input=b"another one",
        check=True,
        capture_output=True,
    )
    assert changed.stdout == b""
    served = subprocess.Popen(
        [*RESTANTE, "serve", *config], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert served.stderr is not None
    read_until(served, served.stderr, b"ready:")
    assert collect(told | {"password": "another one"}) == messages
    served.terminate()
    served.communicate(timeout=STOP_SECONDS)
    assert served.returncode == 0


def test_secrets_of_a_demo_are_its_owners(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--json") as process:
        facts(process)
    for name in ("password", "private_key.pem", "state/auth/accounts.sqlite"):
        assert stat.S_IMODE((tmp_path / "demo" / name).stat().st_mode) == 0o600


def test_two_demos_in_one_folder_are_refused(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--json") as process:
        told = facts(process)
        second = subprocess.run(
            [*RESTANTE, "demo", "--directory", str(tmp_path / "demo")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (second.returncode, second.stdout) == (69, "")
        assert second.stderr == f"restante: a server is already running in {tmp_path}/demo\n"
        assert collect(told)


@pytest.mark.parametrize("send", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_ends_when_it_is_told_to(tmp_path: Path, send: signal.Signals) -> None:
    process = subprocess.Popen(
        [*RESTANTE, "demo", "--directory", str(tmp_path / "demo"), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    told = facts(process)
    with Dialogue("127.0.0.1", told["pop3"]["port"]) as dialogue:
        assert dialogue.log_in(told["account"], told["password"]).startswith(b"+OK")
        process.send_signal(send)
        assert dialogue.rest() == b""
    _, log = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0
    assert b"Traceback" not in log
    assert told["password"].encode() not in log


def free_pair() -> int:
    """Return the first of two free ports, from where no system gives out ports of itself."""
    start = 20_000 + os.getpid() % 5_000 * 2
    for port in range(start, start + 1_000, 2):
        with contextlib.suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
    raise AssertionError("there are no two free ports")


def test_a_port_of_ones_own_choice(tmp_path: Path) -> None:
    free = free_pair()
    with demo(tmp_path / "two", "--json", "--port", str(free)) as process:
        told = facts(process)
        assert (told["pop3"]["port"], told["pop3s"]["port"]) == (free, free + 1)


def test_it_ends_with_its_terminal(tmp_path: Path) -> None:
    """Nobody would find it again."""
    # Whoever runs the tests may have had its own hangups ignored.
    with demo(tmp_path / "demo", "--json", wrapper=["env", "--default-signal=HUP"]) as process:
        told = facts(process)
        with Dialogue(told["pop3"]["host"], told["pop3"]["port"]) as session:
            assert session.log_in(told["account"], told["password"]).startswith(b"+OK")
            process.send_signal(signal.SIGHUP)
            assert session.rest() == b""
        assert process.wait(STOP_SECONDS) == 0


def test_it_outlives_its_terminal_where_that_was_asked_for(tmp_path: Path) -> None:
    require("nohup")
    with demo(tmp_path / "demo", "--json", wrapper=["nohup"]) as process:
        told = facts(process)
        process.send_signal(signal.SIGHUP)
        assert len(collect(told)) == 4
