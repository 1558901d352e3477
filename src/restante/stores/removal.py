"""Removal of messages for good: what UPDATE does (RFC 1939 §6).

Only files that the listing names, or the same files under a new name, are unlinked, each in its
folder, which was opened before. The folders are made durable before anybody is told.
"""

import os
import stat
from array import array
from collections.abc import Collection

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores import names
from restante.stores.changes import Changes, Gone
from restante.stores.image import ListingImage, Version, render
from restante.stores.scan import FOLDERS
from restante.stores.whereabouts import Whereabouts

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOKS = 3


class Removal:
    """The removal of some messages of an image."""

    def __init__(self, mailbox: bytes, image: ListingImage, numbers: Collection[int]) -> None:
        self._mailbox = mailbox
        self._image = image
        self._numbers = sorted(numbers)
        self._names = image.names()
        self._unlinked: set[int] = set()
        self._vanished: set[int] = set()
        """Gone by other hands, before we came to them."""
        self._touched: set[bytes] = set()
        self._durable = True
        self.remaining = 0
        """How many of them may still be there."""
        self.cause: Exception | None = None

    def run(self) -> None:
        """Unlink them and make that survive a power cut.

        What fails stays; one failure of the disk to promise durability fails them all, because
        nothing is known then (an fsync that failed is never tried again).
        """
        folders: dict[bytes, int] = {}
        try:
            for folder in FOLDERS:
                self._open_folder(folder, folders)
            self._unlink_all(folders)
            try:
                for folder in sorted(self._touched & folders.keys()):
                    os.fsync(folders[folder])
            except OSError as error:
                self._durable = False
                self.remaining, self.cause = len(self._numbers), error
        finally:
            for descriptor in folders.values():
                os.close(descriptor)

    def _open_folder(self, folder: bytes, folders: dict[bytes, int]) -> None:
        try:
            folders[folder] = os.open(self._mailbox + b"/" + folder, _FOLDER_FLAGS)
        except FileNotFoundError:
            return
        except OSError as error:
            self.cause = error

    def _unlink_all(self, folders: dict[bytes, int]) -> None:
        whereabouts = Whereabouts(self._mailbox, self._image)
        for number in self._numbers:
            name = self._names[number - 1]
            try:
                for _ in range(_LOOKS):
                    if self._unlink(name, folders):
                        self._unlinked.add(number)
                        break
                    name = whereabouts.find(number)
                else:
                    raise TemporaryFailure(reason="it is renamed all the time")
            except MessageVanished:
                # Who took it away need not have made that durable, and may bring it back.
                self._vanished.add(number)
                self._touched.update(FOLDERS)
            except (OSError, TemporaryFailure) as error:
                self.remaining += 1
                self.cause = error

    def _unlink(self, name: bytes, folders: dict[bytes, int]) -> bool:
        """Unlink a message; False: it is not there, or what is there is no message."""
        descriptor = folders.get(name[:3])
        if descriptor is None:
            if self.cause is not None:
                raise TemporaryFailure from self.cause
            return False
        try:
            status = os.stat(name[4:], dir_fd=descriptor, follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                return False
            os.unlink(name[4:], dir_fd=descriptor)
            self._touched.add(name[:3])
        except FileNotFoundError:
            return False
        return True

    # ---- what is left

    def kept(self) -> tuple[ListingImage, Changes]:
        """Return the image of what is left, and what has to be recorded.

        The folders have changed, so it proves nothing. What may come back, by other hands or with
        the power, keeps its unique-id.
        """
        image = self._image
        absent = self._unlinked | self._vanished
        names_left: list[bytes] = []
        sizes = array("Q")
        unique_ids: list[bytes] = []
        claims = bytearray()
        gone: list[tuple[int, bytes, bytes, int]] = []
        listed = zip(
            self._names,
            image.sizes(),
            image.unique_ids(),
            image.claims() or bytes(image.count),
            strict=True,
        )
        for number, (name, size, unique_id, claim) in enumerate(listed, 1):
            if number in absent:
                gone.append((number, name, unique_id, size))
                continue
            names_left.append(name)
            sizes.append(size)
            unique_ids.append(unique_id)
            claims.append(claim)
        left = bytes(claims) if any(claims) else b""
        version = Version(image.version.generation, 0, 0)
        first = min(absent, default=image.count + 1) - 1
        image = render(version, names_left, sizes, unique_ids, left)
        return image, Changes(version.generation, first, image, self._gone(gone))

    def _gone(self, absent: list[tuple[int, bytes, bytes, int]]) -> list[Gone]:
        uniques = names.parse_all([name for _, name, _, _ in absent]).uniques
        removed = self._unlinked if self._durable else frozenset[int]()
        return [
            Gone(unique, unique_id, size, number in removed)
            for unique, (number, _, unique_id, size) in zip(uniques, absent, strict=True)
        ]
