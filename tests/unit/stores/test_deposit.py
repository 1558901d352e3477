"""Deliveries are whole, durable and named uniquely, or not there at all."""

import errno
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from restante.errors import TemporaryFailure
from restante.stores import deposit as module
from restante.stores.deposit import deposit
from restante.stores.names import is_legal_unique_id, parse
from restante.testing.stores import SHAPES
from unit.stores.mailboxes import Mailbox


@pytest.mark.parametrize("shape", SHAPES)
def test_a_message_is_stored_as_it_came_and_its_name_tells_no_lies(
    mailbox: Mailbox, shape: str
) -> None:
    stored, wire = SHAPES[shape]
    name = deposit(mailbox.path, BytesIO(stored))
    assert (mailbox.path / "new" / os.fsdecode(name)).read_bytes() == stored
    assert name.endswith(b",S=%d,W=%d" % (len(stored), len(wire)))
    assert list((mailbox.path / "tmp").iterdir()) == []


def test_a_maildir_is_made_where_there_is_none(tmp_path: Path) -> None:
    mailbox = tmp_path / "example.org" / "bob" / "Maildir"
    deposit(mailbox, BytesIO(b"x\n"))
    for folder in (mailbox.parent.parent, mailbox, *mailbox.iterdir()):
        assert folder.stat().st_mode & 0o777 == 0o700
    [path] = (mailbox / "new").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_maildir_survives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronised: list[Path] = []
    synchronise = module.synchronise

    def record(folder: Path) -> None:
        synchronised.append(folder)
        synchronise(folder)

    monkeypatch.setattr(module, "synchronise", record)
    mailbox = tmp_path / "bob" / "Maildir"
    deposit(mailbox, BytesIO(b"x\n"))
    assert {tmp_path, tmp_path / "bob", mailbox, mailbox / "new"} <= set(synchronised)
    assert synchronised[-1] == mailbox / "new"


@pytest.mark.parametrize("host", ["mail.example.org", "a/b:c,d e", "x" * 64, "", "h\u00e9"])
def test_the_unique_name_will_do_as_a_unique_id(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    unique = parse(deposit(mailbox.path, BytesIO(b"x\n"), lambda: 10**19 - 1)).unique
    assert is_legal_unique_id(unique)
    assert re.fullmatch(rb"\d+\.M999999P\d+Q\d+\.[A-Za-z0-9.-]*", unique)


def test_many_at_once_are_all_there(mailbox: Mailbox) -> None:
    with ThreadPoolExecutor(8) as threads:
        names = list(
            threads.map(lambda n: deposit(mailbox.path, BytesIO(b"%d\n" % n), lambda: 7), range(64))
        )
    assert len(set(names)) == 64
    assert len(list((mailbox.path / "new").iterdir())) == 64


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_what_could_not_be_stored_leaves_nothing(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(TemporaryFailure):
        deposit(mailbox.path, BytesIO(b"x\n"))
    assert list((mailbox.path / "tmp").iterdir()) == []
    assert list((mailbox.path / "new").iterdir()) == []


def test_a_delivery_that_is_not_durable_is_taken_back(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told that it failed sends it again: it would be there twice."""

    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "synchronise", fail)
    with pytest.raises(TemporaryFailure):
        deposit(mailbox.path, BytesIO(b"x\n"))
    assert list((mailbox.path / "new").iterdir()) == []


def test_a_name_that_is_taken_is_not_written_over(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_unique_name", lambda now_ns: "taken")
    mailbox.add("new/taken,S=2,W=3", b"first\n")
    with pytest.raises(TemporaryFailure):
        deposit(mailbox.path, BytesIO(b"x\n"))
    assert (mailbox.path / "new" / "taken,S=2,W=3").read_bytes() == b"first\n"
