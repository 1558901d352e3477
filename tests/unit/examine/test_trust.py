"""Trust: whose certificate may have a password sent to it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from restante.examine.trust import ANYBODY, PinnedTrust, VerifiedTrust, fingerprint_of


def test_anybody_is_anybody() -> None:
    assert ANYBODY.accepts(b"x")
    assert ANYBODY.accepts(None)


def test_a_pinned_certificate_is_the_only_one() -> None:
    trust = PinnedTrust(hashlib.sha256(b"this").hexdigest())
    assert trust.accepts(b"this")
    assert not trust.accepts(b"that")
    assert not trust.accepts(None)
    assert [trust.refuses(each) for each in (b"this", b"that", None)] == [False, True, True]
    assert not ANYBODY.refuses(b"that")


def test_only_what_was_verified_before_is_accepted() -> None:
    trust = VerifiedTrust()
    assert not trust.accepts(b"x")
    trust.learn(b"x")
    trust.learn(None)
    assert trust.accepts(b"x")
    assert not trust.accepts(None)


def test_authorities_are_read_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"\S"):
        VerifiedTrust(tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_text("nothing\n")
    with pytest.raises(OSError, match=r"\S"):
        VerifiedTrust(tmp_path / "empty.pem")


def test_a_fingerprint_is_what_other_programs_show() -> None:
    assert fingerprint_of(b"x") == hashlib.sha256(b"x").hexdigest()
