"""Maildirs as a store of maildrops, shared with whatever else delivers, reads and tidies there.

Nothing is written to a maildrop that is merely read but its catalogue; where that cannot be
written, the mail can still be read. Other programs ignore our lock: what they add is not seen by
the session that runs, what they rename is found again by its unique part, what they remove is
missed when it is asked for and never takes another message's place.
"""

import os
import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from restante.errors import (
    MessageVanished,
    PermanentFailure,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.identity import Identity
from restante.maildrop import DropListing
from restante.stores import names
from restante.stores.catalogue import FILE_NAME, LISTING_NAME, Catalogue, Gone
from restante.stores.deposit import deposit, synchronise
from restante.stores.image import ListingImage, Version, load, render
from restante.stores.locks import Key, Locks
from restante.stores.options import MailOptions
from restante.stores.paths import mailbox_path
from restante.stores.reader import FileReader
from restante.stores.refresh import Refresh
from restante.stores.scan import FOLDERS, changed, messages
from restante.telemetry import Event, Log

READ_OCTETS = 131_072
PATHS = 65_536
"""Expanded templates kept."""
WORTH_A_FILE = 1_000
"""Messages from which on a listing is kept in a file beside the catalogue."""

Stamp = tuple[int, int, int]
EMPTY = render(Version(0, 0, 0), (), array("Q"), ())


@dataclass(frozen=True, slots=True)
class _Cached:
    key: Key
    image: ListingImage
    stamp: Stamp | None
    """Of the catalogue, when the image was derived from it."""


class MaildirStore:
    """The Maildirs below one template."""

    def __init__(self, options: MailOptions, log: Log) -> None:
        self._options = options
        self._log = log
        state = options.state_directory
        self._locks = Locks(None if state is None else state / "locks")
        self._guard = threading.Lock()
        self._cache: OrderedDict[bytes, _Cached] = OrderedDict()
        self._cached_octets = 0
        self._paths: dict[str, bytes] = {}
        self.buffer = bytearray(READ_OCTETS)

    # ---- opening

    def open_ready(self, identity: Identity) -> "MaildirDrop | None":
        """Lock and open a maildrop whose image still stands; see the contract."""
        mailbox = self._mailbox(identity)
        cached = self._cache.get(mailbox)
        if cached is None:
            return None
        with self._guard:
            self._locks.acquire(cached.key)
        try:
            # Under the lock only: who held it until now may have changed everything.
            if stands(mailbox, cached.image):
                return MaildirDrop(self, mailbox, cached.key, cached.image)
        except OSError:
            pass
        self.unlock(cached.key)
        return None

    def open(self, identity: Identity) -> "MaildirDrop":
        """Lock and open a maildrop, bringing its catalogue up to date; see the contract."""
        mailbox = self._mailbox(identity)
        try:
            status = os.stat(mailbox)
        except (FileNotFoundError, NotADirectoryError):
            status = None
        except OSError as error:
            raise TemporaryFailure from error
        key = _absent(mailbox) if status is None else (status.st_dev, status.st_ino)
        with self._guard:
            self._locks.acquire(key)
        if status is None:
            return MaildirDrop(self, mailbox, key, EMPTY)
        try:
            return MaildirDrop(self, mailbox, key, self._up_to_date(mailbox, key))
        except BaseException:
            # RFC 1939 §4: the lock is given back before the negative reply.
            self.unlock(key)
            raise

    def listing(self, identity: Identity) -> DropListing:
        """Return what the next session would see; nothing is locked and nothing written."""
        mailbox = self._mailbox(identity)
        if not Path(os.fsdecode(mailbox)).is_dir():
            return EMPTY
        known, _ = self._known(mailbox)
        return Refresh(mailbox, self._options.verify_at_login).run(known, None)

    def reader(self, identity: Identity, number: int, listing: DropListing) -> FileReader:
        """Return a reader of a message of `listing`, without a session."""
        assert isinstance(listing, ListingImage)
        return MaildirDrop(self, self._mailbox(identity), None, listing).open_message(number)

    def deposit(self, identity: Identity, message: BinaryIO) -> bytes:
        """Store a message durably and return its unique-id; see the contract."""
        mailbox = Path(os.fsdecode(self._mailbox(identity)))
        return names.parse(deposit(mailbox, message)).unique

    def unlock(self, key: Key) -> None:
        """Give a lock back."""
        with self._guard:
            self._locks.release(key)

    # ---- images

    def _mailbox(self, identity: Identity) -> bytes:
        if identity.mailbox is not None:
            return self._path(identity)
        mailbox = self._paths.get(identity.name)
        if mailbox is None:
            if len(self._paths) >= PATHS:
                self._paths.clear()
            mailbox = self._paths[identity.name] = self._path(identity)
        return mailbox

    def _path(self, identity: Identity) -> bytes:
        options = self._options
        return os.fsencode(mailbox_path(options.path, identity, options.default_domain))

    def _up_to_date(self, mailbox: bytes, key: Key) -> ListingImage:
        cached = self._cache.get(mailbox)
        if cached is not None and cached.stamp == _stamp(mailbox):
            known: ListingImage | None = cached.image
        else:
            known, _ = self._known(mailbox)
        try:
            if known is None or not stands(mailbox, known):
                known = self._refresh(mailbox, known)
        except OSError as error:
            raise TemporaryFailure from error
        self.keep(mailbox, key, known)
        return known

    def _known(self, mailbox: bytes) -> tuple[ListingImage | None, bool]:
        """Return the image of what the catalogue holds, and whether it could be read."""
        path = Path(os.fsdecode(mailbox))
        try:
            catalogue = Catalogue.open(path, create=False)
            if catalogue is None:
                return None, True
            with catalogue:
                image = _load_file(path / LISTING_NAME)
                if image is not None and image.version.generation == catalogue.generation():
                    return image, True
                contents = catalogue.contents()
        except sqlite3.Error as error:
            self._log(Event.WARNING, reason=f"catalogue: {error}", mailbox=str(path))
            return None, False
        version = Version(contents.generation, 0, 0)
        return render(version, contents.names, contents.sizes, contents.unique_ids), True

    def _refresh(self, mailbox: bytes, known: ListingImage | None) -> ListingImage:
        path = Path(os.fsdecode(mailbox))
        try:
            catalogue = Catalogue.open(path, create=True)
            assert catalogue is not None
            with catalogue:
                image = Refresh(mailbox, self._options.verify_at_login).run(known, catalogue)
        except sqlite3.Error as error:
            # A full or read-only disk: ids come out the same, and are stored when it can be done.
            self._log(Event.WARNING, reason=f"catalogue: {error}", mailbox=str(path))
            return Refresh(mailbox, self._options.verify_at_login).run(known, None)
        self._write_file(path, image)
        return image

    def _write_file(self, path: Path, image: ListingImage) -> None:
        if image.count < WORTH_A_FILE:
            return
        temporary = path / f"{LISTING_NAME}.{os.getpid()}"
        try:
            with temporary.open("wb") as file:
                for piece in image.dump():
                    file.write(piece)
                file.flush()
                # A power cut must not leave the name with other octets behind it.
                os.fdatasync(file.fileno())
            temporary.rename(path / LISTING_NAME)
        except OSError:
            # It is derived: the next login makes it from the catalogue.
            temporary.unlink(missing_ok=True)

    def keep(self, mailbox: bytes, key: Key, image: ListingImage) -> None:
        """Keep an image for the next login, within the bound of the cache."""
        with self._guard:
            old = self._cache.pop(mailbox, None)
            if old is not None:
                self._cached_octets -= old.image.weight_octets
            self._cache[mailbox] = _Cached(key, image, _stamp(mailbox))
            self._cached_octets += image.weight_octets
            while self._cached_octets > self._options.cache_octets and len(self._cache) > 1:
                _, oldest = self._cache.popitem(last=False)
                self._cached_octets -= oldest.image.weight_octets

    # ---- UPDATE

    def remove(
        self, mailbox: bytes, key: Key, image: ListingImage, numbers: Collection[int]
    ) -> None:
        """Remove messages for good; see the contract."""
        removal = _Removal(mailbox, image)
        removal.run(sorted(numbers))
        kept = removal.kept()
        path = Path(os.fsdecode(mailbox))
        try:
            catalogue = Catalogue.open(path, create=True)
            assert catalogue is not None
            with catalogue:
                kept = removal.store(catalogue, kept)
        except sqlite3.Error as error:
            # The mail is removed for good, which is what was promised; what stays behind is found
            # to be gone at the next login.
            self._log(Event.WARNING, reason=f"catalogue: {error}", mailbox=str(path))
        else:
            self._write_file(path, kept)
        self.keep(mailbox, key, kept)
        if removal.failed:
            raise UpdateIncomplete(len(removal.failed)) from removal.failed[0]


class MaildirDrop:
    """One Maildir while a session has it."""

    __slots__ = ("_key", "_mailbox", "_store", "listing")

    def __init__(
        self, store: MaildirStore, mailbox: bytes, key: Key | None, listing: ListingImage
    ) -> None:
        self._store = store
        self._mailbox = mailbox
        self._key = key
        self.listing = listing

    def open_message(self, number: int) -> FileReader:
        """Return a reader of a message; see the contract."""
        name = self.listing.name(number)
        return FileReader(
            self._mailbox + b"/" + name,
            lambda: find_again(self._mailbox, name),
            self.listing.size(number),
            self._store.buffer,
        )

    def remove(self, numbers: Collection[int]) -> None:
        """Remove messages for good; see the contract."""
        assert self._key is not None
        self._store.remove(self._mailbox, self._key, self.listing, numbers)

    def close(self) -> None:
        """Give the lock back."""
        if self._key is not None:
            self._store.unlock(self._key)
            self._key = None


class _Removal:
    """The removal of some messages of an image."""

    def __init__(self, mailbox: bytes, image: ListingImage) -> None:
        self._mailbox = mailbox
        self._image = image
        self._removed: set[int] = set()
        self.failed: list[OSError] = []

    def run(self, numbers: list[int]) -> None:
        """Unlink them and make that survive a power cut.

        What fails stays; one failure of the disk to promise durability fails them all, because
        nothing is known then (an fsync that failed is never tried again).
        """
        folders: set[bytes] = set()
        for number in numbers:
            try:
                folders.add(self._unlink(self._image.name(number)))
            except OSError as error:
                self.failed.append(error)
            else:
                self._removed.add(number)
        try:
            for folder in folders - {b""}:
                synchronise(Path(os.fsdecode(self._mailbox + b"/" + folder)))
        except OSError as error:
            self.failed += [error] * (len(numbers) - len(self.failed))

    def _unlink(self, name: bytes) -> bytes:
        """Unlink a message and return the folder it was in; b"" if it was gone already."""
        for _ in range(2):
            try:
                os.unlink(self._mailbox + b"/" + name)
            except FileNotFoundError:
                try:
                    name = find_again(self._mailbox, name)[len(self._mailbox) + 1 :]
                except MessageVanished:
                    return b""
            else:
                return name[:3]
        return b""

    def kept(self) -> ListingImage:
        """Return the image of what is left; the folders have changed, so it proves nothing."""
        image = self._image
        names_left: list[bytes] = []
        sizes_left = array("Q")
        ids_left: list[bytes] = []
        messages_before = zip(image.names(), image.sizes(), image.unique_ids(), strict=True)
        for number, (name, size, unique_id) in enumerate(messages_before, 1):
            if number not in self._removed:
                names_left.append(name)
                sizes_left.append(size)
                ids_left.append(unique_id)
        version = Version(image.version.generation, 0, 0)
        return render(version, names_left, sizes_left, ids_left)

    def store(self, catalogue: Catalogue, kept: ListingImage) -> ListingImage:
        """Write to the catalogue what is left and what is gone."""
        image = self._image
        gone = [
            Gone(
                names.parse(image.name(number)[4:]).unique,
                image.unique_id(number),
                image.size(number),
                removed=True,
            )
            for number in self._removed
        ]
        first = min(self._removed, default=image.count + 1) - 1
        generation = catalogue.replace(
            first, kept.names(), kept.sizes(), kept.unique_ids(), gone=gone
        )
        return kept.at(Version(generation, 0, 0))


def find_again(mailbox: bytes, name: bytes) -> bytes:
    """Return the path a message has now, found by its unique part.

    Raises:
        MessageVanished: it is gone.
        TemporaryFailure: the folders cannot be read.
    """
    unique = names.parse(name[4:]).unique
    for _ in range(2):
        # Twice: it may be moved from the one to the other while both are looked at.
        for folder in FOLDERS:
            for candidate in messages(mailbox, folder):
                if names.parse(candidate[4:]).unique == unique:
                    return mailbox + b"/" + candidate
    raise MessageVanished


def stands(mailbox: bytes, image: ListingImage) -> bool:
    """Say whether nothing has changed in the folders since an image was made.

    That is enough: whatever another process did to the catalogue since then came of a change in
    the folders, sizes corrected later excepted, and those can wait.
    """
    version = image.version
    if not (version.new_changed_ns and version.cur_changed_ns):
        return False
    seen = changed(mailbox)
    return seen == (version.new_changed_ns, version.cur_changed_ns)


def _absent(mailbox: bytes) -> Key:
    """Return what a Maildir is locked by that does not exist yet: no device has number 0."""
    return 0, int.from_bytes(blake2b(mailbox, digest_size=8).digest(), "big")


def _stamp(mailbox: bytes) -> Stamp | None:
    try:
        status = os.stat(mailbox + b"/" + FILE_NAME.encode())
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _load_file(path: Path) -> ListingImage | None:
    try:
        return load(path.read_bytes())
    except OSError:
        return None


def check_mailbox(mailbox: Path) -> None:
    """Hold a path to being a Maildir.

    Raises:
        PermanentFailure: something else stands there.
    """
    if mailbox.exists() and not mailbox.is_dir():
        raise PermanentFailure(reason="the mailbox is no folder")
