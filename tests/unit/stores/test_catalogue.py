"""The catalogue keeps what was given, whole or not at all, and says when it cannot be believed."""

import os
import sqlite3
import subprocess
import sys
import time
from array import array
from contextlib import closing
from pathlib import Path

import pytest

from restante.stores import catalogue as module
from restante.stores.catalogue import (
    DAMAGED_NAME,
    FILE_NAME,
    Catalogue,
    DamagedCatalogue,
    is_damaged,
    salvage,
    set_aside,
)
from restante.stores.changes import PACKED, Changes, Gone, pack_unique_ids
from restante.stores.image import Version, empty, render


def changes(count: int, *, base: int = 0, first: int = 0, claims: bytes = b"") -> Changes:
    names = [b"cur/%d:2," % number for number in range(count)]
    unique_ids = [b"%d" % number for number in range(count)]
    image = render(Version(0, 0, 0), names, array("Q", range(count)), unique_ids, claims)
    return Changes(base, first, image)


NOTHING = empty(Version(0, 0, 0))


def create(mailbox: Path) -> Catalogue:
    catalogue = Catalogue.open(os.fsencode(mailbox), create=True)
    assert catalogue is not None
    return catalogue


@pytest.mark.parametrize("count", [0, 1, PACKED, PACKED + 1, 3 * PACKED - 1])
def test_what_was_stored_is_there(tmp_path: Path, count: int) -> None:
    claims = bytes(count // 2) + b"\1" * (count - count // 2)
    with create(tmp_path) as catalogue:
        assert catalogue.replace(changes(count, claims=claims)) == 1
    with create(tmp_path) as catalogue:
        contents = catalogue.contents()
    wanted = changes(count).image
    assert contents.generation == 1
    assert (contents.names, contents.sizes) == (wanted.names(), wanted.sizes())
    assert contents.unique_ids == wanted.unique_ids()
    assert (contents.claims or bytes(count)) == claims


@pytest.mark.parametrize("count", [0, 1, PACKED, PACKED + 1])
def test_unique_ids_that_were_at_hand_are_the_same(tmp_path: Path, count: int) -> None:
    wanted = changes(count)
    packs = pack_unique_ids(wanted.image.unique_ids())
    with create(tmp_path) as catalogue:
        catalogue.replace(wanted._replace(packed_unique_ids=[memoryview(pack) for pack in packs]))
        assert catalogue.contents().unique_ids == wanted.image.unique_ids()


@pytest.mark.parametrize(("count", "octets"), [(3, 4_096), (1_000, 16_384)])
def test_only_a_big_catalogue_is_made_of_big_pages(tmp_path: Path, count: int, octets: int) -> None:
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(count))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (octets,)


def test_a_catalogue_of_small_pages_grows(tmp_path: Path) -> None:
    """As every one does that was made for few messages, or before there were big pages."""
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(3))
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(2 * PACKED, base=1, first=3))
        assert catalogue.contents().names == changes(2 * PACKED).image.names()


def test_a_change_writes_what_is_not_as_it_was(tmp_path: Path) -> None:
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(PACKED + 10))
        changed = changes(PACKED + 12, base=1, first=PACKED + 10)
        assert catalogue.replace(changed) == 2
        assert catalogue.contents().names == changed.image.names()


def test_a_change_to_another_generation_writes_everything(tmp_path: Path) -> None:
    """What a full disk kept from being stored must not be taken for stored."""
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(10))
        changed = changes(2 * PACKED, base=0, first=2 * PACKED - 1)
        catalogue.replace(changed)
        assert catalogue.contents().names == changed.image.names()


@pytest.mark.parametrize("damaged", [False, True])
def test_a_change_to_what_is_stored_nowhere_writes_everything(
    tmp_path: Path, damaged: bool
) -> None:
    """A new catalogue begins with the very number that says so."""
    if damaged:
        with create(tmp_path) as catalogue:
            catalogue.replace(changes(2 * PACKED))
        set_aside(os.fsencode(tmp_path))
    changed = changes(2 * PACKED, base=0, first=2 * PACKED - 1)
    with create(tmp_path) as catalogue:
        assert catalogue.replace(changed) == 1
        assert catalogue.contents().names == changed.image.names()


