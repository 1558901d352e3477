"""The accounts database: what is changed counts at once, and a fault is no refusal."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restante.auth import accounts as module
from restante.auth.accounts import AccountsDatabase
from restante.auth.schema import NEWEST
from restante.auth.sources import Account
from restante.errors import AccountError, TemporaryFailure, UnknownAccount
from unit.auth.scene import PATIENCE_SECONDS

HASH = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.sqlite"


@pytest.fixture
def administrator(path: Path) -> Iterator[AccountsDatabase]:
    database = AccountsDatabase(path)
    yield database
    database.close()


@pytest.fixture
def source(path: Path) -> Iterator[AccountsDatabase]:
    """The same database as the auth process has it."""
    database = AccountsDatabase(path)
    yield database
    database.close()


def known(source: AccountsDatabase, name: str = "bob") -> Account:
    account = source.look_up(name)
    assert account is not None
    return account


def stored(account: Account | None) -> str | None:
    return None if account is None else account.stored_password


# ---- as a source


def test_before_the_first_account_there_is_nobody(source: AccountsDatabase, path: Path) -> None:
    assert source.look_up("bob") is None
    assert source.decoy(7) is None
    assert source.list() == []
    assert not path.exists()


def test_an_account_is_found(administrator: AccountsDatabase, source: AccountsDatabase) -> None:
    administrator.add("bob", HASH, "/mail/bob")
    account = known(source)
    assert account == Account("bob", HASH, "accounts", account.version, False, "/mail/bob")
    assert source.look_up("Bob") is None
    assert source.look_up("bob' OR '1'='1") is None
    assert source.look_up("bo\0b") is None


def test_every_change_is_seen_at_once(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    """And every one changes the version, which is what the password cache goes by."""
    administrator.add("bob", HASH)
    versions = [known(source).version]
    administrator.set_password("bob", "{PLAIN}new")
    assert known(source).stored_password == "{PLAIN}new"
    versions.append(known(source).version)
    administrator.disable("bob")
    assert known(source).disabled
    versions.append(known(source).version)
    administrator.enable("bob")
    assert not known(source).disabled
    versions.append(known(source).version)
    administrator.remove("bob")
    assert source.look_up("bob") is None
    administrator.add("bob", HASH)
    versions.append(known(source).version)
    assert len(set(versions)) == 5


def test_a_name_given_again_is_another_account(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    seen = set()
    for _ in range(5):
        administrator.add("bob", HASH)
        seen.add(known(source).version)
        administrator.remove("bob")
    assert len(seen) == 5


def test_a_database_put_in_its_place_counts_at_once(
    administrator: AccountsDatabase, source: AccountsDatabase, path: Path
) -> None:
    administrator.add("bob", HASH)
    known(source)
    backup = AccountsDatabase(path.with_name("backup"))
    backup.add("alice", HASH)
    backup.close()
    path.with_name("backup").rename(path)
    assert source.look_up("bob") is None
    known(source, "alice")
    path.unlink()
    assert source.look_up("alice") is None
    administrator.add("carol", HASH)
    known(source, "carol")


def test_a_decoy_is_somebodys_and_always_the_same(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    for letter in "bdhkmqtxz":
        administrator.add(f"{letter}ob", f"{{PLAIN}}{letter}")
    picks = [int.from_bytes(os.urandom(8), "big") for _ in range(300)]
    decoys = [stored(source.decoy(pick)) for pick in picks]
    assert decoys == [stored(source.decoy(pick)) for pick in picks]
    assert None not in decoys
    assert len(set(decoys)) == 9


def test_verifiers_of_scram_go_with_the_password(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    administrator.add("bob", HASH, scram="{SCRAM-SHA-256}one")
    assert known(source).scram == "{SCRAM-SHA-256}one"
    administrator.set_password("bob", HASH, "{SCRAM-SHA-256}two")
    assert known(source).scram == "{SCRAM-SHA-256}two"
    administrator.set_password("bob", HASH)
    assert known(source).scram == ""
    assert "SHA" not in repr(Account("bob", "", "", "", scram="{SCRAM-SHA-256}one"))


# ---- the file


def test_nobody_else_can_read_it_from_its_first_moment(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    connect = sqlite3.connect

    def watched(*args: object, **options: object) -> sqlite3.Connection:
        seen.append(stat.S_IMODE(path.stat().st_mode))
        return connect(*args, **options)  # type: ignore[no-any-return, call-overload]

    monkeypatch.setattr(sqlite3, "connect", watched)
    mask = os.umask(0)
    try:
        database = AccountsDatabase(path)
        database.add("bob", HASH)
    finally:
        os.umask(mask)
    database.close()
    assert seen == [0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_its_place_is_not_followed(tmp_path: Path, path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"")
    path.symlink_to(target)
    with pytest.raises(AccountError):
        AccountsDatabase(path).add("bob", HASH)
    assert target.read_bytes() == b""


def test_a_removed_password_is_wiped(administrator: AccountsDatabase, path: Path) -> None:
    administrator.add("bob", HASH)
    administrator.add("eve", "{PLAIN}kanarienvogel")
    assert b"kanarienvogel" in path.read_bytes()
    administrator.set_password("eve", "{PLAIN}x")
    assert b"kanarienvogel" not in path.read_bytes()
    administrator.remove("bob")
    assert HASH.encode() not in path.read_bytes()


# ---- faults


def test_a_locked_database_is_temporary(
    administrator: AccountsDatabase, source: AccountsDatabase, path: Path
) -> None:
    administrator.add("bob", HASH)
    known(source)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    with pytest.raises(TemporaryFailure) as caught:
        source.look_up("bob")
    # Every other login waits meanwhile; the bound is that of a loaded machine.
    assert time.monotonic() - started < 10 * module.READER_WAIT_SECONDS
    assert caught.value.text == TemporaryFailure.default_text
    assert caught.value.reason == "accounts database: database is locked"
    assert source.decoy(1) is None
    other.execute("ROLLBACK")
    other.close()
    known(source)


def test_a_command_waits_for_another_and_says_when_it_gives_up(
    administrator: AccountsDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITER_WAIT_SECONDS", 0.05)
    administrator.add("bob", HASH)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AccountError, match="cannot be used: database is locked"):
        administrator.disable("bob")
    other.execute("ROLLBACK")
    other.close()
    administrator.disable("bob")


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"SQLite format 3\0" + b"x" * 99])
def test_a_damaged_database_is_temporary(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    database = AccountsDatabase(path)
    for _ in range(2):
        with pytest.raises(TemporaryFailure, match=TemporaryFailure.default_text):
            database.look_up("bob")
    assert database.decoy(1) is None
    for command in (database.list, lambda: database.show("bob"), lambda: database.add("x", HASH)):
        with pytest.raises(AccountError, match="cannot be used"):
            command()
    assert path.read_bytes() == damage


def test_a_damaged_page_is_temporary(administrator: AccountsDatabase, path: Path) -> None:
    for number in range(200):
        administrator.add(f"user{number:03}", HASH)
    administrator.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    source = AccountsDatabase(path)
    with pytest.raises(TemporaryFailure):
        source.look_up("user100")
    source.close()


def test_a_database_of_a_later_version_is_left_alone(
    administrator: AccountsDatabase, source: AccountsDatabase, path: Path
) -> None:
    administrator.add("bob", HASH)
    administrator.close()
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {NEWEST + 1}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(TemporaryFailure):
        source.look_up("bob")
    newer = f"it is of version {NEWEST + 1}, made by a newer program"
    with pytest.raises(AccountError, match=newer):
        administrator.remove("bob")
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become somebody else")
def test_a_database_that_must_not_be_read_is_temporary(
    administrator: AccountsDatabase, path: Path
) -> None:
    administrator.add("bob", HASH)
    path.parent.chmod(0o700)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from restante.auth.accounts import AccountsDatabase\n"
        "from restante.errors import TemporaryFailure\n"
        "source = AccountsDatabase(Path(sys.argv[1]))\n"
        "os.setresuid(65534, 65534, 65534)\n"
        "try: source.look_up('bob')\n"
        "except TemporaryFailure as error: print(error.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("accounts database: ")


# ---- several at once


def test_readers_read_while_others_read_and_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is shown is that nobody reads what is half done, and not how busy this machine is.
    monkeypatch.setattr(module, "READER_WAIT_SECONDS", PATIENCE_SECONDS)
    AccountsDatabase(path).add("bob", "{PLAIN}0")
    over = threading.Event()
    faults: list[BaseException] = []
    counts = [0] * 3

    def read(number: int) -> None:
        source = AccountsDatabase(path)
        last = 0
        while not over.is_set():
            try:
                account = source.look_up("bob")
                assert account is not None
                now = int(account.stored_password.removeprefix("{PLAIN}"))
                assert now >= last, "an older password came back"
                last, counts[number] = now, counts[number] + 1
            except BaseException as error:
                faults.append(error)
                return
        source.close()

    readers = [threading.Thread(target=read, args=(number,)) for number in range(len(counts))]
    for reader in readers:
        reader.start()
    administrator = AccountsDatabase(path)
    deadline = time.monotonic() + PATIENCE_SECONDS
    for number in range(1, 40):
        administrator.set_password("bob", f"{{PLAIN}}{number}")
        administrator.add(f"user{number}", HASH)
    while min(counts) == 0 and not faults and time.monotonic() < deadline:
        time.sleep(0.001)
    over.set()
    for reader in readers:
        reader.join(PATIENCE_SECONDS)
    assert faults == []
    assert min(counts) > 0


def test_two_first_accounts_at_once(path: Path) -> None:
    """Whoever finds the file without tables must not take it for an old one, or make them twice."""
    for round_ in range(10):
        path.unlink(missing_ok=True)
        start = threading.Barrier(4)
        faults: list[BaseException] = []

        def add(number: int, start: threading.Barrier, faults: list[BaseException]) -> None:
            database = AccountsDatabase(path)
            start.wait(PATIENCE_SECONDS)
            try:
                if number:
                    database.add(f"user{number}", HASH)
                else:
                    database.look_up("user1")
            except BaseException as error:
                faults.append(error)
            database.close()

        threads = [threading.Thread(target=add, args=(n, start, faults)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        assert faults == [], round_
        assert len(AccountsDatabase(path).list()) == 3


def test_a_command_that_was_killed_changes_nothing(
    administrator: AccountsDatabase, source: AccountsDatabase, path: Path
) -> None:
    """What it left half done is undone by whoever reads next."""
    for number in range(300):
        administrator.add(f"user{number:03}", HASH)
    administrator.add("bob", "{PLAIN}old")
    script = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "connection.execute(\"UPDATE account SET stored_password = '{PLAIN}new'\")\n"
        "connection.execute('UPDATE account SET mailbox = hex(zeroblob(500))')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("accounts.sqlite-journal").stat().st_size > 0
    assert known(source).stored_password == "{PLAIN}old"


# ---- for the administrator


def test_an_account_is_described(administrator: AccountsDatabase) -> None:
    administrator.add("bob", HASH, "/mail/bob")
    administrator.add("alice", HASH)
    administrator.disable("alice")
    alice, bob = administrator.list()
    assert (alice.name, alice.disabled, alice.mailbox) == ("alice", True, None)
    assert (bob.name, bob.disabled, bob.mailbox) == ("bob", False, "/mail/bob")
    assert abs(bob.created_at - time.time()) < 60
    assert administrator.show("bob") == bob
    assert bob.scram == ()
    administrator.set_password("bob", HASH, "{SCRAM-SHA-256}x {SCRAM-SHA-1}y")
    assert administrator.show("bob").scram == ("SCRAM-SHA-256", "SCRAM-SHA-1")


def test_a_name_is_given_once(administrator: AccountsDatabase, source: AccountsDatabase) -> None:
    administrator.add("bob", HASH)
    with pytest.raises(AccountError, match="there is an account bob already"):
        administrator.add("bob", "{PLAIN}other")
    assert known(source).stored_password == HASH


def test_commands_on_nobody(administrator: AccountsDatabase) -> None:
    for command in (
        lambda: administrator.show("bob"),
        lambda: administrator.set_password("bob", HASH),
        lambda: administrator.disable("bob"),
        lambda: administrator.enable("bob"),
        lambda: administrator.remove("bob"),
    ):
        with pytest.raises(UnknownAccount, match="there is no account bob"):
            command()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AccountError, match="No such file or directory"):
        AccountsDatabase(tmp_path / "nowhere" / "accounts.sqlite").add("bob", HASH)


def test_an_account_shows_no_password(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    administrator.add("bob", "{PLAIN}kanarienvogel")
    assert "kanarienvogel" not in repr(known(source))
    assert "kanarienvogel" not in repr(administrator.list())


def test_the_state_changes_with_every_commit(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    absent = source.state()
    assert absent is not None
    assert source.state() == absent
    administrator.add("bob", HASH)
    states = [absent, source.state()]
    assert source.state() == states[1]
    known(source)
    assert source.state() == states[1]
    changes: list[Callable[[], None]] = [
        lambda: administrator.set_password("bob", HASH + "A"),
        lambda: administrator.disable("bob"),
        lambda: administrator.enable("bob"),
        lambda: administrator.remove("bob"),
        lambda: administrator.add("bob", HASH),
    ]
    for change in changes:
        change()
        states.append(source.state())
        assert None not in states
        assert states[-1] not in states[:-1]


def test_a_database_opened_anew_has_another_state(
    administrator: AccountsDatabase, source: AccountsDatabase
) -> None:
    """SQLite counts the commits of others for each connection by itself."""
    administrator.add("bob", HASH)
    before = source.state()
    source.close()
    administrator.set_password("bob", HASH + "A")
    assert source.state() not in (None, before)


def test_a_database_put_in_its_place_has_another_state(
    administrator: AccountsDatabase, source: AccountsDatabase, path: Path
) -> None:
    administrator.add("bob", HASH)
    administrator.close()
    backup = path.read_bytes()
    before = source.state()
    path.with_suffix(".new").write_bytes(backup)
    path.with_suffix(".new").rename(path)
    assert source.state() not in (None, before)


def test_a_backup_copied_over_the_database_counts_at_once(
    administrator: AccountsDatabase, source: AccountsDatabase, path: Path
) -> None:
    """Even if as much is changed behind it as was changed before."""
    administrator.add("bob", "{PLAIN}first")
    administrator.close()
    backup = path.read_bytes()
    administrator.set_password("bob", "{PLAIN}taken back")
    assert known(source).stored_password == "{PLAIN}taken back"
    before = source.state()
    administrator.close()
    with path.open("r+b") as file:
        file.write(backup)
    administrator.set_password("bob", "{PLAIN}second")
    assert source.state() not in (None, before)
    assert known(source).stored_password == "{PLAIN}second"


def test_a_database_that_is_being_made_has_no_state(path: Path, source: AccountsDatabase) -> None:
    path.touch()
    assert source.state() is None


def test_a_database_that_cannot_be_read_has_no_state(path: Path, source: AccountsDatabase) -> None:
    path.write_bytes(b"this is no database" * 100)
    assert source.state() is None
