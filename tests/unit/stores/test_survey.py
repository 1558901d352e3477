"""A survey by another process comes to the same as one's own, and its failure costs nothing."""

import io
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import restante
from restante.stores import maildir, surveyor
from restante.stores import survey as module
from restante.stores.refresh import Refresh
from restante.stores.survey import SurveyFailed, survey
from unit.stores.mailboxes import AFFORDABLE, ALICE, Mailbox

SOURCE = Path(restante.__file__).parent.parent


def test_the_answer_is_what_one_would_find_oneself(mailbox: Mailbox) -> None:
    mailbox.add_many(40)
    mailbox.add("cur/with\nnewline \xff,W=9:2,")
    mailbox.settle()
    image, changes = survey(mailbox.octets, None, AFFORDABLE)
    refresh = Refresh(mailbox.octets, AFFORDABLE)
    own = refresh.run(None, None)
    assert b"".join(image.dump()) == b"".join(own.dump())
    assert changes is not None
    assert refresh.changes is not None
    assert (changes.base, changes.first, changes.image) == (0, 0, image)
    assert changes.packed_unique_ids == refresh.changes.packed_unique_ids


def test_what_went_and_what_came_back(mailbox: Mailbox) -> None:
    """Renamed, gone, back and new: a store that asks knows what one that looks knows."""
    uniques = mailbox.add_many(12)
    paths = [mailbox.path / "cur" / f"{unique}:2," for unique in uniques]
    store = mailbox.store(big_folder=0)
    given = list(store.seen())
    assert [unique_id.decode() for unique_id in given] == uniques
    aside = paths[3].rename(mailbox.path / "tmp" / "aside")
    paths[4].rename(mailbox.path / "cur" / f"{uniques[4]}:2,S")
    mailbox.add("new/1800000000.new")
    del given[3]
    given.append(b"1800000000.new")
    assert list(store.seen()) == given
    aside.rename(paths[3])
    assert list(store.seen()) == [*given, uniques[3].encode()]
    assert list(mailbox.store().seen()) == [*given, uniques[3].encode()]
    assert store.warnings() == []


def test_a_session_is_the_same_with_a_survey_and_without(mailbox: Mailbox) -> None:
    mailbox.add_many(5)
    surveyed = mailbox.store(big_folder=4, verify_at_login=0)
    maildrop = surveyed.open(ALICE)
    maildrop.remove([2])
    maildrop.close()
    assert surveyed.seen() == mailbox.store().seen()
    assert len(surveyed.seen()) == 4


@pytest.mark.parametrize("program", ["/nonexistent", "/bin/true", "/bin/false", "/bin/cat"])
def test_without_an_answer_one_looks_oneself(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    mailbox.add_many(5)
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(SurveyFailed):
        survey(mailbox.octets, None, AFFORDABLE)
    store = mailbox.store(big_folder=1)
    assert len(store.seen()) == 5
    assert any(warning.startswith("survey") for warning in store.warnings())


def test_an_answer_is_not_waited_for_for_ever(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = mailbox.directory / "hangs"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    mailbox.add_many(5)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.1)
    started = time.monotonic()
    with pytest.raises(SurveyFailed):
        survey(mailbox.octets, None, AFFORDABLE)
    assert time.monotonic() - started < 30


def test_records_that_are_others_by_now_are_not_answered_from(mailbox: Mailbox) -> None:
    mailbox.add_many(3)
    store = mailbox.store()
    maildrop = store.open(ALICE)
    maildrop.close()
    mailbox.add("new/1800000000.new")
    mailbox.store().seen()
    with pytest.raises(SurveyFailed):
        survey(mailbox.octets, maildrop.listing, AFFORDABLE)


def test_what_is_in_no_record_cannot_be_asked_about(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mailbox.path / "restante.catalogue").mkdir()
    mailbox.add_many(3)
    store = mailbox.store()
    store.seen()
    monkeypatch.setattr(maildir, "survey", lambda *arguments: pytest.fail("asked"))
    store._big_folder = 1
    mailbox.add("new/1800000000.new")
    os.utime(mailbox.path / "cur")
    assert len(store.seen()) == 4


def test_the_process_inherits_nothing_but_its_pipes(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments: dict[str, object] = {}
    run = subprocess.run

    def record(*positional: object, **keywords: object) -> "subprocess.CompletedProcess[bytes]":
        arguments.update(keywords)
        return run(*positional, **keywords)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "run", record)
    monkeypatch.setenv("SECRET", "x")
    survey(mailbox.octets, None, AFFORDABLE)
    environment = arguments["env"]
    assert isinstance(environment, dict)
    assert "SECRET" not in environment
    assert arguments.get("close_fds", True)
    assert "pass_fds" not in arguments


@pytest.mark.parametrize("question", [b"", b"x", bytes(21)])
def test_a_question_that_is_none(question: bytes, mailbox: Mailbox) -> None:
    process = subprocess.run(
        [sys.executable, *module._OPTIONS, str(SOURCE)],
        input=question,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert not process.stdout or process.returncode == 0
    with pytest.raises(struct.error):
        surveyor.answer(io.BytesIO(question[:3]), io.BytesIO())


def test_no_more_is_loaded_than_the_first_look_takes(mailbox: Mailbox) -> None:
    """What is imported is paid for with each survey."""
    for number in range(3):
        mailbox.add(f"cur/170000000{number}.a,S=2,W=3:2,", b"a\n")
    program = (
        "import sys, io; sys.path.append(sys.argv[1]); from restante.stores import surveyor;"
        "status = surveyor.answer(sys.stdin.buffer, io.BytesIO());"
        "sys.stdout.write(' '.join(sys.modules)); sys.exit(status)"
    )
    process = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(SOURCE)],
        input=surveyor.QUESTION.pack(0, 0, 0, False, len(mailbox.octets)) + mailbox.octets,
        capture_output=True,
        timeout=60,
        check=True,
    )
    loaded = set(process.stdout.decode().split())
    assert "restante.stores.refresh" in loaded
    costly = {"ctypes", "dataclasses", "hashlib", "inspect", "pathlib", "sqlite3", "subprocess"}
    assert not loaded & costly
    ours = {name for name in loaded if name.startswith("restante.")}
    stores = {"changes", "image", "names", "refresh", "scan", "surveyor", "unique_ids"}
    assert ours == {"restante.errors", "restante.stores"} | {f"restante.stores.{n}" for n in stores}


def test_a_catalogue_that_nothing_is_known_from_is_asked_all_the_same(mailbox: Mailbox) -> None:
    """It may be one that could not be read a moment ago."""
    mailbox.add_many(3)
    mailbox.store().seen()
    image, changes = survey(mailbox.octets, None, AFFORDABLE)
    assert image.count == 3
    assert changes is not None
