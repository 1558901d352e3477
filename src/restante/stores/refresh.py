"""Bringing a catalogue up to date with its Maildir.

What was seen before keeps its unique-id, its size and its place; what is new comes behind, in the
order of arrival; what is gone is remembered. Only the folder that changed is looked at, and no
file is touched that the catalogue knows.
"""

import os
from array import array
from base64 import b32encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores import names
from restante.stores.catalogue import Catalogue, Gone
from restante.stores.image import ListingImage, Version, extend, render
from restante.stores.scan import Changed, changed, clock_ns, messages, proven
from restante.stores.sizes import wire_size


@dataclass
class Refresh:
    """One refresh of one mailbox."""

    mailbox: bytes
    verify_at_once: int
    trusted: int = 0
    """Sizes taken from file names unread, to be checked later."""
    gone: list[Gone] = field(default_factory=list)
    back: list[bytes] = field(default_factory=list)
    _parsed: dict[bytes, names.Name] = field(default_factory=dict)

    def run(self, known: ListingImage | None, catalogue: Catalogue | None) -> ListingImage:
        """Return the image of what is there now, and store it in the catalogue if one is given.

        `known` is what was there before, None if nothing is known.
        """
        scanned_at = clock_ns()
        seen = changed(self.mailbox)
        folders = _outdated(known, seen)
        found = [name for folder in folders for name in messages(self.mailbox, folder)]
        generation = known.version.generation if known is not None else 0
        now = proven(seen, scanned_at)
        version = Version(generation, now.new_ns, now.cur_ns)
        if known is None or not known.count:
            return self._first(found, version, catalogue)
        return self._difference(known, found, folders, version, catalogue)

    # ---- nothing known

    def _first(
        self, found: list[bytes], version: Version, catalogue: Catalogue | None
    ) -> ListingImage:
        found = _in_order(self._without_moved(found))
        return self._add(None, found, version, catalogue)

    # ---- something known

    def _difference(
        self,
        known: ListingImage,
        found: list[bytes],
        folders: Sequence[bytes],
        version: Version,
        catalogue: Catalogue | None,
    ) -> ListingImage:
        known_names = known.names()
        prefixes = tuple(folder + b"/" for folder in folders)
        here = set(found)
        if len(folders) == 2:
            missing = [name for name in known_names if name not in here]
        else:
            missing = [n for n in known_names if n.startswith(prefixes) and n not in here]
        appeared = here.difference(known_names)
        if not missing and not appeared:
            return known.at(version)
        moved = self._moves(missing, appeared, folders)
        lost = [name for name in missing if name not in moved]
        fresh = _in_order(self._without_moved(appeared.difference(moved.values())))
        if not missing:
            return self._add(known, fresh, version, catalogue)
        kept = self._rename(known, known_names, moved, set(lost), version, catalogue)
        return self._add(kept, fresh, version, catalogue, changed_before=True)

    def _moves(
        self, missing: list[bytes], appeared: set[bytes], folders: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Return old and new name of every file that another program renamed or moved."""
        if not missing:
            return {}
        by_unique = {names.parse(name[4:]).unique: name for name in appeared}
        if len(folders) == 1:
            # It may have gone to the folder that was not looked at.
            other = b"cur" if folders[0] == b"new" else b"new"
            for name in messages(self.mailbox, other):
                by_unique.setdefault(names.parse(name[4:]).unique, name)
        moved: dict[bytes, bytes] = {}
        for name in missing:
            now = by_unique.pop(names.parse(name[4:]).unique, None)
            if now is not None:
                moved[name] = now
        return moved

    def _rename(
        self,
        known: ListingImage,
        known_names: list[bytes],
        moved: dict[bytes, bytes],
        lost: set[bytes],
        version: Version,
        catalogue: Catalogue | None,
    ) -> ListingImage:
        sizes, unique_ids = known.sizes(), known.unique_ids()
        kept_names: list[bytes] = []
        kept_sizes = array("Q")
        kept_ids: list[bytes] = []
        for name, size, unique_id in zip(known_names, sizes, unique_ids, strict=True):
            if name in lost:
                unique = names.parse(name[4:]).unique
                self.gone.append(Gone(unique, unique_id, size, removed=False))
                continue
            kept_names.append(moved.get(name, name))
            kept_sizes.append(size)
            kept_ids.append(unique_id)
        return render(version, kept_names, kept_sizes, kept_ids)

    def _without_moved(self, found: Iterable[bytes]) -> list[bytes]:
        """Leave out of `new` what was moved to `cur` between the two looks."""
        found = list(found)
        in_both = len({name[:3] for name in found}) > 1
        if not in_both:
            return found
        in_cur = {self._parse(name).unique for name in found if name.startswith(b"cur/")}
        return [
            name
            for name in found
            if name.startswith(b"cur/")
            or self._parse(name).unique not in in_cur
            or os.path.lexists(self.mailbox + b"/" + name)
        ]

    def _parse(self, name: bytes) -> names.Name:
        parsed = self._parsed.get(name)
        if parsed is None:
            parsed = self._parsed[name] = names.parse(name[4:])
        return parsed

    # ---- messages seen for the first time

    def _add(
        self,
        known: ListingImage | None,
        found: list[bytes],
        version: Version,
        catalogue: Catalogue | None,
        *,
        changed_before: bool = False,
    ) -> ListingImage:
        added, sizes, unique_ids = self._newcomers(known, found, catalogue)
        first = 0 if known is None or changed_before else known.count
        all_names, all_sizes, all_ids = added, sizes, unique_ids
        if catalogue is not None:
            if known is not None:
                all_names = known.names() + added
                all_sizes = known.sizes() + sizes
                all_ids = known.unique_ids() + unique_ids
            # Ids that were not seen before are stored before anybody is shown one.
            generation = catalogue.replace(
                first, all_names, all_sizes, all_ids, gone=self.gone, back=self.back
            )
            version = Version(generation, version.new_changed_ns, version.cur_changed_ns)
        if known is None:
            return render(version, added, sizes, unique_ids)
        return extend(known, version, added, sizes, unique_ids)

    def _newcomers(
        self, known: ListingImage | None, found: list[bytes], catalogue: Catalogue | None
    ) -> tuple[list[bytes], "array[int]", list[bytes]]:
        parsed = list(map(self._parse, found))
        sizes = self._sizes(found, parsed)
        added: list[bytes] = []
        added_sizes = array("Q")
        unique_ids: list[bytes] = []
        ids = _UniqueIds(known, catalogue)
        for name, (unique, _), size in zip(found, parsed, sizes, strict=True):
            if size is None:
                continue
            added.append(name)
            returned = ids.returned(unique)
            if returned is not None:
                self.back.append(unique)
                unique_ids.append(returned.unique_id)
            else:
                unique_ids.append(ids.give(unique, name))
            added_sizes.append(size)
        return added, added_sizes, unique_ids

    def _sizes(self, found: list[bytes], parsed: list[names.Name]) -> Iterable[int | None]:
        """Return the sizes on the wire: read where a login can afford it, else as claimed."""
        claimed = [name.wire_size for name in parsed]
        if len(found) > self.verify_at_once:
            self.trusted = len(claimed) - claimed.count(None)
            if self.trusted == len(claimed):
                return claimed
        else:
            claimed = [None] * len(found)
        return [
            self._read_size(name) if size is None else size
            for name, size in zip(found, claimed, strict=True)
        ]

    def _read_size(self, name: bytes) -> int | None:
        """Return a size, or None for a file that is gone or is none."""
        try:
            return wire_size(self.mailbox + b"/" + name)
        except (FileNotFoundError, MessageVanished):
            return None
        except PermissionError:
            # A message that cannot be read is still there, and says so when it is asked for.
            return os.lstat(self.mailbox + b"/" + name).st_size
        except OSError as error:
            raise TemporaryFailure from error


class _UniqueIds:
    """The giving of unique-ids: each once, and never one that another message had."""

    def __init__(self, known: ListingImage | None, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self._has_gone = catalogue is not None and catalogue.has_gone()
        self._known = known
        self._taken: set[bytes] | None = None
        self._given: set[bytes] = set()

    def returned(self, unique: bytes) -> Gone | None:
        """Return what is known of a file that vanished by other hands and is there again."""
        if not self._has_gone:
            return None
        assert self._catalogue is not None
        gone = self._catalogue.gone(unique)
        return None if gone is None or gone.removed else gone

    def give(self, unique: bytes, name: bytes) -> bytes:
        """Return a unique-id for a message that never had one."""
        if names.is_legal_unique_id(unique) and self._is_free(unique):
            self._given.add(unique)
            return unique
        attempt = 0
        while True:
            # The same where nothing can be stored, as far as anything can be.
            digest = sha256(b"%d\0%b" % (attempt, name[4:].partition(b":")[0])).digest()
            unique_id = b32encode(digest[:20])
            if self._is_free(unique_id):
                self._given.add(unique_id)
                return unique_id
            attempt += 1

    def _is_free(self, unique_id: bytes) -> bool:
        if unique_id in self._given:
            return False
        if self._known is not None:
            if self._taken is None:
                self._taken = set(self._known.unique_ids())
            if unique_id in self._taken:
                return False
        if not self._has_gone:
            return True
        assert self._catalogue is not None
        return not self._catalogue.was_given(unique_id)


def _outdated(known: ListingImage | None, seen: Changed) -> tuple[bytes, ...]:
    if known is None:
        return (b"new", b"cur")
    version = known.version
    folders: tuple[bytes, ...] = ()
    if not version.new_changed_ns or version.new_changed_ns != seen.new_ns:
        folders += (b"new",)
    if not version.cur_changed_ns or version.cur_changed_ns != seen.cur_ns:
        folders += (b"cur",)
    return folders


def _in_order(found: list[bytes]) -> list[bytes]:
    # Nearly always a name begins with ten digits of seconds, and then its octets sort it rightly.
    order: Callable[[bytes], object] = names.arrival
    if all(name[14:15] == b"." and name[4:14].isdigit() for name in found):
        order = _without_folder
    return sorted(found, key=order)  # type: ignore[arg-type]


def _without_folder(name: bytes) -> bytes:
    return name[4:]
