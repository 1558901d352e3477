"""The judge's own reading of replies."""

from __future__ import annotations

import pytest

from restante.examine.replies import Answer, Status, capabilities_of
from restante.examine.stage import offers


@pytest.mark.parametrize(
    ("raw", "well_formed", "code"),
    [
        (b"+OK\r\n", True, None),
        (b"-ERR [IN-USE] busy\r\n", True, "IN-USE"),
        (b"-ERR [sys/temp/disk] full\r\n", True, "SYS/TEMP/DISK"),
        (b"-ERR no [code] here\r\n", True, None),
        (b"+OK fine\n", False, None),
        (b"+OKAY\r\n", False, None),
        (b"+ok\r\n", False, None),
    ],
)
def test_a_status_line_is_taken_apart(raw: bytes, well_formed: bool, code: str | None) -> None:
    status = Status(raw)
    assert status.well_formed is well_formed
    assert status.code == code


def test_capabilities_have_their_parameters() -> None:
    listed = capabilities_of(Answer(Status(b"+OK\r\n"), (b"top\r\n", b"SASL PLAIN EXTERNAL\r\n")))
    assert offers(listed, "TOP")
    assert offers(listed, "SASL EXTERNAL")
    assert not offers(listed, "SASL LOGIN")
    assert not offers(listed, "UIDL")


def test_a_server_without_capa_may_have_what_is_older_than_capa() -> None:
    assert offers(None, "UIDL")
    assert not offers(None, "PIPELINING")
