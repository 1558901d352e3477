"""Survey: a refresh of a big maildrop in a process of its own, which holds nobody's interpreter.

Run as `python -m restante.stores.survey`, with one question on standard input and one answer on
standard output, in frames of octets. It reads folders, files and records and writes nothing: what
has to be recorded is recorded by who asked, under the maildrop's lock. Whatever goes wrong here,
the asker does the work itself.
"""

import gc
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import BinaryIO

from restante.errors import Refusal
from restante.maildrop import Buffer
from restante.stores.catalogue import Changes, Gone
from restante.stores.image import ListingImage, load
from restante.stores.records import Records
from restante.stores.refresh import Affordable, Refresh
from restante.telemetry import Event, Field

ANSWER_SECONDS = 600.0
"""More than any maildrop takes that a client waits for; a process that hangs holds its lock."""
_QUESTION = struct.Struct("=QQQ?I")
"""Generation of what is known, messages and octets that are counted at once, whether anything is
known, path."""
_ANSWER = struct.Struct("=?QQII")
"""Whether anything changed, base, first, how many are gone and back; then they, then the image."""
_GONE = struct.Struct("=HHQ?")
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class SurveyFailed(Exception):
    """No answer came, for whatever reason."""


def survey(
    mailbox: bytes, known: ListingImage | None, affordable: Affordable
) -> tuple[ListingImage, Changes | None]:
    """Have a process refresh a maildrop whose recorded image is `known`.

    Raises:
        SurveyFailed: it could not.
    """
    generation = 0 if known is None else known.version.generation
    question = _QUESTION.pack(generation, *affordable, known is not None, len(mailbox))
    try:
        # No fork of ours: this process has threads. Nothing is inherited but the two pipes.
        finished = subprocess.run(
            [sys.executable, "-P", "-m", "restante.stores.survey"],
            input=question + mailbox,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
            check=True,
            timeout=ANSWER_SECONDS,
        )
        return _parse_answer(finished.stdout)
    except (OSError, subprocess.SubprocessError, struct.error) as error:
        raise SurveyFailed from error


def _parse_answer(answer: bytes) -> tuple[ListingImage, Changes | None]:
    is_changed, base, first, gone_count, back_count = _ANSWER.unpack_from(answer)
    offset = _ANSWER.size
    messages: list[Gone] = []
    for _ in range(gone_count + back_count):
        name_octets, id_octets, size, removed = _GONE.unpack_from(answer, offset)
        offset += _GONE.size
        unique_name = answer[offset : offset + name_octets]
        offset += name_octets
        unique_id = answer[offset : offset + id_octets]
        offset += id_octets
        messages.append(Gone(unique_name, unique_id, size, removed))
    image = load(memoryview(answer)[offset:])
    if image is None:
        raise SurveyFailed("the answer holds no image")
    if not is_changed:
        return image, None
    changes = Changes(
        base,
        first,
        image.names(),
        image.sizes(),
        image.unique_ids(),
        image.claims(),
        gone=messages[:gone_count],
        back=messages[gone_count:],
    )
    return image, changes


# ---- in the process


def main() -> int:
    """Answer one question."""
    # This process ends with its answer: to collect is to look at everything for nothing.
    gc.disable()
    status = _answer(sys.stdin.buffer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return status


def _answer(questions: BinaryIO, answers: BinaryIO) -> int:
    head = questions.read(_QUESTION.size)
    generation, affordable_messages, affordable_octets, is_known, octets = _QUESTION.unpack(head)
    mailbox = questions.read(octets)
    records = Records(mailbox, _no_log)
    known = records.known(may_mend=False) if is_known else None
    if is_known and (known is None or known.version.generation != generation):
        return 1
    catalogue = records.open()
    refresh = Refresh(mailbox, Affordable(affordable_messages, affordable_octets))
    try:
        image = refresh.run(known, catalogue)
    except (OSError, Refusal):
        return 1
    answers.writelines(_answer_pieces(image, refresh.changes))
    return 0


def _answer_pieces(image: ListingImage, changes: Changes | None) -> Iterator[Buffer]:
    if changes is None:
        yield _ANSWER.pack(False, 0, 0, 0, 0)
    else:
        gone, back = changes.gone, changes.back
        yield _ANSWER.pack(True, changes.base, changes.first, len(gone), len(back))
        for message in (*gone, *back):
            name, unique_id = message.unique_name, message.unique_id
            yield _GONE.pack(len(name), len(unique_id), message.size, message.removed)
            yield name + unique_id
    yield from image.dump()


def _no_log(event: Event, /, **fields: Field) -> None:
    """Tell nobody: who asked looks at the same records and logs what is wrong with them."""


if __name__ == "__main__":
    sys.exit(main())
