"""No report tells a password, whatever a server does with what it was sent."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import StringIO

import pytest

from restante.examine.case import Case, Finding, Level, Start, Step
from restante.examine.dialogue import Ask, HearLine, Logic
from restante.examine.examination import Examination, Server
from restante.examine.first_look import look_at
from restante.examine.judge import Judge
from restante.examine.reports.as_json import as_json
from restante.examine.reports.html import as_html
from restante.examine.reports.junit import as_junit
from restante.examine.reports.text import write_case, write_summary
from restante.examine.stage import Stage
from restante.examine.target import Account, ClientCertificate, Endpoint, Target, Tls
from restante.examine.words import plain

NAME = "alice"
PASSWORDS = ("Tr0ub4dor&3-horse", "p\xe4ss w\xf6rd <tag>", "hunter2!")

ECHOES: dict[str, Callable[[bytes], bytes]] = {
    "as-it-is": lambda line: b"-ERR what is " + line,
    "in-capitals": lambda line: b"-ERR WHAT IS " + line.upper(),
    "cut": lambda line: b"-ERR what is " + line[: max(6, len(line) - 5)],
    "quoted": lambda line: b"-ERR what is " + repr(line).encode(),
    "as-hexadecimal": lambda line: b"-ERR what is " + line.hex().encode(),
    "as-base64": lambda line: b"-ERR what is " + base64.b64encode(line),
    "decoded": lambda line: b"-ERR what is " + decoded(line),
    "far-behind": lambda line: b"-ERR " + b"x" * 95 + line,
    "at-the-cut": lambda line: b"-ERR " + b"x" * 4_083 + line,
    "as-no-reply": lambda line: line * 3,
}


def decoded(line: bytes) -> bytes:
    """Take the last word for base64 where it is."""
    with contextlib.suppress(ValueError):
        return base64.b64decode(line.split(b" ")[-1], validate=True)
    return line


class Echo:
    """A server on a port of its own that gives back what it is sent."""

    def __init__(self, form: Callable[[bytes], bytes]) -> None:
        self._form = form
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._heard = [b"nothing"]
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            # The greeting of a later connection tells what an earlier one said.
            connection.sendall(b"+OK " + self._heard[-1] + b"\r\n")
            for line in connection.makefile("rb"):
                said = line.rstrip(b"\r\n")
                if said.startswith((b"USER", b"AUTH\r\n")):
                    connection.sendall(b"+OK\r\n")
                    continue
                self._heard.append(said)
                connection.sendall(self._form(said).replace(b"\0", b"\\0") + b"\r\n")


class One:
    """One account for every case."""

    altered = ""

    def __init__(self, password: str) -> None:
        self._password = password

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        return Account(NAME, self._password)

    def deposit(self, account: Account, octets: bytes) -> None:
        raise AssertionError

    def certificate(self, account: Account) -> ClientCertificate:
        raise AssertionError


def careless(stage: Stage) -> None:
    """Send a password without a word that stands for it."""
    assert stage.account is not None
    octets = b"PASS " + stage.account.password.encode() + b"\r\n"
    stage.wire.send(octets)
    reply = stage.wire.line()
    raise ValueError(reply.decode("latin-1"))


def cases() -> Iterator[Case]:
    steps: dict[str, tuple[Step, ...]] = {
        "pass": (Ask("USER {user}"), Ask("PASS {password}")),
        "pass-line": (Logic(lambda stage: stage.send(b"PASS {password}\r\n")), HearLine(b"+OK")),
        "plain": (Ask("AUTH PLAIN {plain}"),),
        "plain-later": (Ask("{plain}"),),
        "wrapped": (Logic(lambda stage: wrapped(stage)),),
        "careless": (Logic(careless),),
    }
    for variant, chosen in steps.items():
        yield Case(
            id="1939-S-1",
            title="Made up",
            source="RFC 1939 §4",
            level=Level.MUST,
            variant=variant,
            start=Start.GREETED,
            steps=chosen,
        )


def wrapped(stage: Stage) -> None:
    """Send the password inside a message of SASL."""
    reply = stage.ask_sasl(b"other\0{user}\0{password}")
    raise ValueError(f"{reply.line!a} and {list(reply.line.split(' '))!a}")


def reports(findings: tuple[Finding, ...]) -> dict[str, str]:
    server = Server("127.0.0.1", 110, Tls.NONE, "+OK", "", None)
    examination = Examination(server, {}, findings, 1.0, "2026-11-24T20:12:18+00:00")
    out = StringIO()
    for finding in findings:
        write_case(finding, out, verbose=True)
    write_summary(examination, out)
    return {
        "text": out.getvalue().replace("\n" + " " * 9, ""),
        "json": json.dumps(as_json(examination), ensure_ascii=False),
        "junit": as_junit(examination),
        "html": as_html(examination),
    }


def traces(password: str) -> set[str]:
    """Return what must not be read: the password, its forms, and pieces of them."""
    octets = password.encode()
    forms = {password, repr(octets)[2:-1], ascii(octets.decode("latin-1"))[1:-1], octets.hex()}
    pieces = {form[:8] for form in forms}
    for around in (b"", b"\0", b"\0\0", f"\0{NAME}\0".encode(), f"other\0{NAME}\0".encode()):
        encoded = base64.b64encode(around + octets).decode()
        # What stands before the password is a name and no secret.
        begins = (len(around) * 8 + 5) // 6
        forms |= {encoded, encoded[-9:]}
        pieces.add(encoded[begins : begins + 8])
    return {plain(NAME, password).decode()} | forms | pieces


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("form", ECHOES.values(), ids=ECHOES)
def test_no_report_tells_the_password(form: Callable[[bytes], bytes], password: str) -> None:
    server = Echo(form)
    endpoint = Endpoint("127.0.0.1", server.port, Tls.NONE, cleartext=True)
    judge = Judge(Target((endpoint,), One(password), 2.0))
    began = time.monotonic()
    findings = tuple(judge.try_case(case) for case in cases())
    server.stop()
    assert time.monotonic() - began < 20
    assert any("{secret}" in str(finding.dialogue) for finding in findings)
    for kind, report in reports(findings).items():
        lowered = report.lower()
        told = [trace for trace in traces(password) if trace.lower() in lowered]
        assert told == [], kind


def test_a_password_that_a_case_names_itself_is_no_secret() -> None:
    server = Echo(ECHOES["as-it-is"])
    endpoint = Endpoint("127.0.0.1", server.port, Tls.NONE, cleartext=True)
    case = replace(next(cases()), password="pass with space")
    finding = Judge(Target((endpoint,), One("pass with space"), 2.0)).try_case(case)
    server.stop()
    assert "pass with space" in finding.why


class Gossip(Echo):
    """A server that announces in CAPA what it was told."""

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            connection.sendall(b"+OK ready\r\n")
            for line in connection.makefile("rb"):
                said = line.rstrip(b"\r\n")
                self._heard.append(said)
                known = b" ".join(self._heard)
                replies = {
                    b"CAPA": b"+OK\r\nUSER\r\nX-HEARD " + known + b"\r\n" + known + b"\r\n.\r\n",
                    b"STAT": b"+OK 0 0\r\n",
                    b"LIST": b"+OK\r\n.\r\n",
                }
                connection.sendall(replies.get(said, b"+OK\r\n"))


def test_what_a_server_announces_after_the_login_has_no_password_in_it() -> None:
    server = Gossip(bytes)
    endpoint = Endpoint("127.0.0.1", server.port, Tls.NONE, cleartext=True)
    look = look_at(Target((endpoint,), One("hunter2!"), 2.0), Account(NAME, "hunter2!"))
    server.stop()
    assert "{secret}" in str(look.capabilities["transaction"])
    assert "hunter2" not in str(look.capabilities)
