"""Doors: the ways in which the messages of the cases get into a maildrop."""

from __future__ import annotations

from typing import Protocol


class Door(Protocol):
    """A way into one account's maildrop."""

    def deliver(self, octets: bytes) -> None:
        """Put one message in, or raise NotTried."""


class MaildirDoor:
    """A Maildir that lies where the suite can write."""


class CommandDoor:
    """A program that takes a message on standard input."""


class LmtpDoor:
    """A listener that speaks LMTP (RFC 2033)."""


class SmtpDoor:
    """A listener that speaks SMTP (RFC 5321)."""
