"""`restante examine` as a process: against a real server, and against servers that are none."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examine.served import deposit_into
from unit.examine.behaving import Behaviour, answering, listening, saying, until_gone
from unit.examine.crooked import CrookedServer

from serving import RESTANTE, ServerProcess, eventually

PASSWORD = "a password to keep"
SOME_CASES = ("--case", "1939-S-67", "--case", "1939-S-20", "--case", "1939-S-107")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("examined"), cleartext="always") as process:
        yield process


class Account:
    """An account of the server, its Maildir made."""

    def __init__(self, server: ServerProcess, name: str, *mail: bytes) -> None:
        self.name = name
        self.maildir = server.account(name, PASSWORD)
        for folder in ("tmp", "new", "cur"):
            (self.maildir / folder).mkdir(parents=True, exist_ok=True)
        for octets in mail:
            deposit_into(self.maildir, octets)

    @property
    def mail(self) -> list[bytes]:
        return sorted(
            path.read_bytes()
            for folder in ("new", "cur")
            for path in (self.maildir / folder).iterdir()
        )


def examine(
    *arguments: str | Path, stdin: str = PASSWORD + "\n", timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RESTANTE, "examine", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def at(server: ServerProcess, tls: str, account: Account, *more: str | Path) -> list[str | Path]:
    place = f"{server.host}:{server.ports[tls]}"
    trust: list[str | Path] = [] if tls == "none" else ["--ca", server.certificate]
    return [place, "--tls", tls, "--user", account.name, "--password-stdin", *trust, *more]


def verdicts(told: str) -> dict[str, str]:
    examination: dict[str, Any] = json.loads(told)
    return {case["id"]: case["verdict"] for case in examination["cases"]}


@pytest.mark.parametrize("more", [(), ("--read-mail",)], ids=["unread", "read"])
@pytest.mark.parametrize("tls", ["implicit", "stls", "none"])
def test_a_maildrop_with_mail_in_it_loses_nothing(
    server: ServerProcess, tls: str, more: tuple[str, ...]
) -> None:
    name = f"kept-{tls}-{len(more)}"
    account = Account(server, name, b"Subject: one\n\n1\n", b"Subject: two\n\n2\n")
    before = account.mail
    words = ("--json", "--case", "1939", "--patience", "5", *more)
    ended = examine(*at(server, tls, account, *words))
    assert ended.stderr == ""
    assert ended.returncode in (0, 1)
    assert account.mail == before
    found = verdicts(ended.stdout)
    assert found["1939-S-20"] == "passes"
    assert found["1939-S-107"] == "not_tried"
    assert ("--read-mail allows it" in ended.stdout) is not bool(more)
    assert PASSWORD not in ended.stdout


def test_mail_is_not_read_where_that_removes_it() -> None:
    heard: list[bytes] = []
    listing = b"+OK\r\n1 120\r\n.\r\n"
    told = b"+OK\r\nUSER\r\nTOP\r\nUIDL\r\nEXPIRE 0\r\n.\r\n"
    replies = {b"CAPA": told, b"STAT": b"+OK 1 120\r\n", b"LIST": listing, b"UIDL": listing}
    behave = answering(b"+OK\r\n", replies, other=b"+OK\r\n", heard=heard)
    with listening(behave) as port:
        place = (f"127.0.0.1:{port}", "--tls", "none", "--user", "joe", "--password-stdin")
        ended = examine(*place, "--read-mail", "--json", "--case", "1939-S-79/as-found")
    assert ended.stderr == ""
    assert "--scratch-maildrop allows it" in ended.stdout
    assert not {line[:4].upper() for line in heard} & {b"RETR", b"TOP ", b"DELE"}


def test_with_a_scratch_maildrop_and_its_maildir_the_cases_pass(
    server: ServerProcess, tmp_path: Path
) -> None:
    account = Account(server, "scratch", b"Subject: to go\n\n1\n")
    reports = ("--junit", tmp_path / "junit.xml", "--html", tmp_path / "report.html")
    more = (*SOME_CASES, "--scratch-maildrop", "--maildir", account.maildir, *reports)
    ended = examine(*at(server, "stls", account, *more))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "passes: 4." in ended.stdout
    assert account.mail == []
    assert "1939-S-67" in (tmp_path / "report.html").read_text()
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().get("failures") == "0"


def test_an_empty_maildrop_is_empty_afterwards(server: ServerProcess) -> None:
    account = Account(server, "empty")
    ended = examine(
        *at(server, "implicit", account, "--json", *SOME_CASES, "--maildir", account.maildir)
    )
    assert verdicts(ended.stdout) == {
        "1939-S-67": "passes",
        "1939-S-20": "passes",
        "1939-S-107": "not_tried",
    }
    assert account.mail == []


def test_messages_come_in_by_a_command(server: ServerProcess) -> None:
    account = Account(server, "by-command")
    command = " ".join([*RESTANTE, "deliver", "{user}", "--config", str(server.configuration)])
    more = ("--deliver-command", command, "--scratch-maildrop", "--json", *SOME_CASES)
    ended = examine(*at(server, "stls", account, *more))
    found = verdicts(ended.stdout)
    assert found["1939-S-20"] == "passes"
    assert found["1939-S-67"] in ("passes", "not_tried")
    assert account.mail == []


def test_the_maildir_of_somebody_else_is_noticed_and_left_as_it_was(server: ServerProcess) -> None:
    account = Account(server, "mine")
    other = Account(server, "somebody", b"Subject: theirs\n\n1\n")
    ended = examine(*at(server, "stls", account, "--maildir", other.maildir, "--patience", "1"))
    assert ended.returncode == 69
    assert "does not arrive" in ended.stderr
    assert other.mail == [b"Subject: theirs\n\n1\n"]


def test_an_interrupted_run_takes_its_messages_out(server: ServerProcess) -> None:
    account = Account(server, "interrupted")
    words = at(server, "stls", account, "--case", "1939", "--maildir", account.maildir)
    process = subprocess.Popen(
        [*RESTANTE, "examine", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(PASSWORD + "\n")
    process.stdin.close()
    eventually(lambda: len(account.mail) >= 2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert process.stderr is not None
    with process.stderr as stream:
        assert stream.read() == "restante: interrupted\n"
    assert account.mail == []


def test_a_wrong_password_is_said_before_any_case(server: ServerProcess) -> None:
    account = Account(server, "wrong")
    ended = examine(*at(server, "stls", account), stdin="not this one\n")
    assert ended.returncode == 77
    assert ended.stderr.count("\n") == 1
    assert "is refused" in ended.stderr
    assert ended.stdout == ""


def test_a_self_signed_certificate_gets_no_password(server: ServerProcess) -> None:
    account = Account(server, "unsure")
    words = [
        f"{server.host}:{server.ports['implicit']}",
        "--user",
        account.name,
        "--password-stdin",
    ]
    ended = examine(*words)
    assert ended.returncode == 76
    assert "No password was sent" in ended.stderr
    fingerprint = ended.stderr.split("--fingerprint ")[1].split()[0]
    for more in (["--fingerprint", fingerprint], ["--insecure"]):
        assert examine(*words, "--case", "1939-S-20", *more).returncode == 0


def test_progress_is_shown_on_a_terminal_alone(server: ServerProcess) -> None:
    account = Account(server, "watched")
    words = at(server, "stls", account, "--case", "1939-S-20", "--json")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*RESTANTE, "examine", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    out, _ = process.communicate(PASSWORD.encode() + b"\n", timeout=60)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert shown.startswith(b"\r1/1 1939-S-20")
    assert shown.endswith(b"\r\x1b[K")
    assert json.loads(out)["cases"][0]["verdict"] == "passes"


def web(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 \x1b]0;owned\x07\r\n\r\n")


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"+OK \x1b[2J" * 10_000)


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"+")
        time.sleep(0.001)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"+OK\r\n")
    connection.sendall(b"\x16\x03\x03\xff\xff" + os.urandom(70_000))
    until_gone(connection)


def hang_up(connection: socket.socket) -> None:
    connection.close()


@pytest.mark.parametrize(
    "behave", [until_gone, web, flood, drip, garbage, hang_up, saying(b"+OK\r\n")]
)
@pytest.mark.parametrize("tls", ["implicit", "stls", "none"])
def test_a_server_that_is_none_is_told_in_one_line(behave: Behaviour, tls: str) -> None:
    with listening(behave) as port:
        words = [f"127.0.0.1:{port}", "--tls", tls, "--user", "ann", "--password-stdin"]
        ended = examine(*words, "--patience", "1", timeout=30)
    assert ended.returncode in (69, 75, 76)
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.removesuffix("\n").isprintable()
    assert ended.stdout == ""


def lying(connection: socket.socket) -> None:
    """Let everybody in, to messages that are other than they are said to be."""
    connection.sendall(b"+OK\r\n")
    with connection.makefile("rb") as file:
        for line in file:
            word = line.split()[0].upper() if line.split() else b""
            if word in (b"RETR", b"TOP"):
                connection.sendall(b"+OK 120 octets\r\n" + b"\x1b[31mx\r\n" * 200_000 + b".\r\n")
            elif word in (b"LIST", b"UIDL"):
                connection.sendall(b"+OK\r\n1 99999999999999999999\r\n.\r\n")
            elif word == b"STAT":
                connection.sendall(b"+OK 1 18446744073709551616\r\n")
            elif word == b"CAPA":
                connection.sendall(
                    b"+OK\r\n" + b"X\x1b]0;owned\x07 \x00\r\n" * 5000 + b"USER\r\n.\r\n"
                )
            else:
                connection.sendall(b"+OK \x1b[2J " + line)


def test_a_server_that_lies_departs_and_does_no_harm() -> None:
    with listening(lying) as port:
        words = [f"127.0.0.1:{port}", "--tls", "none", "--user", "ann", "--password-stdin"]
        ended = examine(*words, "--patience", "0.3", "--deadline", "60", "--verbose", timeout=200)
    assert ended.returncode == 1
    assert ended.stderr == ""
    assert all(line.isprintable() for line in ended.stdout.splitlines())
    assert PASSWORD not in ended.stdout


@pytest.fixture
def crooked() -> Iterator[CrookedServer]:
    """A server, honest for once, that takes certificates of clients and binds SCRAM to TLS."""
    server = CrookedServer()
    yield server
    server.stop()


CERTIFIED = ("4422-S-06/asked", "8314-S-02/certificate", "2595-S-07/certificate")


def of_ids(crooked: CrookedServer, port: int, *more: str | Path) -> dict[str, str]:
    """Try the cases on certificates at a port, and return the verdicts by name."""
    account = crooked.provide([], password=PASSWORD, scratch=True, turn=0)
    cases = [word for name in (*CERTIFIED, "9266-S-03", "9325-S-10") for word in ("--case", name)]
    place = f"localhost:{crooked.endpoints[port].port}"
    ended = examine(place, "--user", account.name, "--password-stdin", "--json", *more, *cases)
    assert ended.stderr == ""
    found = json.loads(ended.stdout)["cases"]
    return {"/".join(filter(None, (c["id"], c.get("variant")))): c["verdict"] for c in found}


def test_the_account_shows_its_certificate(crooked: CrookedServer) -> None:
    certificate = crooked.certificates.of_client("user1").certificate
    found = of_ids(crooked, 2, "--insecure", "--client-certificate", certificate)
    assert found.pop("2595-S-07/certificate") == "not_tried"
    assert found.pop("9325-S-10/dhe") == "not_applicable"
    assert set(found.values()) == {"passes"}
    assert len(found) > 4


def test_without_a_certificate_its_cases_are_not_tried(crooked: CrookedServer) -> None:
    found = of_ids(crooked, 2, "--insecure")
    assert {found[name] for name in CERTIFIED} == {"not_tried"}


def test_a_port_without_tls_is_not_asked_for_it(crooked: CrookedServer) -> None:
    found = of_ids(crooked, 3, "--tls", "none")
    assert found.pop("8314-S-02/certificate") == "not_tried"
    assert set(found.values()) == {"not_applicable"}


def test_a_server_that_hangs_after_the_login_is_given_up() -> None:
    logins = 0

    def behave(connection: socket.socket) -> None:
        nonlocal logins
        connection.sendall(b"+OK\r\n")
        with connection.makefile("rb") as file:
            for line in file:
                word = line.split()[0].upper()
                logins += word == b"PASS"
                if word == b"CAPA":
                    connection.sendall(b"+OK\r\nUSER\r\n.\r\n")
                elif word in (b"LIST", b"STAT") and logins == 1:
                    connection.sendall(b"+OK 0 0\r\n" if word == b"STAT" else b"+OK\r\n.\r\n")
                elif word in (b"USER", b"PASS", b"QUIT") and logins < 2:
                    connection.sendall(b"+OK\r\n")

    with listening(behave) as port:
        words = [f"127.0.0.1:{port}", "--tls", "none", "--user", "ann", "--password-stdin"]
        ended = examine(*words, "--patience", "0.3", "--deadline", "8", timeout=60)
    assert ended.returncode in (1, 75)
    assert ended.stderr == ""
