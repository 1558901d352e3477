"""Trials of logins: what comes of them, why, and that nothing is left of them."""

import json
import ssl
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from unit.auth.test_certificates import certificate
from unit.cli.conftest import Command, Outcome

MECHANISMS = ("PLAIN", "USER", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")


@pytest.fixture
def bob(command: Command, configuration: Path) -> None:
    """An account, and one that is disabled."""
    for name in ("bob", "gone"):
        added = command(
            *("account", "add", name, "--password-stdin", "--config", configuration),
            stdin="grüße".encode(),
        )
        assert added.err == ""
    assert command("account", "disable", "gone", "--config", configuration).status == 0


def tried(
    command: Command, configuration: Path, name: str, password: str = "grüße", *more: str | Path
) -> tuple[int, dict[str, Any]]:
    outcome = command(
        *("auth", "test", name, "--password-stdin", "--json", "--config", configuration, *more),
        stdin=password.encode(),
    )
    assert outcome.err == ""
    return outcome.status, json.loads(outcome.out)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_login_that_would_be_let_in(
    command: Command, configuration: Path, bob: None, mechanism: str
) -> None:
    status, found = tried(command, configuration, "Bob", "grüße", "--mechanism", mechanism)
    assert status == 0
    assert found == {
        "admitted": True,
        "name": "bob",
        "mechanism": mechanism,
        "verifiable": True,
        "reason": None,
        "source": "accounts",
        "account": "bob",
        "mailbox": None,
        "disabled": False,
        "kept": ["ARGON2ID", "SCRAM-SHA-256"],
        "device": "",
        "read_only": False,
        "notes": [],
    }


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_login_that_would_not(
    command: Command, configuration: Path, bob: None, mechanism: str
) -> None:
    for name, password, reason in (
        ("bob", "wrong", "password"),
        ("nobody", "grüße", "unknown"),
        ("gone", "grüße", "disabled"),
        ("../bob", "grüße", "unknown"),
    ):
        status, found = tried(command, configuration, name, password, "--mechanism", mechanism)
        assert (status, found["reason"], found["admitted"]) == (1, reason, False)
    assert found["name"] is None


def in_words(command: Command, configuration: Path, name: str, *more: str) -> Outcome:
    return command(
        *("auth", "test", name, "--password-stdin", "--config", configuration, *more),
        stdin="grüße".encode(),
    )


def test_it_is_said_in_words(command: Command, configuration: Path, bob: None) -> None:
    right = in_words(command, configuration, "bob")
    assert right.status == 0
    assert right.out.splitlines() == [
        "answer      let in",
        "why         the proof is that of the account",
        "mechanism   PLAIN",
        "name        bob",
        "source      accounts",
        "kept        ARGON2ID, SCRAM-SHA-256",
    ]
    assert "source      accounts, disabled" in in_words(command, configuration, "gone").out
    unknown = in_words(command, configuration, "nobody")
    assert (unknown.status, unknown.err) == (1, "")
    assert "why         no source knows this name" in unknown.out
    assert "name        (nobody can have this name)" in in_words(command, configuration, "a b").out
    other = in_words(command, configuration, "bob", "--mechanism", "scram-sha-1")
    assert "why         no source serves this mechanism" in other.out


def test_a_device_is_named(command: Command, configuration: Path, bob: None) -> None:
    device = ("device", "add", "bob", "phone", "--json", "--config", configuration)
    made = json.loads(command(*device, "--network", "192.0.2.0/24").out)
    status, found = tried(command, configuration, "bob", made["password"], "--address", "192.0.2.7")
    assert (status, found["device"], found["reason"]) == (0, "phone", None)
    status, found = tried(command, configuration, "bob", made["password"])
    assert status == 1
    assert found["reason"].startswith("device network")
    digest = ("device", "add", "bob", "old", "--json", "--mechanism", "apop")
    made = json.loads(command(*digest, "--config", configuration).out)
    status, found = tried(command, configuration, "bob", made["password"], "--mechanism", "APOP")
    assert (status, found["device"]) == (0, "old")
    status, found = tried(command, configuration, "bob", "grüße", "--mechanism", "APOP")
    assert (status, found["reason"]) == (1, "digest")
    shown = command("device", "list", "bob", "--json", "--config", configuration).out
    assert [each["last_use"] for each in json.loads(shown)] == [None, None]


def test_entries_of_a_passwd_file(command: Command, configuration: Path) -> None:
    passwords = configuration.with_name("passwd")
    passwords.write_text("plain:{PLAIN}grüße\nodd:{kanarienvogel}\n", encoding="utf-8")
    with configuration.open("a") as lines:
        lines.write(
            f"[[auth.source]]\ntype = 'passwd-file'\npath = '{passwords}'\n"
            "verifies = ['CRAM-MD5', 'SCRAM-SHA-1']\n"
        )
    for mechanism in ("PLAIN", "CRAM-MD5", "SCRAM-SHA-1"):
        status, found = tried(command, configuration, "plain", "grüße", "--mechanism", mechanism)
        assert (status, found["source"], found["kept"]) == (0, "passwd-file", ["PLAIN"])
    status, found = tried(command, configuration, "odd", "x")
    assert (status, found["reason"], found["kept"]) == (1, "password", ["unreadable"])
    assert found["notes"] == ["a password of this scheme cannot be compared with"]
    status, found = tried(command, configuration, "plain", "grüße", "--mechanism", "SCRAM-SHA-256")
    assert (status, found["reason"], found["verifiable"]) == (1, "no verifier", False)


def test_a_certificate(command: Command, configuration: Path, tmp_path: Path) -> None:
    der = certificate("bob@example.org")
    shown = tmp_path / "client.pem"
    shown.write_text(ssl.DER_cert_to_PEM_cert(der))
    listed = tmp_path / "fingerprints"
    listed.write_text(f"{sha256(der).hexdigest()} bob\n")
    with configuration.open("a") as lines:
        lines.write(f"[[auth.source]]\ntype = 'certificate'\npath = '{listed}'\n")
    by = ("--mechanism", "EXTERNAL", "--certificate", shown)
    status, found = tried(command, configuration, "bob", "", *by)
    assert (status, found["source"]) == (0, "certificate")
    status, found = tried(command, configuration, "alice", "", *by)
    assert (status, found["reason"]) == (1, "authorization")
    shown.write_text("no certificate")
    for wrong in (by, by[:2], ("--certificate", shown)):
        outcome = command("auth", "test", "bob", "--config", configuration, *wrong)
        assert outcome.status == 64


def test_a_source_that_cannot_say(command: Command, configuration: Path, bob: None) -> None:
    database = configuration.parent / "state" / "auth" / "accounts.sqlite"
    database.write_bytes(b"this is no database" * 100)
    outcome = in_words(command, configuration, "bob")
    assert outcome.status == 75
    assert "file is not a database" in outcome.err


def test_nothing_is_left_of_it(command: Command, configuration: Path, bob: None) -> None:
    state = configuration.parent / "state"
    before = {path: path.stat().st_mtime_ns for path in state.rglob("*")}
    for name in ("bob", "nobody"):
        for mechanism in MECHANISMS:
            tried(command, configuration, name, "kanarienvogel", "--mechanism", mechanism)
    assert {path: path.stat().st_mtime_ns for path in state.rglob("*")} == before


def test_it_is_asked_for_once(
    command: Command, configuration: Path, bob: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = command("auth", "test", "bob", "--config", configuration)
    assert (outcome.status, "use --password-stdin" in outcome.err) == (64, True)
