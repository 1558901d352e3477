"""A passwd-file as Dovecot reads it: its lines, its accidents, and a file that changes."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.auth.hashes import verify
from restante.auth.passwd_file import (
    ACCOUNTS_KEPT,
    COARSE_GRAIN_SECONDS,
    GRAIN_SECONDS,
    SETTLED_SECONDS,
    PasswdFile,
)
from restante.auth.sources import Account
from restante.errors import TemporaryFailure
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import PATIENCE_SECONDS

from conftest import require

LATER = 3_600.0


class Scene:
    """A file, and who reads it at a time of the test's choosing after its last change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = RecordingLog()
        self.later = LATER
        self.file = PasswdFile(path, "", self.log, lambda: time.time() + self.later)

    def write(self, text: str | bytes) -> None:
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        self.path.write_bytes(data)

    def known(self, name: str = "bob") -> Account:
        account = self.file.look_up(name)
        assert account is not None
        return account

    def password(self, name: str = "bob") -> str:
        return self.known(name).stored_password


def stored(account: Account | None) -> str | None:
    return None if account is None else account.stored_password


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "passwd")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can look into, as those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="restante-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


# ---- lines


def test_every_field(scene: Scene) -> None:
    scene.write(
        "bob:{PLAIN}pw:1000:1000:Bob, Builder:/home/bob:/bin/sh:userdb_mail=maildir:~/Mail x=y\n"
    )
    account = scene.known()
    assert account == Account(
        "bob", "{PLAIN}pw", "passwd-file", account.version, False, "/home/bob/Mail"
    )


@pytest.mark.parametrize("line", ["bob:{PLAIN}pw", "bob:{PLAIN}pw:", "bob:{PLAIN}pw:::::::"])
def test_fields_may_be_left_out(scene: Scene, line: str) -> None:
    scene.write(line + "\n")
    assert (scene.known().mailbox, scene.known().disabled) == (None, False)


@pytest.mark.parametrize(
    ("fields", "mailbox"),
    [
        ("::::/home/bob::", None),
        ("::::/home/bob::userdb_mail=maildir:~/Maildir", "/home/bob/Maildir"),
        ("::::/home/bob::userdb_mail=maildir:~", "/home/bob"),
        ("::::/home/bob::userdb_mail=maildir:/var/mail/b", "/var/mail/b"),
        ("::::/home/bob::userdb_mail=maildir:/var/mail/b:LAYOUT=fs:INDEX=/i", "/var/mail/b"),
        ("::::/home/bob::userdb_mail=maildir:~/M userdb_home=/srv/b", "/srv/b/M"),
        ("::::::userdb_home=/srv/b\tuserdb_mail=maildir:~/M", "/srv/b/M"),
        ("::::::userdb_mail=maildir:~/M", None),
        ("::::/home/bob::userdb_mail=maildir:", None),
        ("::::/home/bob::userdb_mail=mbox:~/mail", None),
        ("::::/home/bob::userdb_mail", None),
        ("::::::userdb_mail=maildir:/mail/%d/%n", "/mail/example.org/bob"),
        ("::::::userdb_mail=maildir:/mail/%u/100%%", "/mail/bob@example.org/100%"),
    ],
)
def test_where_the_mail_lies(scene: Scene, fields: str, mailbox: str | None) -> None:
    scene.write(f"bob@example.org:{{PLAIN}}pw{fields}\n")
    account = scene.known("bob@example.org")
    assert (account.mailbox, account.disabled) == (mailbox, False)


