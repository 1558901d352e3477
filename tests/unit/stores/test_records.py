"""Records: what is wrong with them costs speed, never mail, and as few unique-ids as can be."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.stores import records as module
from restante.stores.catalogue import DAMAGED_NAME, FILE_NAME, LISTING_NAME, Catalogue
from unit.stores.mailboxes import ALICE, Mailbox


@pytest.fixture(autouse=True)
def small_listing_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_A_FILE", 4)


FIRST, SECOND = b"1\n", b"22\n"
"""The two messages of one unique part: each has to keep the unique-id it was given."""
TWINS = {b"1600000000.twin": 3}


def listing_of(mailbox: Mailbox) -> Path:
    return mailbox.path / LISTING_NAME


def catalogue_of(mailbox: Mailbox) -> Path:
    return mailbox.path / FILE_NAME


def fill(mailbox: Mailbox, count: int) -> list[bytes]:
    """Give unique-ids, one of them such that it can be told only from the records."""
    mailbox.add_many(count - 2)
    mailbox.add("cur/1600000000.twin:2,", FIRST)
    mailbox.store().seen()
    mailbox.add("new/1600000000.twin", SECOND)
    return list(mailbox.store().seen())


def state(mailbox: Mailbox) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in mailbox.path.iterdir()}


@pytest.mark.parametrize("count", [3, 8])
def test_a_maildrop_that_is_read_again_is_not_written(mailbox: Mailbox, count: int) -> None:
    given = fill(mailbox, count)
    mailbox.settle()
    assert list(mailbox.store().seen()) == given
    before = state(mailbox)
    store = mailbox.store()
    for _ in range(3):
        assert list(store.seen()) == given
    assert list(mailbox.store().seen()) == given
    assert state(mailbox) == before
    assert store.log.events == []


def test_reading_an_empty_maildrop_makes_nothing(mailbox: Mailbox) -> None:
    before = state(mailbox)
    for _ in range(2):
        assert mailbox.store().seen() == {}
    assert state(mailbox) == before


def test_the_listing_file_is_used_only_while_it_is_right(mailbox: Mailbox) -> None:
    given = fill(mailbox, 8)
    old = listing_of(mailbox).read_bytes()
    mailbox.add("new/1700000009.new")
    assert len(mailbox.store().seen()) == 9
    listing_of(mailbox).write_bytes(old)
    assert list(mailbox.store().seen()) == [*given, b"1700000009.new"]


@pytest.mark.parametrize("octets", [b"", b"x", b"RESTLIST" + bytes(200)])
def test_a_broken_listing_file_is_made_again(mailbox: Mailbox, octets: bytes) -> None:
    given = fill(mailbox, 8)
    mailbox.settle()
    listing_of(mailbox).write_bytes(octets)
    store = mailbox.store()
    assert list(store.seen()) == given
    assert listing_of(mailbox).read_bytes() != octets
    assert store.log.events == []


def test_a_listing_file_cut_short_is_made_again(mailbox: Mailbox) -> None:
    given = fill(mailbox, 8)
    os.truncate(listing_of(mailbox), 300)
    assert list(mailbox.store().seen()) == given


def plant_fifo(path: Path) -> None:
    os.mkfifo(path)


def plant_link(path: Path) -> None:
    (path.parent.parent / "elsewhere").write_text("precious")
    path.symlink_to(path.parent.parent / "elsewhere")


def plant_folder(path: Path) -> None:
    path.mkdir()


PLANTS = [plant_fifo, plant_link, plant_folder]


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", [LISTING_NAME, f"{LISTING_NAME}.new", FILE_NAME])
def test_what_is_planted_in_their_place_is_left_alone(
    mailbox: Mailbox, name: str, plant: Callable[[Path], None]
) -> None:
    """S3: no fifo is waited for, no link is followed; the mail is served."""
    plant(mailbox.path / name)
    mailbox.add_many(6)
    store = mailbox.store()
    assert len(store.seen()) == 6
    assert len(store.seen()) == 6
    elsewhere = mailbox.directory / "elsewhere"
    assert not elsewhere.exists() or elsewhere.read_text() == "precious"
    assert bool(store.warnings()) == (name == FILE_NAME)


# ---- damage


def overwrite(path: Path) -> None:
    path.write_bytes(b"garbage" * 1_000)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xa5" * (path.stat().st_size - 200))


@pytest.mark.parametrize("damage", [overwrite, cut, scribble])
def test_a_damaged_catalogue_is_made_anew_from_the_listing(
    mailbox: Mailbox, damage: Callable[[Path], None]
) -> None:
    given = fill(mailbox, 8)
    damage(catalogue_of(mailbox))
    store = mailbox.store()
    assert list(store.seen()) == given
    assert store.warnings()
    assert (mailbox.path / DAMAGED_NAME).exists()
    listing_of(mailbox).unlink()
    again = mailbox.store()
    assert list(again.seen()) == given
    assert again.warnings() == []


@pytest.mark.parametrize("damage", [overwrite, cut, scribble])
def test_without_a_listing_the_mail_is_served_with_the_ids_of_its_names(
    mailbox: Mailbox, damage: Callable[[Path], None]
) -> None:
    mailbox.add_many(3)
    given = list(mailbox.store().seen())
    damage(catalogue_of(mailbox))
    store = mailbox.store()
    assert list(store.seen()) == given
    assert store.warnings()
    again = mailbox.store()
    assert list(again.seen()) == given
    assert again.warnings() == []


def test_what_is_sound_of_a_damaged_catalogue_is_saved(mailbox: Mailbox) -> None:
    """Unique-ids and tombstones come from the damaged file itself where there is no listing."""
    given = fill(mailbox, 8)
    path = mailbox.path / "cur" / "1600000000.twin:2,"
    path.rename(mailbox.path / "tmp" / "aside")
    mailbox.store().seen()
    connection = sqlite3.connect(catalogue_of(mailbox))
    connection.execute("DELETE FROM generation")
    connection.commit()
    connection.close()
    listing_of(mailbox).unlink()
    store = mailbox.store()
    assert set(store.seen()) == set(given) - {b"1600000000.twin"}
    (mailbox.path / "tmp" / "aside").rename(path)
    assert set(store.seen()) == set(given)
    assert any("no generation" in warning for warning in store.warnings())


def test_damage_that_only_writing_meets_is_mended_as_well(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = fill(mailbox, 8)
    store = mailbox.store()
    store.seen()
    overwrite(catalogue_of(mailbox))
    # The image in memory is believed: the stamp says that the file is as it was.
    monkeypatch.setattr(
        module.Records,
        "stamp",
        lambda self: store._cache.get(mailbox.octets).stamp,  # type: ignore[union-attr]
    )
    mailbox.add("new/1700000009.new")
    assert list(store.seen()) == [*given, b"1700000009.new"]
    monkeypatch.undo()
    assert list(mailbox.store().seen()) == [*given, b"1700000009.new"]


def test_a_catalogue_of_another_version_is_left_alone(mailbox: Mailbox) -> None:
    given = fill(mailbox, 8)
    connection = sqlite3.connect(catalogue_of(mailbox))
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    before = catalogue_of(mailbox).read_bytes()
    store = mailbox.store()
    assert list(store.seen()) == given
    mailbox.add("new/1700000009.new")
    assert list(store.seen()) == [*given, b"1700000009.new"]
    assert catalogue_of(mailbox).read_bytes() == before
    assert any("version" in warning for warning in store.warnings())


def fail_to_open(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the catalogue be out of reach for a while, without anything being wrong with it."""
    opened, failures = Catalogue.open, [sqlite3.OperationalError("unable to open it")] * times

    def open_catalogue(mailbox: bytes, *, create: bool) -> Catalogue | None:
        if failures:
            raise failures.pop()
        return opened(mailbox, create=create)

    monkeypatch.setattr(Catalogue, "open", open_catalogue)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_could_not_be_read_for_once_is_not_written_over(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    given = fill(mailbox, 3)
    mailbox.settle()
    store = mailbox.store()
    fail_to_open(monkeypatch, times)
    assert len(store.seen()) == 3
    monkeypatch.undo()
    assert store.open_ready(ALICE) is None
    assert list(store.seen()) == given
    assert store.seen().items() >= TWINS.items()
    mailbox.add("new/1700000009.new")
    assert list(store.seen()) == [*given, b"1700000009.new"]
    assert mailbox.store().seen().items() >= TWINS.items()


def test_what_is_known_stays_known_while_the_records_are_out_of_reach(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = fill(mailbox, 2)
    store = mailbox.store()
    store.seen()
    mailbox.add("new/1700000009.new")
    both = [*given, b"1700000009.new"]
    assert list(mailbox.store().seen()) == both
    os.utime(catalogue_of(mailbox))
    fail_to_open(monkeypatch, 3)
    shown = store.seen()
    assert list(shown) == both
    assert shown.items() >= TWINS.items()


def test_what_another_process_could_record_goes_before_what_one_could_not(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add("cur/1600000000.twin:2,")
    mailbox.add("new/1600000000.twin")
    mailbox.settle()

    def full(*arguments: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    store = mailbox.store()
    with monkeypatch.context() as disk:
        disk.setattr(Catalogue, "replace", full)
        store.seen()
    recorded = list(mailbox.store().seen())
    assert store.open_ready(ALICE) is None
    assert list(store.seen()) == recorded
    maildrop = store.open(ALICE)
    assert maildrop.listing.version.generation
    maildrop.close()


def test_two_changes_in_one_tick_of_the_clock_are_two(mailbox: Mailbox) -> None:
    mailbox.add("cur/1700000001.a:2,")
    store, other = mailbox.store(), mailbox.store()
    store.seen()
    before = catalogue_of(mailbox).stat()
    mailbox.add("cur/1600000000.twin:2,", FIRST)
    assert other.seen().items() >= TWINS.items()
    os.utime(catalogue_of(mailbox), ns=(before.st_mtime_ns,) * 2)
    after = catalogue_of(mailbox).stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)
    mailbox.add("new/1600000000.twin", SECOND)
    assert store.seen().items() >= TWINS.items()


def test_what_could_not_be_recorded_is_recorded_later(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = fill(mailbox, 8)
    store = mailbox.store()
    store.seen()

    def full(*arguments: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Catalogue, "replace", full)
    mailbox.add("new/1600000000.twin,S=3")
    shown = list(store.seen())
    assert shown[:8] == given
    assert any("full" in warning for warning in store.warnings())
    monkeypatch.undo()
    mailbox.add("new/1700000009.new")
    assert list(store.seen()) == [*shown, b"1700000009.new"]
    assert list(mailbox.store().seen()) == [*shown, b"1700000009.new"]


@pytest.mark.parametrize("count", [3, 8])
def test_a_folder_from_before_the_epoch_is_opened_as_any_other(
    mailbox: Mailbox, count: int
) -> None:
    """As an archive with a broken date brings it along."""
    mailbox.add_many(count)
    os.utime(mailbox.path / "cur", ns=(-5_500_000_000,) * 2)
    store = mailbox.store()
    given = store.seen()
    assert len(given) == count
    assert mailbox.store().seen() == given
    mailbox.add("cur/1600000000.another:2,")
    os.utime(mailbox.path / "cur", ns=(-5_500_000_000,) * 2)
    assert len(store.seen()) == count + 1
