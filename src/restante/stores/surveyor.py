"""The process of a survey: one question on standard input, one answer on standard output.

It reads folders, files and records and writes nothing: what has to be recorded is recorded by who
asked, under the maildrop's lock. Whatever goes wrong here, the asker does the work itself.

A survey is a process of its own each time, so what it imports is paid for each time: no more is
loaded than it takes to see very many files that nothing is known of, and the rest when needed.
"""

from __future__ import annotations

import gc
import os
import struct
import sys
from typing import TYPE_CHECKING

from restante.errors import Refusal
from restante.stores.changes import CATALOGUE_NAME
from restante.stores.refresh import Affordable, Refresh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from restante.maildrop import Buffer
    from restante.stores.catalogue import Catalogue
    from restante.stores.changes import Changes
    from restante.stores.image import ListingImage
    from restante.telemetry import Event, Field

QUESTION = struct.Struct("=QQQ?I")
"""Generation of what is known, messages and octets that are counted at once, whether anything is
known, path."""
ANSWER = struct.Struct("=?QQIII")
"""Whether anything changed, base, first, how many are gone and back, and how many packs of
unique-ids there are; then all these in their order, then the image."""
GONE = struct.Struct("=HHQ?")
"""Octets of name and unique-id, which follow, size, whether it was removed by us."""
PACK = struct.Struct("=I")
"""Octets of a pack, which follow."""


class OtherRecords(Exception):
    """What is recorded is not what was asked about."""


def main() -> None:
    """Answer one question."""
    # This process ends with its answer: to collect is to look at everything for nothing, and so
    # is to take apart what the kernel takes as it is.
    gc.disable()
    status = answer(sys.stdin.buffer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    os._exit(status)


def answer(questions: BinaryIO, answers: BinaryIO) -> int:
    """Answer the question from one file in another, and return the exit status."""
    head = questions.read(QUESTION.size)
    generation, affordable_messages, affordable_octets, is_known, octets = QUESTION.unpack(head)
    mailbox = questions.read(octets)
    refresh = Refresh(mailbox, Affordable(affordable_messages, affordable_octets))
    try:
        known, catalogue = _records(mailbox, generation if is_known else None)
        image = refresh.run(known, catalogue)
    except (OSError, Refusal, OtherRecords):
        return 1
    answers.writelines(_pieces(image, refresh.changes))
    return 0


def _records(
    mailbox: bytes, generation: int | None
) -> tuple[ListingImage | None, Catalogue | None]:
    """Return what was recorded in a generation, None if nothing, and what can be asked of more.

    Raises:
        OtherRecords: it is something else by now.
    """
    if generation is None and not os.path.lexists(os.path.join(mailbox, CATALOGUE_NAME.encode())):
        return None, None
    from restante.stores.records import Records

    records = Records(mailbox, _no_log)
    if generation is None:
        return None, records.open()
    known = records.known(may_mend=False)
    if known is None or known.version.generation != generation:
        raise OtherRecords
    return known, records.open()


def _pieces(image: ListingImage, changes: Changes | None) -> Iterator[Buffer]:
    if changes is None:
        yield ANSWER.pack(False, 0, 0, 0, 0, 0)
    else:
        gone, back, packs = changes.gone, changes.back, changes.packed_unique_ids
        yield ANSWER.pack(True, changes.base, changes.first, len(gone), len(back), len(packs))
        for message in (*gone, *back):
            name, unique_id = message.unique_name, message.unique_id
            yield GONE.pack(len(name), len(unique_id), message.size, message.removed)
            yield name + unique_id
        for pack in packs:
            yield PACK.pack(len(pack))
            yield pack
    yield from image.dump()


def _no_log(event: Event, /, **fields: Field) -> None:
    """Tell nobody: who asked looks at the same records and logs what is wrong with them."""