@pytest.mark.parametrize(
    "fields",
    [
        "nologin",
        "nologin=y",
        "nopassword",
        "nopassword=y",
        "allow_nets=192.0.2.0/24",
        "userdb_x=1 allow_nets=",
        "proxy=y host=192.0.2.1",
        "proxy_maybe",
        "userdb_mail=maildir:/mail/%{user}",
        "userdb_mail=maildir:/mail/%Ld",
        "userdb_mail=maildir:/mail/%",
        "userdb_mail=maildir:Maildir",
    ],
)
def test_what_cannot_be_honoured_lets_nobody_in(scene: Scene, fields: str) -> None:
    """Else who is kept out would get in, or many would share one folder."""
    scene.write(f"bob:{{PLAIN}}pw::::/home/bob::{fields}\n")
    account = scene.known()
    assert account.disabled
    assert account.stored_password == "{PLAIN}pw"
    scene.known()
    assert len(scene.log.named(Event.WARNING)) == (0 if "nologin" in fields else 1)


def test_an_account_without_a_password_is_disabled(scene: Scene) -> None:
    scene.write("bob::1000:1000\n")
    assert scene.known().disabled


def test_comments_and_lines_that_are_none(scene: Scene) -> None:
    scene.write(
        "# people\n\n#eve:{PLAIN}pw\n:{PLAIN}pw\nno colon\n/etc:{PLAIN}pw\n..:{PLAIN}pw\n"
        "a b:{PLAIN}pw\n   \nbob:{PLAIN}pw\n"
    )
    scene.known()
    for name in ("#eve", "eve", "", "no colon", "/etc", "..", "a b"):
        assert scene.file.look_up(name) is None


def test_names_are_prepared(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("Bob:{PLAIN}1\ncarol@Example.ORG:{PLAIN}2\n")
    file = PasswdFile(path, "example.org", RecordingLog())
    assert file.look_up("bob@example.org") is not None
    assert file.look_up("carol@example.org") is not None
    assert file.look_up("bob") is None


def test_lines_may_end_in_crlf(scene: Scene) -> None:
    scene.write(b"\xef\xbb\xbfbob:{PLAIN}pw\r\nalice:{PLAIN}other:1:1::/home/alice\r\n")
    assert scene.password() == "{PLAIN}pw"
    assert scene.password("alice") == "{PLAIN}other"


@pytest.mark.parametrize("separator", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\0"])
def test_no_other_separator_ends_a_line(scene: Scene, separator: str) -> None:
    """A name that its owner may choose, as by chfn, must not make an account."""
    scene.write(f"bob:{{PLAIN}}pw:1:1:Bob{separator}root:{{PLAIN}}owned:/home/bob\n")
    assert scene.file.look_up("root") is None
    assert scene.password() == "{PLAIN}pw"


def test_a_colon_ends_a_field(scene: Scene) -> None:
    scene.write("bob:{PLAIN}a:b\n")
    assert scene.password() == "{PLAIN}a"


def test_of_two_lines_for_one_user_the_first_counts(scene: Scene) -> None:
    scene.write("bob:{PLAIN}first\nBOB:{PLAIN}second\n")
    assert scene.password() == "{PLAIN}first"


def test_octets_that_are_no_utf8_harm_nobody_else(scene: Scene) -> None:
    scene.write(b"b\xf6b:{PLAIN}pw\nalice:{PLAIN}v\xf6gel:1:1:M\xfcller:/home/\xe4\n")
    account = scene.known("alice")
    assert account.stored_password.encode("utf-8", "surrogateescape") == b"{PLAIN}v\xf6gel"
    assert scene.file.look_up("b\udcf6b") is None


@pytest.mark.parametrize("line", ["bob:{PLAIN}x", "bob:{PLAIN}pw:9", "bob:{PLAIN}pw:::::::nologin"])
def test_a_version_is_that_of_the_line(scene: Scene, line: str) -> None:
    scene.write("bob:{PLAIN}pw\nalice:{PLAIN}1\n")
    version = scene.known().version
    scene.write("alice:{PLAIN}22\nbob:{PLAIN}pw\n")
    assert scene.known().version == version
    scene.write(line + "\n")
    assert scene.known().version != version


DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols =
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {folder}/passwd
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/
}}
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="Dovecot starts as root alone")
def test_dovecot_finds_the_same(open_folder: Path) -> None:
    path = open_folder / "passwd"
    path.write_bytes(
        b"# comment\nbob:{PLAIN}first\nbob:{PLAIN}second\ncarol:{PLAIN}a:b\n\n"
        b"dave:{PLAIN}with space\neve:{PLAIN}pw\r\nfred:{PLAIN}last"
    )
    (open_folder / "dovecot.conf").write_text(DOVECOT.format(folder=open_folder))
    settings = ["-c", str(open_folder / "dovecot.conf")]
    dovecot = subprocess.Popen([require("dovecot"), *settings, "-F"])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (open_folder / "run" / "auth-client").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        file = PasswdFile(path, "", RecordingLog(), lambda: time.time() + LATER)
        for name, password, right in [
            ("bob", "first", True),
            ("bob", "second", False),
            ("carol", "a", True),
            ("dave", "with space", True),
            ("eve", "pw", True),
            ("fred", "last", True),
        ]:
            command = [require("doveadm"), *settings, "auth", "test", name, password]
            done = subprocess.run(command, capture_output=True, timeout=20, check=False)
            account = file.look_up(name)
            ours = (
                account is not None
                and not account.disabled
                and verify(account.stored_password, password.encode())
            )
            assert (done.returncode == 0, ours) == (right, right), (name, password, done)
    finally:
        dovecot.terminate()
        dovecot.wait(20)


