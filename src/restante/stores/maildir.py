"""Maildirs as a store of maildrops, shared with whatever else delivers, reads and tidies there.

Nothing is written to a maildrop that is merely read but its catalogue; where that cannot be
written, the mail can still be read. Other programs ignore our lock: what they add is not seen by
the session that runs, what they rename is found again by its unique part, what they remove is
missed when it is asked for and never takes another message's place.
"""

import errno
import os
import sqlite3
import stat
import threading
from collections.abc import Collection
from contextlib import closing, nullcontext
from pathlib import Path
from typing import BinaryIO

from restante.errors import (
    MaildropInUse,
    PermanentFailure,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.identity import Identity
from restante.maildrop import DropListing, Maildrop, MessageReader
from restante.stores import names
from restante.stores.cache import Cached, ImageCache
from restante.stores.catalogue import Catalogue
from restante.stores.changes import Changes
from restante.stores.deposit import deposit
from restante.stores.glance import is_catalogue_seen, is_local, is_seen_unchanged
from restante.stores.image import ListingImage, Version, empty
from restante.stores.locks import Key, Locks, absent_key, device_of, lock_key
from restante.stores.mounts import Mounts
from restante.stores.options import MailOptions
from restante.stores.paths import mailbox_path
from restante.stores.prepared import Preparation, Preparations
from restante.stores.reader import FileReader
from restante.stores.records import Records, catalogue_stamp
from restante.stores.refresh import Affordable, Refresh
from restante.stores.removal import Removal
from restante.stores.scan import FolderTooBig, changed
from restante.stores.survey import SurveyFailed, survey
from restante.stores.verification import Correction, Verification, Verifier, corrected
from restante.stores.whereabouts import Whereabouts
from restante.telemetry import Event, Log

READ_OCTETS = 131_072
PATHS = 1_024
"""Expanded templates kept, for whoever comes often."""
DEVICES = 1_024
"""Devices remembered; where every account has one of its own there may be many."""
BIG_FOLDER = 10_000
"""Files from which on a folder is looked at by another process: here it would hold the others."""
CORRECTIONS_LOGGED = 10
"""Of one maildrop, one by one; more are only counted."""

EMPTY = empty(Version(0, 0, 0))


class MaildirStore:
    """The Maildirs below one template."""

    def __init__(self, options: MailOptions, log: Log, *, big_folder: int = BIG_FOLDER) -> None:
        self._options = options
        self._log = log
        self._big_folder = big_folder
        self._affordable = Affordable(options.verify_at_login, options.verify_at_login_octets)
        state = options.state_directory
        self._locks = Locks(None if state is None else state / "locks")
        self._guard = threading.Lock()
        self._cache = ImageCache(options.cache_octets)
        self._paths: dict[str, bytes] = {}
        self._local: dict[int, bool] = {}
        """Devices that maildrops were seen on: whether they are disks of this machine."""
        self._mounts = Mounts()
        self._learnt_by = 0
        """Which reading of the mounts those were seen by."""
        self._verifier = Verifier(self._record_sizes)
        self._preparations = Preparations(options.prepared_octets)
        self.buffer = bytearray(READ_OCTETS)

    # ---- opening

    def open_ready(self, identity: Identity) -> "MaildirDrop | None":
        """Lock and open a maildrop whose image still stands; see the contract."""
        mailbox = self._mailbox(identity)
        cached = self._cache.get(mailbox)
        if cached is None or not self.is_local(cached.key):
            return None
        with self._guard:
            self._locks.acquire(cached.key)
        # Under the lock only: who held it until now may have changed everything.
        if stands_at_a_glance(mailbox, cached):
            return MaildirDrop(self, mailbox, cached.key, cached.image)
        self.unlock(cached.key)
        return None

    def open(self, identity: Identity) -> "MaildirDrop":
        """Lock and open a maildrop, bringing its catalogue up to date; see the contract."""
        mailbox = self._mailbox(identity)
        status = _status(mailbox)
        key = absent_key(mailbox) if status is None else lock_key(status.st_dev, status.st_ino)
        with self._guard:
            self._locks.acquire(key)
        if status is None:
            return MaildirDrop(self, mailbox, key, EMPTY)
        preparation = Preparation(self._preparations)
        try:
            self._learn(status.st_dev, mailbox)
            # What another machine does to a file is not to be seen without opening it.
            kept = preparation if self.is_local(key) else None
            return MaildirDrop(
                self, mailbox, key, self._up_to_date(mailbox, key, kept), preparation
            )
        except BaseException as error:
            preparation.close()
            # RFC 1939 §4: the lock is given back before the negative reply.
            self.unlock(key)
            if isinstance(error, OSError):
                raise TemporaryFailure from error
            raise

    def close(self) -> None:
        """End what goes on in the background and give all locks back."""
        self._verifier.stop()
        self._mounts.close()
        with self._guard:
            self._locks.close()

    def listing(self, identity: Identity) -> DropListing:
        """Return what the next session would see; nothing is locked and nothing written."""
        mailbox = self._mailbox(identity)
        if _status(mailbox) is None:
            return EMPTY
        records = Records(mailbox, self._log)
        try:
            known = records.known(may_mend=False)
            return self._look(mailbox, known, records, None)[0]
        except OSError as error:
            raise TemporaryFailure from error

    def reader(self, identity: Identity, number: int, listing: DropListing) -> MessageReader:
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

    def place(self, identity: Identity) -> int:
        """Return the device of a maildrop, as far as that is known without looking there."""
        mailbox = self._mailbox(identity)
        cached = self._cache.get(mailbox)
        # What had no folder when it was seen has no device.
        device = 0 if cached is None else device_of(cached.key)
        return device or self._mounts.device(mailbox)

    def place_of(self, maildrop: Maildrop) -> int:
        """Return the device of a maildrop that is open."""
        assert isinstance(maildrop, MaildirDrop)
        return maildrop.device

    def is_local(self, key: Key) -> bool:
        """Say whether a maildrop is known to lie on a disk of this machine."""
        return self._local.get(device_of(key), False)

    def _learn(self, device: int, mailbox: bytes) -> None:
        if self._learnt_by != self._mounts.readings:
            self._learnt_by = self._mounts.readings
            self._local.clear()
        if device not in self._local:
            if len(self._local) >= DEVICES:
                self._local.clear()
            self._local[device] = is_local(mailbox)

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

    def _up_to_date(
        self, mailbox: bytes, key: Key, preparation: Preparation | None
    ) -> ListingImage:
        records = Records(mailbox, self._log)
        known = self._known(mailbox, key, records, may_mend=True)
        if known is None or not stands(mailbox, Cached(key, known, records.stamp())):
            known = self._refresh(mailbox, known, records, preparation)
        self._keep(mailbox, key, known, records)
        return known

    def _known(
        self, mailbox: bytes, key: Key, records: Records, *, may_mend: bool
    ) -> ListingImage | None:
        """Return the image of what is recorded, from memory where it is the same."""
        cached = self._cache.get(mailbox)
        if cached is not None and cached.key != key:
            # Another folder has this name now.
            cached = None
        if cached is not None and cached.stamp == records.stamp():
            return cached.image
        known = records.known(may_mend=may_mend)
        if records.out_of_reach and cached is not None:
            return cached.image.at(Version(0, 0, 0))
        return known

    def _refresh(
        self,
        mailbox: bytes,
        known: ListingImage | None,
        records: Records,
        preparation: Preparation | None,
    ) -> ListingImage:
        image, changes = self._look(mailbox, known, records, preparation)
        if changes is not None:
            return records.store(image, changes)
        if known is not None and image.version != known.version:
            records.write_listing(image)
        return image

    def _look(
        self,
        mailbox: bytes,
        known: ListingImage | None,
        records: Records,
        preparation: Preparation | None,
    ) -> tuple[ListingImage, Changes | None]:
        """Return the image of what is there now, and what has to be recorded."""
        affordable = self._affordable
        refresh = Refresh(mailbox, affordable, self._big_folder, preparation)
        try:
            return self._look_here(refresh, known, records)
        except FolderTooBig:
            pass
        if known is None or known.version.generation:
            try:
                return survey(mailbox, known, affordable)
            except SurveyFailed as error:
                self._log(Event.WARNING, reason=f"survey: {error.__cause__ or error}")
        return self._look_here(refresh.again(None), known, records)

    def _look_here(
        self, refresh: Refresh, known: ListingImage | None, records: Records
    ) -> tuple[ListingImage, Changes | None]:
        catalogue = records.open()
        with nullcontext() if catalogue is None else closing(catalogue):
            try:
                if catalogue is not None and known is not None:
                    known = self._of_now(known, catalogue, records)
                return refresh.run(known, catalogue), refresh.changes
            except sqlite3.Error as error:
                # What was there once cannot be asked: damage that the next store will mend.
                self._log(Event.WARNING, reason=f"catalogue: {error}")
        refresh = refresh.again(refresh.scan_limit)
        return refresh.run(known, None), refresh.changes

    def _of_now(
        self, known: ListingImage, catalogue: Catalogue, records: Records
    ) -> ListingImage | None:
        """Return what is recorded, if that is something else than was thought.

        Two changes can fall into one tick of the clock that the catalogue's stamp is made of.
        """
        if known.version.generation in (0, catalogue.generation()):
            return known
        return records.known(may_mend=False)

    def _keep(self, mailbox: bytes, key: Key, image: ListingImage, records: Records) -> None:
        """Keep an image for the next login."""
        stamp = None if records.out_of_reach else records.stamp()
        with self._guard:
            self._cache.keep(mailbox, Cached(key, image, stamp))

    # ---- sizes

    def verify_later(
        self, mailbox: bytes, key: Key, image: ListingImage, counted: dict[bytes, int]
    ) -> None:
        """Count in the background what an image only claims, but for what was counted already."""
        self._verifier.begin(mailbox, key, image, counted)

    def _record_sizes(self, verification: Verification) -> bool:
        """Record the sizes that were counted, for the next session; False: one has the lock."""
        mailbox, key = verification.mailbox, verification.key
        if not is_still(mailbox, key):
            return True
        try:
            with self._guard:
                self._locks.acquire(key)
        except MaildropInUse:
            return False
        try:
            records = Records(mailbox, self._log)
            known = self._known(mailbox, key, records, may_mend=False)
            if known is None:
                return True
            found = corrected(known, verification.counted)
            if found is not None:
                known, changes, corrections = found
                known = records.store(known, changes)
                self._log_corrections(mailbox, corrections)
            # Another process may have been first to record the same.
            self._keep(mailbox, key, known, records)
        finally:
            self.unlock(key)
        return True

    def _log_corrections(self, mailbox: bytes, corrections: list[Correction]) -> None:
        path = os.fsdecode(mailbox)
        for correction in corrections[:CORRECTIONS_LOGGED]:
            self._log(
                Event.SIZE_CORRECTED,
                listed=correction.listed,
                octets=correction.octets,
                unique_id=correction.unique_id.decode("ascii"),
                mailbox=path,
            )
        more = len(corrections) - CORRECTIONS_LOGGED
        if more > 0:
            self._log(Event.SIZE_CORRECTED, more=more, mailbox=path)

    # ---- UPDATE

    def remove(
        self, mailbox: bytes, key: Key, image: ListingImage, numbers: Collection[int]
    ) -> ListingImage:
        """Remove messages for good and return the image of what is left; see the contract."""
        removal = Removal(mailbox, image, numbers)
        removal.run()
        # What cannot be recorded is found to be gone at the next login.
        kept, changes = removal.kept()
        if is_still(mailbox, key):
            records = Records(mailbox, self._log)
            kept = records.store(kept, changes)
            self._keep(mailbox, key, kept, records)
        if removal.remaining:
            raise UpdateIncomplete(removal.remaining) from removal.cause
        return kept


class MaildirDrop:
    """One Maildir while a session has it."""

    __slots__ = (
        "_counted",
        "_key",
        "_left",
        "_mailbox",
        "_preparation",
        "_store",
        "_whereabouts",
        "listing",
    )

    def __init__(
        self,
        store: MaildirStore,
        mailbox: bytes,
        key: Key | None,
        listing: ListingImage,
        preparation: Preparation | None = None,
    ) -> None:
        self._store = store
        self._mailbox = mailbox
        self._key = key
        self._preparation = preparation or None
        self._whereabouts: Whereabouts | None = None
        self._counted: dict[bytes, int] | None = None
        """Octets of whole messages that were claims, or had others; by unique-id."""
        # Of an empty one nobody asks which state it shows: all sessions can have the same.
        self.listing = self._left = listing if listing.count else EMPTY

    @property
    def device(self) -> int:
        """The device of its folder; 0: there is none."""
        return 0 if self._key is None else device_of(self._key)

    def open_message(self, number: int) -> MessageReader:
        """Return a reader of a message; see the contract."""
        path = self._mailbox + b"/" + self.listing.name(number)
        if self._preparation is None:
            return self._file(number, path)
        return self._preparation.open(path, lambda: self._file(number, path))

    def _file(self, number: int, path: bytes) -> FileReader:
        listing = self.listing
        return FileReader(
            path,
            lambda: self._find_again(number),
            listing.size(number),
            self._store.buffer,
            counted=not listing.is_claim(number),
            local=self._key is not None and self._store.is_local(self._key),
            report=lambda octets: self._report(number, octets),
        )

    def remove(self, numbers: Collection[int]) -> None:
        """Remove messages for good; see the contract."""
        if numbers:
            assert self._key is not None
            self._left = self._store.remove(self._mailbox, self._key, self.listing, numbers)
            if self._counted:
                for number in numbers:
                    self._counted.pop(self.listing.unique_id(number), None)

    def close(self) -> None:
        """Give the lock back."""
        if self._key is None:
            return
        key, self._key = self._key, None
        if self._preparation is not None:
            self._preparation.close()
        self._store.unlock(key)
        if self._counted or self._left.has_claims:
            self._store.verify_later(self._mailbox, key, self._left, self._counted or {})

    def _find_again(self, number: int) -> bytes:
        if self._whereabouts is None:
            self._whereabouts = Whereabouts(self._mailbox, self.listing)
        return self._mailbox + b"/" + self._whereabouts.find(number)

    def _report(self, number: int, octets: int) -> None:
        if self._counted is None:
            self._counted = {}
        self._counted[self.listing.unique_id(number)] = octets


def stands(mailbox: bytes, cached: Cached) -> bool:
    """Say whether nothing has changed in the folders since an image was made.

    That is enough: whatever another process did to the catalogue since then came of a change in
    the folders, or corrected a size that was a claim, or recorded what this one could not.
    """
    version = cached.image.version
    if not (version.new_changed_ns and version.cur_changed_ns):
        return False
    if changed(mailbox) != (version.new_changed_ns, version.cur_changed_ns):
        return False
    # A copy has the times of what it replaced.
    if not is_still(mailbox, cached.key):
        return False
    if version.generation and not cached.image.has_claims:
        return True
    return cached.stamp == catalogue_stamp(mailbox)


def stands_at_a_glance(mailbox: bytes, cached: Cached) -> bool:
    """Say the same where that needs no waiting; False: it does not, or it cannot be told so."""
    version = cached.image.version
    new_ns, cur_ns = version.new_changed_ns, version.cur_changed_ns
    if not (new_ns and cur_ns and is_seen_unchanged(mailbox, cached.key, new_ns, cur_ns)):
        return False
    if version.generation and not cached.image.has_claims:
        return True
    return is_catalogue_seen(mailbox, cached.stamp)


def is_still(mailbox: bytes, key: Key) -> bool:
    """Say whether a path leads to the folder that a lock is for; what else it leads to has its own.

    Raises nothing: what cannot be seen is not it.
    """
    try:
        status = os.stat(mailbox)
    except OSError:
        return False
    return lock_key(status.st_dev, status.st_ino) == key


def _status(mailbox: bytes) -> os.stat_result | None:
    """Return what a Maildir's folder is; None: there is none."""
    try:
        status = os.stat(mailbox)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ENAMETOOLONG):
            raise PermanentFailure(reason="the mailbox's path leads nowhere") from error
        raise TemporaryFailure from error
    if not stat.S_ISDIR(status.st_mode):
        raise PermanentFailure(reason="the mailbox is no folder")
    return status