def test_looking_makes_and_writes_nothing(tmp_path: Path) -> None:
    assert Catalogue.open(os.fsencode(tmp_path), create=False) is None
    assert list(tmp_path.iterdir()) == []
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(10))
    before = (tmp_path / FILE_NAME).stat().st_mtime_ns, sorted(tmp_path.iterdir())
    with Catalogue.open(os.fsencode(tmp_path), create=False) or pytest.fail(
        "there is none"
    ) as catalogue:
        catalogue.contents()
        catalogue.vanished(b"x")
    assert ((tmp_path / FILE_NAME).stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before


def test_one_that_nothing_was_stored_in_is_none(tmp_path: Path) -> None:
    """What a crash, or a full disk, leaves behind before the first change is durable."""
    create(tmp_path).close()
    assert Catalogue.open(os.fsencode(tmp_path), create=False) is None
    with create(tmp_path) as catalogue:
        assert catalogue.replace(changes(2)) == 1


def gone(unique_id: bytes, *, name: bytes = b"name", removed: bool = False) -> Gone:
    return Gone(name, unique_id, 5, removed)


def bury(catalogue: Catalogue, *dead: Gone, back: tuple[Gone, ...] = ()) -> None:
    catalogue.replace(Changes(0, 0, NOTHING, dead, back))


def test_what_is_gone_is_remembered_until_it_is_back(tmp_path: Path) -> None:
    with create(tmp_path) as catalogue:
        bury(catalogue)
        assert not catalogue.has_gone()
        bury(catalogue, gone(b"a"), gone(b"b", removed=True), gone(b"c", name=b"other"))
        assert catalogue.vanished(b"name") == [gone(b"a")]
        assert all(map(catalogue.was_given, (b"a", b"b", b"c")))
        assert not catalogue.was_given(b"d")
        bury(catalogue, back=(gone(b"a"),))
        assert catalogue.vanished(b"name") == []
        assert not catalogue.was_given(b"a")
        assert catalogue.has_gone()


def test_a_name_that_is_gone_twice_had_two_unique_ids(tmp_path: Path) -> None:
    with create(tmp_path) as catalogue:
        bury(catalogue, gone(b"a", removed=True))
        bury(catalogue, gone(b"b", removed=True))
        assert catalogue.was_given(b"a")
        assert catalogue.was_given(b"b")


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOMBSTONES", 3)
    times = iter(range(100, 200))
    monkeypatch.setattr(time, "time", lambda: next(times))
    with create(tmp_path) as catalogue:
        for number in range(5):
            bury(catalogue, gone(b"%d" % number))
        assert [n for n in range(5) if catalogue.was_given(b"%d" % n)] == [2, 3, 4]


def test_a_change_that_fails_leaves_everything(tmp_path: Path) -> None:
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(10))
        broken = changes(1, base=1)._replace(gone=[gone(None)])  # type: ignore[arg-type]
        with pytest.raises(sqlite3.Error):
            catalogue.replace(broken)
        assert len(catalogue.contents().names) == 10
        assert catalogue.generation() == 1