# ---- a file that changes


def test_a_change_counts_at_once(scene: Scene) -> None:
    scene.write("bob:{PLAIN}pw1\n")
    assert scene.password() == "{PLAIN}pw1"
    scene.write("bob:{PLAIN}pw22\n")
    assert scene.password() == "{PLAIN}pw22"
    scene.write("alice:{PLAIN}pw\n")
    assert scene.file.look_up("bob") is None


def test_a_file_put_in_its_place_counts_at_once(scene: Scene, tmp_path: Path) -> None:
    scene.write("bob:{PLAIN}pw1\n")
    scene.known()
    times = scene.path.stat()
    other = tmp_path / "other"
    other.write_text("bob:{PLAIN}pw2\n")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.rename(scene.path)
    assert scene.password() == "{PLAIN}pw2"


def test_a_change_that_hides_its_time_counts(scene: Scene) -> None:
    """The same size in the same file, its time put back, as some tools do."""
    scene.write("bob:{PLAIN}pw1\n")
    times = scene.path.stat()
    scene.known()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while scene.path.stat().st_ctime_ns == times.st_ctime_ns and time.monotonic() < deadline:
        scene.write("bob:{PLAIN}pw2\n")
        os.utime(scene.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert scene.password() == "{PLAIN}pw2"


def test_a_change_within_the_grain_of_the_clock_counts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.later = 0.0
    scene.write("bob:{PLAIN}pw1\n")
    status = scene.path.stat()
    monkeypatch.setattr(os, "stat", lambda *_, **__: status)
    assert GRAIN_SECONDS < SETTLED_SECONDS
    scene.file._clock = lambda: status.st_mtime + GRAIN_SECONDS / 2
    assert scene.password() == "{PLAIN}pw1"
    scene.write("bob:{PLAIN}pw2\n")
    assert scene.password() == "{PLAIN}pw2"


def test_it_is_read_once_for_many_logins(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("bob:{PLAIN}pw\n")
    reads: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or read(path))  # type: ignore[func-returns-value]
    for _ in range(10):
        scene.known()
        scene.file.look_up("nobody")
    assert len(reads) == 1


def test_a_last_line_without_an_end_waits_until_nobody_writes(scene: Scene) -> None:
    """Half a line could be somebody else's password, or an account without its `nologin`."""
    scene.later = 0.0
    scene.write("alice:{PLAIN}pw\nbob:{PLAIN}pw::::::nolog")
    scene.known("alice")
    assert scene.file.look_up("bob") is None
    with scene.path.open("a") as file:
        file.write("in\n")
    assert scene.known().disabled


def test_a_last_line_without_an_end_counts_once_it_is_settled(scene: Scene) -> None:
    scene.later = 0.0
    scene.write("alice:{PLAIN}pw\nbob:{PLAIN}pw")
    assert scene.file.look_up("bob") is None
    scene.later = SETTLED_SECONDS + 1
    assert scene.password() == "{PLAIN}pw"


def test_every_truncation_lets_nobody_in_who_is_not_there(scene: Scene) -> None:
    whole = "alice:{PLAIN}one\nbob:{PLAIN}two::::::nologin\n"
    scene.later = 0.0
    for size in range(len(whole) + 1):
        scene.write(whole[:size])
        bob = scene.file.look_up("bob")
        assert bob is None or (bob.disabled and bob.stored_password == "{PLAIN}two")
        alice = scene.file.look_up("alice")
        assert alice is None or alice.stored_password == "{PLAIN}one"


def test_a_file_replaced_while_others_read(tmp_path: Path) -> None:
    """As editors and `mv` do it: every reading is of one whole file."""
    path = tmp_path / "passwd"
    path.write_text("bob:{PLAIN}0\n" * 50)
    over = threading.Event()
    faults: list[BaseException] = []
    seen: set[str] = set()

    def read() -> None:
        file = PasswdFile(path, "", RecordingLog())
        while not over.is_set():
            try:
                account = file.look_up("bob")
                assert account is not None
                seen.add(account.stored_password)
            except BaseException as error:
                faults.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    number = 0
    while (number < 50 or len(seen) < 3) and not faults and time.monotonic() < deadline:
        number += 1
        other = tmp_path / "other"
        other.write_text(f"bob:{{PLAIN}}{number}\n" * 50)
        other.rename(path)
    over.set()
    reader.join(PATIENCE_SECONDS)
    assert faults == []
    assert len(seen) >= 3


# ---- faults


def test_a_file_that_was_never_there_is_temporary(scene: Scene) -> None:
    for _ in range(3):
        with pytest.raises(TemporaryFailure) as caught:
            scene.file.look_up("bob")
        assert str(scene.path) not in caught.value.text
        assert scene.file.decoy(1) is None
    assert len(scene.log.named(Event.AUTH_UNAVAILABLE)) == 1
    scene.write("bob:{PLAIN}pw\n")
    scene.known()


def test_a_file_that_is_gone_leaves_what_was_read(scene: Scene) -> None:
    scene.write("bob:{PLAIN}pw\n")
    scene.known()
    scene.path.unlink()
    for _ in range(3):
        scene.known()
    assert scene.log.named(Event.AUTH_UNAVAILABLE) == [
        {"reason": "FileNotFoundError", "file": str(scene.path)}
    ]
    scene.write("alice:{PLAIN}pw\n")
    assert scene.file.look_up("bob") is None
    scene.path.unlink()
    scene.known("alice")
    assert len(scene.log.named(Event.AUTH_UNAVAILABLE)) == 2


def test_a_folder_in_its_place_is_temporary(scene: Scene) -> None:
    scene.path.mkdir()
    with pytest.raises(TemporaryFailure):
        scene.file.look_up("bob")


def test_an_empty_file_is_nobody(scene: Scene) -> None:
    scene.write("")
    assert scene.file.look_up("bob") is None
    assert scene.file.decoy(1) is None


def test_a_huge_file(scene: Scene) -> None:
    """A change costs one reading, a login none."""
    count = 20_000
    scene.write("".join(f"user{n}:{{PLAIN}}{n}:1:1::/home/{n}\n" for n in range(count)))
    assert scene.password(f"user{count - 1}") == f"{{PLAIN}}{count - 1}"
    started = time.process_time()
    for number in range(1_000):
        assert scene.password(f"user{number}") == f"{{PLAIN}}{number}"
    assert time.process_time() - started < 2.0
    assert 0 < len(scene.file._accounts) <= ACCOUNTS_KEPT


# ---- decoys


def test_a_decoy_is_somebodys_and_always_the_same(scene: Scene) -> None:
    scene.write("".join(f"user{number}:{{PLAIN}}{number}:x\n" for number in range(7)))
    decoys = [stored(scene.file.decoy(pick)) for pick in range(100)]
    assert set(decoys) == {f"{{PLAIN}}{number}" for number in range(7)}
    assert decoys == [stored(scene.file.decoy(pick)) for pick in range(100)]


# ---- the state


def test_the_state_stays_until_the_file_changes(scene: Scene) -> None:
    scene.write("bob:{PLAIN}one\n")
    before = scene.file.state()
    assert before is not None
    assert scene.password() == "{PLAIN}one"
    assert scene.file.state() == before
    scene.write("bob:{PLAIN}another\n")
    assert scene.file.state() not in (None, before)
    assert scene.password() == "{PLAIN}another"


def test_a_file_that_may_change_again_within_its_grain_has_no_state(scene: Scene) -> None:
    scene.later = 0
    scene.write("bob:{PLAIN}one\n")
    assert scene.file.state() is None


@pytest.mark.parametrize("age", [GRAIN_SECONDS / 2, -SETTLED_SECONDS / 2])
@pytest.mark.parametrize("mtime", [1_000_000_000, 1.5])
def test_a_file_that_was_given_an_old_time_just_now_has_no_state(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, mtime: float, age: float
) -> None:
    """It may be given that time again, and within the same grain; the server's clock is ahead."""
    scene.write("bob:{PLAIN}one\n")
    os.utime(scene.path, (mtime, mtime))
    status = scene.path.stat()
    monkeypatch.setattr(os, "stat", lambda *_, **__: status)
    scene.file._clock = lambda: status.st_ctime + age
    assert scene.password() == "{PLAIN}one"
    scene.write("bob:{PLAIN}two\n")
    assert scene.file.state() is None
    assert scene.password() == "{PLAIN}two"


def test_where_times_are_kept_by_the_second_a_second_has_to_go_by(scene: Scene) -> None:
    scene.write("bob:{PLAIN}one\n")
    os.utime(scene.path, (1_000_000_000, 1_000_000_000))
    scene.file._clock = lambda: 1_000_000_000 + COARSE_GRAIN_SECONDS / 2
    assert scene.file.state() is None
    scene.file._clock = lambda: time.time() + LATER
    assert scene.file.state() is not None


def test_a_file_that_is_written_while_it_is_read_has_no_state(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes."""
    scene.write("bob:{PLAIN}one\n")
    now = scene.path.stat().st_mtime + GRAIN_SECONDS / 2
    scene.file._clock = lambda: now
    read = Path.read_bytes

    def read_slowly(path: Path) -> bytes:
        nonlocal now
        now += LATER
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_slowly)
    assert scene.file.state() is None


def test_what_another_file_said_meanwhile_is_not_of_this_state(
    scene: Scene, tmp_path: Path
) -> None:
    """A link that leads elsewhere and back."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"bob:{{PLAIN}}{name}\n")
    scene.path.symlink_to("one")
    before = scene.file.state()
    for name in ("two", "one"):
        scene.path.unlink()
        scene.path.symlink_to(name)
        assert scene.password() == f"{{PLAIN}}{name}"
    assert scene.file.state() not in (None, before)


def test_a_file_that_is_being_written_has_no_state(scene: Scene) -> None:
    scene.later = SETTLED_SECONDS / 2
    scene.write("bob:{PLAIN}one\nalice:{PLA")
    assert scene.file.state() is None


def test_a_file_that_is_gone_has_no_state(scene: Scene) -> None:
    assert scene.file.state() is None
    scene.write("bob:{PLAIN}one\n")
    before = scene.file.state()
    assert before is not None
    scene.path.unlink()
    assert scene.file.state() is None
    assert scene.password() == "{PLAIN}one"
    assert scene.file.state() is None
    assert len(scene.log.named(Event.AUTH_UNAVAILABLE)) == 1 + 1
