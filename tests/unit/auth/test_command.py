"""An external command as a source: what its ends mean, and what its environment says."""

import json
from pathlib import Path

import pytest

from restante.auth.asking import Answer
from restante.auth.command import Command
from restante.auth.options import CommandOptions
from restante.auth.sources import Account
from restante.errors import TemporaryFailure
from restante.secret import Secret
from unit.auth.programs import program
from unit.auth.scene import run

EXECUTES = "import os, sys\nos.execve(sys.argv[1], sys.argv[1:], {})\n"


def asked(
    path: Path, name: str = "bob", password: bytes = b"secret", *, maildir: str = ""
) -> Account | Answer:
    async def story() -> Account | Answer:
        command = Command(CommandOptions(program=path, maildir=maildir))
        try:
            return await command.verify(name, Secret(password))
        finally:
            await command.close()

    return run(story())


@pytest.mark.parametrize(("status", "answer"), [(1, Answer.NO), (3, Answer.NOT_MINE)])
def test_ends_that_answer(tmp_path: Path, status: int, answer: Answer) -> None:
    assert asked(program(tmp_path, f"raise SystemExit({status})")) is answer


@pytest.mark.parametrize(
    "ending",
    [
        *(f"raise SystemExit({status})" for status in (111, 2, 100, 127, 255)),
        "import os; os.kill(os.getpid(), 11)",
        "pass",
        "import sys; sys.stdout.write('HOME=/\\0RESTANTE_MARK=\\0')",
    ],
)
def test_every_other_end_says_nothing(tmp_path: Path, ending: str) -> None:
    """Above all, an end with 0 that has run nothing lets nobody in."""
    with pytest.raises(TemporaryFailure):
        asked(program(tmp_path, ending))


def test_a_program_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(TemporaryFailure):
        asked(tmp_path / "nowhere")


def with_environment(directory: Path, **values: str) -> Path:
    return program(directory, EXECUTES.replace("{}", repr(values)))


@pytest.mark.parametrize(
    ("environment", "maildir", "mailbox"),
    [
        ({}, "", None),
        ({}, "Maildir", None),
        ({"HOME": "/home/bob"}, "", None),
        ({"HOME": "/home/bob"}, "Maildir", "/home/bob/Maildir"),
        ({"HOME": "/home/bob", "MAILDIR": "./Mail"}, "Maildir", "/home/bob/./Mail"),
        ({"HOME": "/home/bob", "MAILDIR": "/mail/bob"}, "Maildir", "/mail/bob"),
        ({"MAILDIR": "/mail/b\u00f6b"}, "", "/mail/b\u00f6b"),
    ],
)
def test_the_environment_says_where_the_mail_lies(
    tmp_path: Path, environment: dict[str, str], maildir: str, mailbox: str | None
) -> None:
    account = asked(with_environment(tmp_path, **environment), maildir=maildir)
    assert isinstance(account, Account)
    assert (account.name, account.mailbox) == ("bob", mailbox)


@pytest.mark.parametrize(
    "environment",
    [
        {"MAILDIR": "Mail"},
        {"HOME": "home", "MAILDIR": "Mail"},
        {"MAILDIR": "/mail/../etc"},
        {"MAILDIR": "/mail/bob\nalice"},
        {"HOME": "/home/..", "MAILDIR": "Mail"},
    ],
)
def test_what_is_no_path_says_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(TemporaryFailure):
        asked(with_environment(tmp_path, **environment))


def test_what_does_not_fit_is_refused_without_running_anything(tmp_path: Path) -> None:
    for password in (b"sec\0ret", b"\0", b"x" * 513, b"x" * 507):
        assert asked(tmp_path / "nowhere", "bob", password) is Answer.NO
    with pytest.raises(TemporaryFailure):
        asked(tmp_path / "nowhere", "bob", b"x" * 506)


def test_names_go_as_they_are(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    path = program(
        tmp_path,
        f"import json, os, sys\n"
        f"given = os.fdopen(3, 'rb').read().decode()\n"
        f"json.dump([given, sys.argv[1:2]], open({str(seen)!r}, 'w'))\n"
        f"raise SystemExit(1)\n",
    )
    for name in ("$(id)", "--help", "`id`", "b\u00f6b@example.org", "a b;c"):
        assert asked(path, name) is Answer.NO
        given, arguments = json.loads(seen.read_text())
        assert given == f"{name}\0secret\0\0"
        assert arguments[0].endswith("/env")
