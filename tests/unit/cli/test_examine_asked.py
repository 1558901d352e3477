"""What `restante examine` takes, and what it says of what it does not take."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from restante.cli.examine_asked import Asked, place
from restante.cli.failures import DATA, NO_INPUT, CommandFailed
from restante.examine.doors import CommandDoor, LmtpDoor, SmtpDoor
from restante.examine.suite import CASES
from restante.examine.target import Account, ClientCertificate, Tls
from restante.examine.trust import ANYBODY, PinnedTrust, VerifiedTrust
from unit.cli.conftest import Command


def asked(**changes: object) -> Asked:
    values: dict[str, object] = {
        "host": "pop.example.org",
        "user": "ann",
        "tls": None,
        "password_stdin": True,
        "second_user": None,
        "oauth_token_file": None,
        "client_certificate": None,
        "client_key": None,
        "ca": None,
        "fingerprint": None,
        "insecure": False,
        "scratch": False,
        "read_mail": False,
        "maildir": None,
        "deliver_command": None,
        "lmtp": None,
        "smtp": None,
        "recipient": None,
        "case": (),
        "listed": False,
        "timing": False,
        "slow": False,
        "patience": 20.0,
        "deadline": 3600.0,
        "as_json": False,
        "junit": None,
        "html": None,
        "verbose": False,
    }
    return Asked(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("pop.example.org", "pop.example.org", 995),
        ("pop.example.org:110", "pop.example.org", 110),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("[2001:db8::1]", "2001:db8::1", 995),
        ("[::1]:65535", "::1", 65535),
        ("pop.example.org.", "pop.example.org.", 995),
        ("postfächer.example", "xn--postfcher-z2a.example", 995),
    ],
)
def test_a_place_is_a_host_and_perhaps_a_port(text: str, host: str, port: int) -> None:
    assert place(text, 995) == (host, port)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no host"),
        (":995", "names no host"),
        ("::1", "in brackets"),
        ("2001:db8::1:995", "in brackets"),
        ("[::1", "no HOST"),
        ("[::1]995", "no HOST"),
        ("[pop.example.org]:995", "no IPv6 address"),
        ("pop.example.org:", "no port"),
        ("pop.example.org:0", "no port"),
        ("pop.example.org:65536", "no port"),
        ("pop.example.org:+1", "no port"),
        ("pop.example.org:１", "no port"),
        ("pop.example.org:pop3s", "no port"),
        ("ann@pop.example.org", "--user"),
        ("pop3s://pop.example.org", "URL"),
        ("pop.example.org/x", "names no host"),
        ("pop example", "names no host"),
        ("-x.example", "names no host"),
        ("a..b", "names no host"),
        ("x" * 64, "names no host"),
        (".".join(["x" * 60] * 5), "names no host"),
        ("\x1b[31m", "no HOST|names no host"),
        ("ä" * 70, "names no host"),
        ("\udcff", "names no host"),
    ],
)
def test_what_is_no_place_is_told_in_a_printable_line(text: str, told: str) -> None:
    with pytest.raises(click.UsageError, match=told) as caught:
        place(text, 995)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("host", "tls", "found"),
    [
        ("h", None, ("h", 995, Tls.IMPLICIT)),
        ("h:110", None, ("h", 110, Tls.STLS)),
        ("h:1234", None, ("h", 1234, Tls.IMPLICIT)),
        ("h", "stls", ("h", 110, Tls.STLS)),
        ("h", "none", ("h", 110, Tls.NONE)),
        ("h:110", "implicit", ("h", 110, Tls.IMPLICIT)),
    ],
)
def test_port_and_tls_imply_each_other(
    host: str, tls: str | None, found: tuple[str, int, Tls]
) -> None:
    assert asked(host=host, tls=tls).place() == found


def test_trust_is_in_who_is_verified_unless_said_otherwise() -> None:
    assert isinstance(asked().trust(Tls.IMPLICIT), VerifiedTrust)
    assert isinstance(asked().trust(Tls.STLS), VerifiedTrust)
    assert asked().trust(Tls.NONE) is ANYBODY
    assert isinstance(asked(fingerprint="0" * 64).trust(Tls.NONE), PinnedTrust)
    assert asked(insecure=True).trust(Tls.STLS) is ANYBODY
    colons = ":".join(["AB"] * 32)
    assert isinstance(asked(fingerprint=colons).trust(Tls.STLS), PinnedTrust)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ca": Path("/x"), "insecure": True}, "exclude each other"),
        ({"fingerprint": "abc"}, "64 digits"),
        ({"ca": Path("/no/such/file")}, "No such file"),
        ({"ca": Path("/dev/null")}, "no certificate"),
    ],
)
def test_trust_that_cannot_be_had(changes: dict[str, object], told: str) -> None:
    with pytest.raises(click.UsageError, match=told):
        asked(**changes).trust(Tls.IMPLICIT)


def test_a_door_is_what_was_named() -> None:
    assert asked().door() is None
    assert isinstance(asked(deliver_command="cat").door(), CommandDoor)
    assert isinstance(asked(lmtp="unix:/run/lmtp").door(), LmtpDoor)
    assert isinstance(asked(lmtp="[::1]:24").door(), LmtpDoor)
    assert isinstance(asked(smtp="mx.example.org").door(), SmtpDoor)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"lmtp": "x", "smtp": "y"}, "one way"),
        ({"lmtp": "unix:"}, "no socket"),
        ({"lmtp": "unix:/" + "x" * 200}, "no socket"),
        ({"smtp": "unix:/run/smtp"}, "port|host"),
        ({"smtp": "x", "recipient": "a b"}, "no recipient"),
        ({"lmtp": "x", "user": "a>\r\nRCPT"}, "no recipient"),
        ({"deliver_command": "'"}, "--deliver-command"),
        ({"deliver_command": " "}, "empty"),
    ],
)
def test_a_door_that_is_none(changes: dict[str, object], told: str) -> None:
    with pytest.raises(click.UsageError, match=told):
        asked(**changes).door()


def test_cases_are_chosen_by_id_and_by_its_beginning() -> None:
    assert asked().cases() == CASES
    chosen = asked(case=("1939-S-22/stat-x", "3206")).cases()
    assert {case.id.split("-")[0] for case in chosen} >= {"1939", "3206"}
    assert len([case for case in chosen if case.id == "1939-S-22"]) == 1
    with pytest.raises(click.UsageError, match="no case is called"):
        asked(case=("1939-S-2",)).cases()


@pytest.mark.parametrize("name", ["", "a\r\nDELE 1", "a\0", "\x1b[31m", "\udcff"])
def test_a_name_is_one_that_can_be_sent(name: str) -> None:
    with pytest.raises(click.UsageError, match="cannot be sent"):
        asked(user=name).names()
    with pytest.raises(click.UsageError, match="cannot be sent"):
        asked(second_user=name).names()


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "told"),
    [
        ((), b"", 64, "HOST is missing"),
        (("localhost",), b"", 64, "--user is missing"),
        (("localhost", "--user", "a", "--second-user", "a"), b"", 64, "another account"),
        (("localhost", "--user", "a"), b"", 64, "--password-stdin"),
        (("localhost", "--user", "a", "--password-stdin"), b"", 65, "no password"),
        (("localhost", "--user", "a", "--password-stdin"), b"\n", 65, "no password"),
        (("localhost", "--user", "a", "--password-stdin"), b"\xff\n", 65, "UTF-8"),
        (("localhost", "--user", "a", "--password-stdin"), b"a\rb\n", 65, "in a line"),
        (("localhost", "--user", "a", "--password-stdin"), b"x" * 99_999, 65, "too long"),
        (
            ("localhost", "--user", "a", "--password-stdin", "--second-user", "b"),
            b"one\n",
            65,
            "'b'",
        ),
        (("localhost", "--user", "a", "--tls", "ssl"), b"", 64, "--tls"),
        (("localhost", "--user", "a", "--patience", "0"), b"", 64, "--patience"),
        (("localhost", "--user", "a", "--patience", "nan"), b"", 64, "--patience"),
        (("localhost", "--user", "a", "--case", "x"), b"", 64, "no case"),
        (("localhost", "--user", "a", "--maildir", "/no/such"), b"", 66, "/no/such"),
        (("localhost", "--user", "a", "--junit", "/no/such/file"), b"", 73, "/no/such/file"),
        (("localhost", "--user", "a", "--html", "/"), b"", 64, "--html"),
        (("no-such-host.invalid", "--user", "a", "--password-stdin"), b"x\n", 68, "no such host"),
    ],
)
def test_bad_input_is_one_line_and_a_status(
    command: Command, arguments: tuple[str, ...], stdin: bytes, status: int, told: str
) -> None:
    outcome = command("examine", *arguments, stdin=stdin)
    assert told in outcome.err
    assert outcome.status == status
    assert outcome.err.count("\n") == 1
    assert outcome.data == b""


def test_the_list_needs_no_server(command: Command) -> None:
    outcome = command("examine", "--list", "--case", "3206")
    assert outcome.status == 0
    assert "3206-S-03" in outcome.out
    assert len(outcome.out.splitlines()) == len(asked(case=("3206",)).cases())
    assert '"id": "3206-S-03"' in command("examine", "--list", "--json").out


def test_a_report_that_is_not_written_leaves_nothing(command: Command, tmp_path: Path) -> None:
    old = tmp_path / "old.xml"
    old.write_text("from before")
    outcome = command(
        "examine",
        "localhost:1",
        "--user",
        "a",
        "--password-stdin",
        "--junit",
        old,
        "--html",
        tmp_path / "new.html",
        stdin=b"x\n",
    )
    assert outcome.status == 69
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_text() == "from before"


def test_no_report_is_written_over_another(tmp_path: Path) -> None:
    asked(junit=tmp_path / "one", html=tmp_path / "two").check_files()
    with pytest.raises(click.UsageError, match="the same file"):
        asked(junit=tmp_path / "one", html=tmp_path / "." / "one").check_files()


@pytest.mark.parametrize(
    "option", ["ca", "client_certificate", "client_key", "oauth_token_file"], ids=str
)
@pytest.mark.parametrize("report", ["junit", "html"])
def test_no_report_is_written_over_what_is_read(tmp_path: Path, option: str, report: str) -> None:
    one = tmp_path / "one"
    with pytest.raises(click.UsageError, match="the same file"):
        asked(**{option: one, report: tmp_path / "." / "one"}).check_files()
    asked(client_certificate=one, client_key=one, junit=tmp_path / "two").check_files()


def test_a_token_comes_out_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert asked().token() is None
    for written in ("eyJh.e30.c2ln-_~+/==", " eyJh.e30.c2ln-_~+/==\r\n"):
        file.write_text(written)
        assert asked(oauth_token_file=file).token() == "eyJh.e30.c2ln-_~+/=="


@pytest.mark.parametrize("written", ["", "\n", "two words", "a\nb", "caf\u00e9", "x" * 8193, "=x"])
def test_what_is_no_token_is_not_sent_for_one(tmp_path: Path, written: str) -> None:
    file = tmp_path / "token"
    file.write_text(written)
    with pytest.raises(CommandFailed, match="no bearer token") as failure:
        asked(oauth_token_file=file).token()
    assert not written.strip() or written.strip() not in str(failure.value)


def test_a_token_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="oauth-token-file") as failure:
        asked(oauth_token_file=tmp_path / "nowhere").token()
    assert failure.value.status == NO_INPUT


def test_a_certificate_comes_out_of_one_file_or_two(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert(common_name="alice")
    both, alone, key = (tmp_path / name for name in ("both.pem", "alone.pem", "key.pem"))
    issued.private_key_and_cert_chain_pem.write_to_path(str(both))
    issued.cert_chain_pems[0].write_to_path(str(alone))
    issued.private_key_pem.write_to_path(str(key))
    assert asked().certificate() is None
    assert asked(client_certificate=both).certificate() == ClientCertificate(both)
    found = asked(client_certificate=alone, client_key=key).certificate()
    assert found == ClientCertificate(alone, key)
    with pytest.raises(CommandFailed, match="client-certificate") as failure:
        asked(client_certificate=alone).certificate()
    assert failure.value.status == DATA
    with pytest.raises(click.UsageError, match="client-key"):
        asked(client_key=key).certificate()


@pytest.mark.parametrize("option", ["client_certificate", "client_key"])
def test_a_certificate_that_is_not_there_is_told(tmp_path: Path, option: str) -> None:
    there = tmp_path / "there.pem"
    there.touch()
    files = {"client_certificate": there, "client_key": there, option: tmp_path / "nowhere"}
    with pytest.raises(CommandFailed, match=option.replace("_", "-")) as failure:
        asked(**files).certificate()
    assert failure.value.status == NO_INPUT


def test_nobody_is_asked_for_a_passphrase(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
    file = tmp_path / "locked.pem"
    issued = trustme.CA().issue_cert(common_name="alice")
    file.write_bytes(key + issued.cert_chain_pems[0].bytes())
    with pytest.raises(CommandFailed, match="passphrase"):
        asked(client_certificate=file).certificate()


def test_no_secret_is_in_the_words_for_an_account() -> None:
    assert "hush" not in repr(Account("ann", "hush", "hush-token"))
