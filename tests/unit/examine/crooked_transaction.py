"""The crooked server's Transaction state: listings, messages and marks."""

from __future__ import annotations

import binascii
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unit.examine.crooked import Mailbox


class Transaction(ABC):
    """The commands on an open mailbox, and what the faults make of them."""

    faults: frozenset[str]
    mailbox: Mailbox | None = None
    utf8 = False

    def __init__(self) -> None:
        self.mail: list[tuple[str, bytes]] = []
        self.marked: set[int] = set()
        self.retrieved: set[int] = set()

    @abstractmethod
    def say(self, text: str, *, lines: bytes | None = None) -> None:
        """Send one reply."""

    @abstractmethod
    def no(self, text: str = "no") -> bool:
        """Refuse."""

    @abstractmethod
    def unknown(self) -> bool:
        """Refuse what is no command here."""

    def in_transaction(self, keyword: str, arguments: list[str]) -> bool:
        """Carry out a command on the mailbox."""
        if "naysayer" in self.faults:
            return self.no()
        handler = getattr(self, f"on_{keyword.lower()}", None)
        if handler is None:
            return self.unknown()
        return bool(handler(*arguments)) if self._takes(keyword, arguments) else self.unknown()

    @staticmethod
    def _takes(keyword: str, arguments: list[str]) -> bool:
        counts = {"RETR": (1,), "DELE": (1,), "TOP": (2,), "LIST": (0, 1), "UIDL": (0, 1)}
        return len(arguments) in counts.get(keyword, (0,))

    def digits(self) -> str:
        """Return the pattern of a number."""
        return "[1-9][0-9]{0,9}" if "no-zeros" in self.faults else "[0-9]{1,10}"

    def number(self, text: str) -> int | None:
        """Return the index of a message that is there and not marked."""
        if "lax-numbers" in self.faults:
            found = re.match(r"[+]?(0x)?(\d+)", text)
            text = found[2] if found else "1"
            index = int(text) % 2**32
        elif "clamps-numbers" in self.faults:
            found = re.match("[0-9]+", text)
            index = min(max(int(found[0]) if found else 1, 1), len(self.mail))
        elif not re.fullmatch("[0-9]{1,10}", text) or (
            text[0] == "0" and "no-zeros" in self.faults
        ):
            return None
        else:
            index = int(text)
        if not 1 <= index <= len(self.mail) or index - 1 in self.marked - {-1}:
            return None
        return index - 1

    def there(self) -> list[int]:
        """Return the indices of what is not marked."""
        return [n for n in range(len(self.mail)) if n not in self.marked]

    def wire(self, index: int) -> bytes:
        """Return a message as it is sent."""
        octets = self.mail[index][1].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if "doubles-cr" in self.faults:
            octets = self.mail[index][1].replace(b"\n", b"\r\n")
        if "mangles" in self.faults:
            octets = octets.replace(b"\0", b"").replace(b"\r\n", b"\r\n\r\n")[:5000]
            octets = octets.decode("ascii", "replace").replace("\r", " ").encode()
        if not octets.endswith(b"\r\n") and octets:
            octets += b"\r\n"
        return octets

    def size(self, index: int) -> int:
        """Return the octets LIST tells."""
        if "stored-size" in self.faults:
            return len(self.mail[index][1])
        return len(self.wire(index)) + ("miscounts" in self.faults)

    def tell(self, index: int, what: object) -> str:
        """Return a line of a listing."""
        shift = 0 if "counts-from-zero" in self.faults else 1
        return f"{index + shift} {what}" + " extra" * ("adds-text" in self.faults)

    def on_stat(self) -> bool:
        """Tell the drop listing."""
        sizes = [self.size(n) for n in self.there()]
        if {"counts-marked", "stat-counts-marked"} & self.faults:
            sizes = [self.size(n) for n in range(len(self.mail))]
        self.say(f"+OK {len(sizes)} {sum(sizes)}" + " extra" * ("adds-text" in self.faults))
        return True

    def on_list(self, number: str | None = None) -> bool:
        """Tell one scan listing or all."""
        return self.listing(number, self.size)

    def on_uidl(self, number: str | None = None) -> bool:
        """Tell one unique-id or all."""
        return self.listing(number, self.unique_id)

    def unique_id(self, index: int) -> str:
        """Return a unique-id, or what the fault makes of it."""
        if "fleeting-ids" in self.faults:
            return f"s{id(self.mail)}n{index}"
        if "same-ids" in self.faults:
            return "same"
        if "content-ids" in self.faults:
            return f"h{binascii.crc32(self.mail[index][1])}"
        return self.mail[index][0] + " and\x80more" * ("odd-ids" in self.faults)

    def listing(self, number: str | None, what: object) -> bool:
        """Answer LIST or UIDL."""
        assert callable(what)
        if number is None:
            shown = range(len(self.mail)) if "counts-marked" in self.faults else self.there()
            text = "".join(f"{self.tell(n, what(n))}\r\n" for n in shown)
            if "empty-is-error" in self.faults and not text:
                return self.no("nothing there")
            self.say("+OK", lines=text.encode("latin-1"))
            return True
        index = self.number(number)
        if index is None:
            return self.no()
        self.say(f"+OK {self.tell(index, what(index))}")
        return True

    def on_retr(self, number: str) -> bool:
        """Show a message."""
        return self.on_top(number, "9" * 9)

    def on_top(self, number: str, count: str) -> bool:
        """Show the beginning of a message."""
        index = self.number(number)
        lax = "lax-numbers" in self.faults
        if index is None or not (re.fullmatch("[0-9]+", count) or lax):
            return self.no()
        if "no-zeros" in self.faults and re.fullmatch("0[0-9]+", count):
            return self.no()
        if "refuses-raw" in self.faults and not self.utf8 and not self.header(index).isascii():
            return self.no("[UTF8] not for you")
        if "removes-on-read" in self.faults:
            self.marked.add(index)
        if "expire-0" in self.faults and count == "9" * 9:
            self.retrieved.add(index)
        if "top-unsupported" in self.faults and count != "9" * 9:
            return self.no()
        header, blank, body = self.wire(index).partition(b"\r\n\r\n")
        lines = body.split(b"\r\n")[:-1]
        wanted = int(count) if count.isdigit() else 9
        wanted %= 2**32 if lax else 10**30
        kept = lines if "whole-top" in self.faults else lines[:wanted]
        if "miscounts-top" in self.faults:
            kept = lines[: wanted + 1 if wanted < 9 else 4]
            blank = b"\r\n\r\n"
        text = header + blank + b"".join(line + b"\r\n" for line in kept) if blank else header
        if "short-top" in self.faults and count != "9" * 9:
            text = text.removesuffix(b"\r\n")[:-1] + b"\r\n"
        self.say("+OK", lines=text)
        return True

    def header(self, index: int) -> bytes:
        """Return the header as it is stored."""
        return self.mail[index][1].replace(b"\r", b"").partition(b"\n\n")[0]

    def on_dele(self, number: str) -> bool:
        """Mark a message."""
        index = self.number(number)
        if index is None:
            return self.no()
        if "forgets-marks" not in self.faults:
            self.marked.add(index)
        self.say("+OK" if "bare" in self.faults else "+OK marked")
        return True

    def on_noop(self) -> bool:
        """Do nothing."""
        self.say("+OK" if "bare" in self.faults else "+OK nothing")
        return True

    def on_rset(self) -> bool:
        """Take the marks back."""
        if "rset-fails" in self.faults:
            return self.no()
        self.marked.clear()
        return self.on_noop()

    def remove(self) -> None:
        """Remove what is marked."""
        assert self.mailbox is not None
        gone = [self.mail[n] for n in sorted(self.marked | self.retrieved)]
        self.mailbox.mail[:] = [m for m in self.mailbox.mail if m not in gone]
        if "removes-others" in self.faults:
            self.mailbox.mail[:] = self.mailbox.mail[1:]
        if "renames" in self.faults:
            self.mailbox.mail[:] = [(name + "x", octets) for name, octets in self.mailbox.mail]
