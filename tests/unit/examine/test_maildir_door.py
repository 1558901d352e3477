"""The door into a Maildir: its own files and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from restante.examine.maildir_door import MaildirDoor
from restante.examine.outcome import NotTried


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()
    return tmp_path


def names(maildir: Path) -> list[str]:
    return sorted(path.name for path in maildir.glob("*/*"))


def test_messages_come_into_new_in_their_order(maildir: Path) -> None:
    door = MaildirDoor(maildir)
    for number in range(12):
        door.deliver(b"%d" % number)
    found = sorted((maildir / "new").iterdir())
    assert [path.read_bytes() for path in found] == [b"%d" % number for number in range(12)]
    assert list((maildir / "tmp").iterdir()) == []
    door.close()


def test_only_what_was_put_in_is_taken_out(maildir: Path) -> None:
    (maildir / "cur" / "1.theirs:2,S").write_bytes(b"somebody's")
    door = MaildirDoor(maildir)
    door.deliver(b"ours")
    door.deliver(b"ours too")
    first = min((maildir / "new").iterdir())
    first.rename(maildir / "cur" / f"{first.name}:2,S")
    assert door.take_out()
    assert names(maildir) == ["1.theirs:2,S"]
    door.close()


def test_a_check_leaves_nothing(maildir: Path) -> None:
    door = MaildirDoor(maildir)
    door.check()
    assert names(maildir) == []
    door.close()


def test_a_folder_that_is_no_maildir_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MaildirDoor(tmp_path)


def test_no_link_is_followed(maildir: Path, tmp_path: Path) -> None:
    (maildir / "new").rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (maildir / "new").symlink_to(elsewhere)
    with pytest.raises(OSError, match=r"directory|loop|link"):
        MaildirDoor(maildir)


def test_the_message_belongs_to_whom_the_folder_belongs(maildir: Path) -> None:
    os.chmod(maildir / "new", 0o770)
    door = MaildirDoor(maildir)
    door.deliver(b"x")
    status = next((maildir / "new").iterdir()).stat()
    assert status.st_mode & 0o777 == 0o660
    assert status.st_uid == (maildir / "new").stat().st_uid
    door.close()


def test_a_maildir_that_went_away_is_told(maildir: Path) -> None:
    door = MaildirDoor(maildir)
    for name in ("tmp", "new", "cur"):
        (maildir / name).rmdir()
    with pytest.raises(NotTried, match="the Maildir"):
        door.deliver(b"x")
    with pytest.raises(NotTried, match="the Maildir"):
        door.check()
    door.close()
