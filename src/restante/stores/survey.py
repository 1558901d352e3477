"""Survey: a refresh of a big maildrop in a process of its own, which holds nobody's interpreter.

Here it is asked for, in frames of octets; `surveyor` is what answers. The answer is written to
memory that both have: a pipe would have it copied once more, piece by piece.
"""

import os
import struct
import subprocess
import sys
from pathlib import Path

import restante
from restante.stores.changes import Changes, Gone
from restante.stores.image import ListingImage, load
from restante.stores.pages import read_whole
from restante.stores.refresh import Affordable
from restante.stores.surveyor import ANSWER, GONE, PACK, QUESTION

ANSWER_SECONDS = 600.0
"""More than any maildrop takes that a client waits for; a process that hangs holds its lock."""
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from restante.stores.surveyor import main; main()"
)
_OPTIONS = ("-I", "-S", "-X", "utf8", "-c", _PROGRAM)
"""Neither environment nor site: nothing is loaded that it does not ask for."""
_INHERITED = ("LD_LIBRARY_PATH",)
_TUNING = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Texts of megabytes lie in big pages, where the system has them."""


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
    question = QUESTION.pack(generation, *affordable, known is not None, len(mailbox))
    try:
        return _parse(_ask(question + mailbox))
    except (OSError, subprocess.SubprocessError, struct.error) as error:
        raise SurveyFailed from error


def _ask(question: bytes) -> memoryview:
    answer = os.memfd_create("survey", os.MFD_CLOEXEC)
    try:
        # No fork of ours: this process has threads. Nothing is inherited but the two files.
        subprocess.run(
            [sys.executable, *_OPTIONS, str(Path(restante.__file__).parent.parent)],
            input=question,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env=_TUNING | {name: os.environ[name] for name in _INHERITED if name in os.environ},
            start_new_session=True,
            check=True,
            timeout=ANSWER_SECONDS,
        )
        return memoryview(read_whole(answer))
    finally:
        os.close(answer)


def _parse(answer: memoryview) -> tuple[ListingImage, Changes | None]:
    is_changed, base, first, gone_count, back_count, pack_count = ANSWER.unpack_from(answer)
    offset = ANSWER.size
    messages: list[Gone] = []
    for _ in range(gone_count + back_count):
        name_octets, id_octets, size, removed = GONE.unpack_from(answer, offset)
        offset += GONE.size
        unique_name = bytes(answer[offset : offset + name_octets])
        offset += name_octets
        unique_id = bytes(answer[offset : offset + id_octets])
        offset += id_octets
        messages.append(Gone(unique_name, unique_id, size, removed))
    packs: list[memoryview] = []
    for _ in range(pack_count):
        (octets,) = PACK.unpack_from(answer, offset)
        offset += PACK.size
        packs.append(answer[offset : offset + octets])
        offset += octets
    image = load(answer[offset:])
    if image is None:
        raise SurveyFailed("the answer holds no image")
    if not is_changed:
        return image, None
    gone, back = messages[:gone_count], messages[gone_count:]
    return image, Changes(base, first, image, gone, back, packs)
