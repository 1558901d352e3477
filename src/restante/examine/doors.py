"""Doors: the ways in which the messages of the cases get into a maildrop.

A door raises NotTried where it does not take a message. One that is `exact` leaves every octet
as it is; one that is `prompt` has put the message in when `deliver` returns. The door into a
Maildir is in `maildir_door.py`.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from typing import ClassVar

from restante.examine.fixtures import Fixture
from restante.examine.outcome import NotTried
from restante.examine.transfer import Address, Refused, Transfer

_TOLD_OCTETS = 200


class Door:
    """A way into one account's maildrop."""

    exact: ClassVar[bool] = False
    prompt: ClassVar[bool] = False
    takes_out: ClassVar[bool] = False
    """Whether what was put in can be taken out by the same way."""

    def check(self) -> None:
        """Raise NotTried where it is plain already that no message would be taken."""

    def deliver(self, octets: bytes) -> None:
        """Put one message in."""
        raise NotImplementedError

    def take_out(self) -> bool:
        """Take out again what was put in, or tell that this door opens one way only."""
        return False

    def close(self) -> None:
        """Let go of whatever the door holds."""


class CommandDoor(Door):
    """A program that takes a message on standard input, called without a shell."""

    def __init__(self, command: str, user: str, patience_seconds: float) -> None:
        self._arguments = command_line(command, user)
        self._patience_seconds = patience_seconds

    def check(self) -> None:
        """Look for the program."""
        if shutil.which(self._arguments[0]) is None:
            raise NotTried(f"the delivering command {self._arguments[0]!a} is not there")

    def deliver(self, octets: bytes) -> None:
        """Run it; status 0 means that it has the message."""
        with tempfile.TemporaryFile() as complaints:
            try:
                ended = subprocess.run(
                    self._arguments,
                    input=octets,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    timeout=self._patience_seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                told = f"did not end within {self._patience_seconds:g} s"
                raise NotTried(f"the delivering command {told}") from error
            except OSError as error:
                raise NotTried(f"the delivering command: {error.strerror or error}") from error
            if ended.returncode:
                complaints.seek(0)
                told = ascii(complaints.read(_TOLD_OCTETS).decode("latin-1").strip())
                raise NotTried(
                    f"the delivering command ended with status {ended.returncode} and said {told}"
                )


class SmtpDoor(Door):
    """A listener that speaks SMTP (RFC 5321), and may deliver whenever it likes."""

    protocol: ClassVar[str] = "SMTP"
    greeting_command: ClassVar[str] = "EHLO"

    def __init__(self, address: Address, recipient: str, patience_seconds: float) -> None:
        self._address = address
        self._recipient = recipient
        self._patience_seconds = patience_seconds

    def check(self) -> None:
        """Go as far as the recipient."""
        self._talk(None)

    def deliver(self, octets: bytes) -> None:
        """Hand one message over, with the line ends that the protocol wants."""
        self._talk(Fixture("", octets).wire)

    def _talk(self, message: bytes | None) -> None:
        """Have one session, without a message up to where it would come."""
        try:
            with Transfer(self._address, self.greeting_command, self._patience_seconds) as session:
                session.envelope(self._recipient)
                if message is not None:
                    session.message(message)
        except Refused as refusal:
            raise NotTried(f"{self._place} refuses: {refusal}") from refusal
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or error or "no answer in time"
            raise NotTried(f"{self._place}: {cause}") from error

    @property
    def _place(self) -> str:
        if isinstance(self._address, str):
            return f"{self.protocol} at {self._address!a}"
        return f"{self.protocol} at {self._address[0]}, port {self._address[1]},"


class LmtpDoor(SmtpDoor):
    """A listener that speaks LMTP (RFC 2033), at a port or at a UNIX socket."""

    protocol: ClassVar[str] = "LMTP"
    greeting_command: ClassVar[str] = "LHLO"
    prompt: ClassVar[bool] = True


def command_line(command: str, user: str) -> list[str]:
    """Return the words of a command, raising ValueError where there are none."""
    words = [word.replace("{user}", user) for word in shlex.split(command)]
    if not words:
        raise ValueError("the command is empty")
    return words
