"""A Maildir for every test."""

from pathlib import Path

import pytest

from unit.stores.mailboxes import Mailbox


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """An empty Maildir."""
    return Mailbox(tmp_path)
