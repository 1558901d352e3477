"""What is recorded of one mailbox, in two files beside the mail: catalogue and listing.

The catalogue is the truth; the listing is the image derived from it, for a fast start. Whatever is
wrong with them, the mail is served: a damaged catalogue is set aside and made anew from what can
be saved of it, one that cannot be used is left alone, and either is logged.
"""

import os
import sqlite3
from contextlib import suppress

from restante.errors import MessageVanished
from restante.stores.catalogue import (
    LISTING_NAME,
    Catalogue,
    catalogue_path,
    is_damaged,
    salvage,
    set_aside,
)
from restante.stores.changes import Changes
from restante.stores.image import ListingImage, Version, load, render
from restante.stores.pages import read_whole
from restante.stores.sizes import open_message
from restante.telemetry import Event, Log

WORTH_A_FILE = 1_000
"""Messages from which on a listing is kept in a file beside the catalogue."""
_LISTING = b"/" + LISTING_NAME.encode()
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

Stamp = tuple[int, int, int]


class Records:
    """The records of one mailbox; who writes them holds its lock."""

    def __init__(self, mailbox: bytes, log: Log) -> None:
        self._mailbox = mailbox
        self._log = log
        self.out_of_reach = False
        """Whether there is a catalogue that could not be read: it is not written over either."""

    def stamp(self) -> Stamp | None:
        """Return what tells one state of the catalogue from another; None: there is none."""
        return catalogue_stamp(self._mailbox)

    # ---- reading

    def known(self, *, may_mend: bool) -> ListingImage | None:
        """Return the image of what is recorded; None: nothing is."""
        try:
            catalogue = Catalogue.open(self._mailbox, create=False)
            if catalogue is None:
                return None
            with catalogue:
                image = self._load_listing()
                if image is not None and image.version.generation == catalogue.generation():
                    return image
                contents = catalogue.contents()
        except sqlite3.Error as error:
            self._warn(error)
            if may_mend and is_damaged(error):
                return self._mend()
            self.out_of_reach = True
            image = self._load_listing()
            # Better ids that were given once than others.
            return None if image is None else image.at(Version(0, 0, 0))
        version = Version(contents.generation, 0, 0)
        return render(version, contents.names, contents.sizes, contents.unique_ids, contents.claims)

    def open(self) -> Catalogue | None:
        """Open the catalogue to ask what was there once; None: it cannot be asked."""
        try:
            return Catalogue.open(self._mailbox, create=False)
        except sqlite3.Error as error:
            self._warn(error)
            return None

    def _load_listing(self) -> ListingImage | None:
        try:
            descriptor, _ = open_message(self._mailbox + _LISTING)
            try:
                return load(read_whole(descriptor))
            finally:
                os.close(descriptor)
        except (OSError, MessageVanished):
            return None

    # ---- writing

    def store(self, image: ListingImage, changes: Changes) -> ListingImage:
        """Record a change and return its image as of the new generation.

        On a full or read-only disk nothing is recorded, and the image says so by its generation.
        """
        if self.out_of_reach:
            return image.at(image.version._replace(generation=0))
        try:
            generation = self._replace(changes)
        except sqlite3.Error as error:
            self._warn(error)
            if not is_damaged(error):
                return image.at(image.version._replace(generation=0))
            mended = self._renew(changes)
            if mended is None:
                return image.at(image.version._replace(generation=0))
            generation = mended
        image = image.at(image.version._replace(generation=generation))
        self.write_listing(image)
        return image

    def _replace(self, changes: Changes) -> int:
        catalogue = Catalogue.open(self._mailbox, create=True)
        assert catalogue is not None
        with catalogue:
            return catalogue.replace(changes)

    def _mend(self) -> ListingImage | None:
        """Make a damaged catalogue anew, and return the image of what was saved."""
        image = self._load_listing()
        saved = salvage(self._mailbox)
        if image is None:
            image = saved.image
        generation = self._renew(Changes(0, 0, image, saved.gone), ask_again=False)
        return image.at(Version(generation or 0, 0, 0))

    def _renew(self, changes: Changes, *, ask_again: bool = True) -> int | None:
        """Set a damaged catalogue aside and write all to a new one; None: that failed."""
        if ask_again:
            changes = changes._replace(gone=[*salvage(self._mailbox).gone, *changes.gone])
        try:
            set_aside(self._mailbox)
            return self._replace(changes._replace(base=0))
        except (sqlite3.Error, OSError) as error:
            self._warn(error)
            return None

    def write_listing(self, image: ListingImage) -> None:
        """Keep a big image in its file; where that fails, it is made again when it is needed."""
        if image.count < WORTH_A_FILE or not image.version.generation:
            return
        path = self._mailbox + _LISTING
        temporary = path + b".new"
        try:
            # Whatever stands there was left by a crash, or planted: it is not written through.
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            with os.fdopen(os.open(temporary, _WRITE_FLAGS, 0o600), "wb") as file:
                file.writelines(image.dump())
                file.flush()
                # A power cut must not leave the name with other octets behind it.
                os.fdatasync(file.fileno())
            os.rename(temporary, path)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)

    def _warn(self, error: Exception) -> None:
        self._log(Event.WARNING, reason=f"catalogue: {error}", mailbox=os.fsdecode(self._mailbox))


def catalogue_stamp(mailbox: bytes) -> Stamp | None:
    """Return what tells one state of a mailbox's catalogue from another; None: there is none."""
    try:
        status = os.stat(catalogue_path(mailbox))
    except OSError:
        return None
    return stamp_of(status)


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what tells a state of the catalogue, of the status of its file."""
    return status.st_mtime_ns, status.st_size, status.st_ino
