"""Peers that know the users of their system: users of the room, with homes and Maildirs."""

import ctypes
from pathlib import Path

from interop.peers.mailstores import UID, deliver_lf, make_maildir, own
from interop.peers.room import Room
from restante.examine.target import Account


class SystemUsers(Room):
    """A room whose users have a home each and a Maildir in it; all mail belongs to one uid."""

    def add(self, account: Account) -> None:
        """Add a line to each of the lists of users."""
        own(make_maildir(self._maildir(account)).parent)
        hashed = crypt(account.password)
        line = f"{account.name}:x:{UID}:{UID}::/var/lib/homes/{account.name}:/bin/sh\n"
        append(self.directory / "etc/passwd", line)
        append(self.directory / "etc/shadow", f"{account.name}:{hashed}:19000:0:99999:7:::\n")

    def put(self, account: Account, octets: bytes) -> None:
        """Deliver into the Maildir."""
        deliver_lf(self._maildir(account), octets)

    def _maildir(self, account: Account) -> Path:
        return self.directory / "lib/homes" / account.name / "Maildir"


def append(path: Path, line: str) -> None:
    """Add a line to a file, in place."""
    with path.open("a") as lines:
        lines.write(line)


def crypt(password: str) -> str:
    """Hash a password as /etc/shadow wants it; the standard library no longer can."""
    function = ctypes.CDLL("libcrypt.so.1").crypt
    function.restype = ctypes.c_char_p
    hashed: bytes = function(password.encode(), b"$1$interop$")
    return hashed.decode()