@pytest.mark.parametrize("octets", [b"no database" * 100, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_what_is_no_database_is_damaged(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(octets)
    with pytest.raises(sqlite3.Error) as failure:
        Catalogue.open(os.fsencode(tmp_path), create=False)
    assert is_damaged(failure.value)
    assert salvage(os.fsencode(tmp_path)).image.count == 0


def execute(mailbox: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(mailbox / FILE_NAME)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE pack SET sizes = ?", b"\0" * 8),
        ("UPDATE pack SET sizes = ?", b"\0" * 7),
        ("UPDATE pack SET names = ?", b"a"),
        ("UPDATE pack SET names = ?", "text"),
        ("UPDATE pack SET unique_ids = ?", b"a\0b\0 \0d"),
        ("UPDATE pack SET unique_ids = ?", b"a\0b\0c\0a"),
        ("UPDATE pack SET unique_ids = ?", b"x" * 71 + b"\0b\0c\0d"),
        ("UPDATE pack SET claims = ?", b"\1"),
        ("DELETE FROM generation WHERE value <> ?", -1),
        ("UPDATE generation SET value = ?", "text"),
    ],
)
def test_contents_that_cannot_be_right_are_damage(
    tmp_path: Path, statement: str, value: object
) -> None:
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(4))
    execute(tmp_path, statement, value)
    with create(tmp_path) as catalogue, pytest.raises(DamagedCatalogue) as failure:
        catalogue.contents()
    assert is_damaged(failure.value)


def test_what_is_sound_can_be_saved(tmp_path: Path) -> None:
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(3 * PACKED))
        catalogue.replace(
            changes(3 * PACKED, base=1, first=3 * PACKED)._replace(gone=[gone(b"gone")])
        )
    execute(tmp_path, "UPDATE pack SET sizes = ? WHERE first = ?", b"", 2 * PACKED)
    saved = salvage(os.fsencode(tmp_path))
    assert saved.image.names() == changes(2 * PACKED).image.names()
    assert saved.image.unique_ids() == changes(2 * PACKED).image.unique_ids()
    assert set(saved.image.claims()) == {1}
    assert saved.gone == [gone(b"gone")]


def test_what_is_set_aside_takes_its_journal_along(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"broken")
    (tmp_path / f"{FILE_NAME}-journal").write_bytes(b"journal")
    set_aside(os.fsencode(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [DAMAGED_NAME]


def test_another_version_is_not_damage(tmp_path: Path) -> None:
    create(tmp_path).close()
    execute(tmp_path, "PRAGMA user_version = 99")
    for made in (True, False):
        with pytest.raises(sqlite3.Error) as failure:
            Catalogue.open(os.fsencode(tmp_path), create=made)
        assert not is_damaged(failure.value)


@pytest.mark.parametrize("name", [FILE_NAME, f"{FILE_NAME}-journal"])
@pytest.mark.parametrize("kind", ["folder", "fifo", "link"])
def test_what_is_no_file_is_not_touched(tmp_path: Path, name: str, kind: str) -> None:
    create(tmp_path).close()
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "elsewhere")
    for made in (True, False):
        with pytest.raises(sqlite3.Error) as failure:
            Catalogue.open(os.fsencode(tmp_path), create=made)
        assert not is_damaged(failure.value)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%25b", "a b", os.fsdecode(b"\xff")])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    mailbox = tmp_path / name
    mailbox.mkdir()
    with create(mailbox) as catalogue:
        catalogue.replace(changes(1))
    assert sorted(path.name for path in mailbox.iterdir()) == [FILE_NAME, f"{FILE_NAME}-journal"]


CRASH = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE generation SET value = 99")
connection.execute("CREATE TABLE filling (x)")
connection.executemany("INSERT INTO filling VALUES (?)", [(b"x" * 4000,)] * 200)
os.kill(os.getpid(), 9)
"""


def test_a_change_that_a_crash_cut_short_is_taken_back(tmp_path: Path) -> None:
    with create(tmp_path) as catalogue:
        catalogue.replace(changes(10))
    subprocess.run([sys.executable, "-c", CRASH, tmp_path / FILE_NAME], timeout=60, check=False)
    assert (tmp_path / f"{FILE_NAME}-journal").stat().st_size
    with Catalogue.open(os.fsencode(tmp_path), create=False) or pytest.fail(
        "there is none"
    ) as catalogue:
        assert catalogue.generation() == 1
        assert len(catalogue.contents().names) == 10
