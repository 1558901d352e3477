"""Mail for the demo: real messages, each hard in its own way."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from restante.cli.demo_mail import messages

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    return messages("demo", NOW)


def parsed(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def test_every_one_is_a_message(written: list[bytes]) -> None:
    identifiers = set()
    dates = []
    for data in written:
        message = parsed(data)
        assert not message.defects
        assert message["To"] == "demo@localhost"
        identifiers.add(message["Message-ID"])
        dates.append(message["Date"].datetime)
        assert data.replace(b"\r\n", b"").count(b"\n") == 0
        assert data.replace(b"\r\n", b"").count(b"\r") == 0
        assert max(map(len, data.split(b"\r\n"))) <= 998
    assert len(identifiers) == len(written) == 4
    assert dates == sorted(dates)
    assert dates[-1] < NOW


def test_what_makes_each_of_them_hard(written: list[bytes]) -> None:
    plain, attachment, eight_bit, dots = written
    assert plain.isascii()
    (figures,) = parsed(attachment).iter_attachments()
    content = figures.get_content()
    assert isinstance(content, str)
    assert content.splitlines()[100] == "99,9801,970299"
    assert len(attachment) > 65_536
    assert not eight_bit.isascii()
    assert "早上好" in eight_bit.decode()
    assert b"\r\n.\r\n..\r\n" in dots
