"""Bringing a catalogue up to date with its Maildir.

What was seen before keeps its unique-id, its size and its place; what is new comes behind, in the
order of arrival; what is gone is remembered. Only the folder that changed is looked at, and no
file is touched that the catalogue knows.

Nothing is written here: what has to be stored is left in `changes`, None where nothing has.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING, NamedTuple

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores import names
from restante.stores.changes import Changes, Gone, pack_unique_ids
from restante.stores.image import ListingImage, Version, extend, render
from restante.stores.scan import (
    Changed,
    FolderTooBig,
    changed,
    clock_ns,
    looks_bigger,
    messages,
    messages_in_order,
    proven,
)
from restante.stores.unique_ids import UniqueIds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from restante.stores.catalogue import Catalogue
    from restante.stores.prepared import Preparation

SCANS = 3
"""Looks at folders that other programs change meanwhile."""


class Affordable(NamedTuple):
    """How much a login can afford to count; claims beyond that are believed for now."""

    messages: int
    octets: int


class _Seen(NamedTuple):
    """Files seen for the first time, in their order."""

    text: bytes
    """Their names, a NUL behind each."""
    parsed: names.Names
    distinct: bool
    """Whether no two have the same unique part."""


class Refresh:
    """One refresh of one mailbox."""

    def __init__(
        self,
        mailbox: bytes,
        affordable: Affordable,
        scan_limit: int | None = None,
        preparation: Preparation | None = None,
    ) -> None:
        """Begin; beyond `scan_limit` entries of a folder a scan gives up with `FolderTooBig`.

        `preparation` keeps what is counted, for a session that will ask for it.
        """
        self.mailbox = mailbox
        self.affordable = affordable
        self.scan_limit = scan_limit
        self.preparation = preparation
        self.changes: Changes | None = None
        self.gone: list[Gone] = []
        self.back: list[Gone] = []

    def again(self, scan_limit: int | None) -> Refresh:
        """Return another one of the same, as if this had not begun."""
        return Refresh(self.mailbox, self.affordable, scan_limit, self.preparation)

    def run(self, known: ListingImage | None, catalogue: Catalogue | None) -> ListingImage:
        """Return the image of what is there now.

        `known` is what was there before, None if nothing is known; `catalogue` tells what was
        there once.

        Raises:
            OSError: the folders cannot be seen.
            TemporaryFailure, PermanentFailure: nor read, or they are none.
            FolderTooBig: a scan met its limit.
            sqlite3.Error: the catalogue fails.
        """
        for scan in range(1, SCANS + 1):
            image = self._scan(known, catalogue, last=scan == SCANS)
            if image is not None:
                return image
        raise AssertionError("the last scan always gives an image")

    def _scan(
        self, known: ListingImage | None, catalogue: Catalogue | None, *, last: bool
    ) -> ListingImage | None:
        scanned_at = clock_ns()
        seen = changed(self.mailbox)
        folders = _outdated(known, seen)
        generation = known.version.generation if known is not None else 0
        now = proven(seen, scanned_at)
        version = Version(generation, now.new_ns, now.cur_ns)
        if known is None and self._is_surely_too_big(folders):
            raise FolderTooBig
        if known is None or not known.count:
            return self._first(folders, version, catalogue)
        found = [
            name for folder in folders for name in messages(self.mailbox, folder, self.scan_limit)
        ]
        known_names = known.names()
        appeared = self._new_names(set(found).difference(known_names))
        left = self._left(known, known_names, appeared)
        missing = self._missing(known, known_names, set(found) - left, left, folders)
        if not missing and not appeared:
            return known.at(version)
        moved = self._moves(known_names, missing, appeared, folders)
        if len(moved) < len(missing) and not last and changed(self.mailbox) != seen:
            # What was renamed during the scan may have been passed over.
            return None
        return self._difference(known, known_names, missing, appeared, moved, version, catalogue)

    # ---- nothing known

    def _is_surely_too_big(self, folders: Sequence[bytes]) -> bool:
        """Say whether it need not even be tried to scan the folders within the limit.

        One that was emptied looks as big as ever: that is asked only before anything is known.
        """
        limit = self.scan_limit
        return limit is not None and any(
            looks_bigger(self.mailbox, folder, limit) for folder in folders
        )

    def _first(
        self, folders: Sequence[bytes], version: Version, catalogue: Catalogue | None
    ) -> ListingImage:
        texts = [messages_in_order(self.mailbox, folder, self.scan_limit) for folder in folders]
        seen = self._newly_seen(*_by_arrival([text for text in texts if text]))
        return self._add(None, seen, version, catalogue)

    # ---- something known

    def _missing(
        self,
        known: ListingImage,
        known_names: list[bytes],
        found: set[bytes],
        left: set[bytes],
        folders: Sequence[bytes],
    ) -> list[bytes]:
        """Return the names that are not there any more."""
        if len(folders) == 2:
            return [name for name in known_names if name not in found]
        looked_at = [name for folder in folders for name in known.names_in(folder)]
        missing = {name for name in looked_at if name not in found} | left
        return [name for name in known_names if name in missing] if missing else []

    def _difference(
        self,
        known: ListingImage,
        known_names: list[bytes],
        missing: list[bytes],
        appeared: set[bytes],
        moved: dict[bytes, bytes],
        version: Version,
        catalogue: Catalogue | None,
    ) -> ListingImage:
        text = _text(sorted(appeared.difference(moved.values())))
        fresh = self._newly_seen(*_by_arrival([text]))
        if not missing:
            return self._add(known, fresh, version, catalogue)
        lost = {name for name in missing if name not in moved}
        kept = self._rename(known, known_names, moved, lost, version)
        return self._add(kept, fresh, version, catalogue, changed_before=True)

    def _new_names(self, appeared: set[bytes]) -> set[bytes]:
        """Return the names that are new without those that a file had only for a while."""
        in_order = sorted(appeared)
        uniques = names.parse_all(in_order).uniques
        if len(set(uniques)) == len(uniques):
            return appeared
        counts = Counter(uniques)
        shared = [
            name for name, unique in zip(in_order, uniques, strict=True) if counts[unique] > 1
        ]
        return appeared.difference(shared) | self._one_of_each_file(shared)

    def _left(
        self, known: ListingImage, known_names: list[bytes], appeared: set[bytes]
    ) -> set[bytes]:
        """Return the names that were seen, or not looked for, and are no longer there.

        A file that is renamed during the scan can be seen under both names. One that is back at
        its name has not `appeared`, and is taken out of that.
        """
        new_names: dict[bytes, list[bytes]] = {}
        for name in appeared:
            new_names.setdefault(names.parse(name[4:]).unique, []).append(name)
        uniques = known.which_may_hold(new_names)
        left: set[bytes] = set()
        for name in known_names if uniques else ():
            unique = names.parse(name[4:]).unique
            if unique not in uniques:
                continue
            if self._file(name) is None:
                left.add(name)
                continue
            there = self._one_of_each_file([name, *new_names[unique]])
            appeared.difference_update(set(new_names[unique]) - there)
            if name not in there:
                left.add(name)
        return left

    def _moves(
        self,
        known_names: list[bytes],
        missing: list[bytes],
        appeared: set[bytes],
        folders: Sequence[bytes],
    ) -> dict[bytes, bytes]:
        """Return old and new name of every file that another program renamed or moved."""
        if not missing:
            return {}
        candidates = set(appeared)
        if len(folders) == 1:
            # It may have gone to the folder that was not looked at.
            other = b"cur" if folders[0] == b"new" else b"new"
            candidates.update(messages(self.mailbox, other, self.scan_limit))
            # Two files may have one unique part: what is listed already stays its own.
            candidates.difference_update(known_names)
        in_order = sorted(candidates, reverse=True)
        by_unique = dict(zip(names.parse_all(in_order).uniques, in_order, strict=True))
        uniques = names.parse_all(missing).uniques
        counts = Counter(uniques) if len(set(uniques)) < len(uniques) else None
        moved: dict[bytes, bytes] = {}
        for name, unique in zip(missing, uniques, strict=True):
            # Where two of one unique part are missing, what is there may be either.
            now = by_unique.get(unique) if counts is None or counts[unique] == 1 else None
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
    ) -> ListingImage:
        sizes, unique_ids = known.sizes(), known.unique_ids()
        claims = known.claims() or bytes(known.count)
        kept_names: list[bytes] = []
        kept_sizes = array("Q")
        kept_ids: list[bytes] = []
        kept_claims = bytearray()
        for name, size, unique_id, claim in zip(
            known_names, sizes, unique_ids, claims, strict=True
        ):
            if name in lost:
                unique = names.parse(name[4:]).unique
                self.gone.append(Gone(unique, unique_id, size, removed=False))
                continue
            kept_names.append(moved.get(name, name))
            kept_sizes.append(size)
            kept_ids.append(unique_id)
            kept_claims.append(claim)
        kept_claims = kept_claims if any(kept_claims) else bytearray()
        return render(version, kept_names, kept_sizes, kept_ids, bytes(kept_claims))

    def _newly_seen(self, text: bytes, parsed: names.Names) -> _Seen:
        """Return what is seen, without the old names of what was seen under both in its renaming.

        The names are given in their order.
        """
        uniques = parsed.uniques
        # In the order of their octets they mostly are too, and to see that is faster than a set.
        if all(map(lt, uniques, islice(uniques, 1, None))) or len(set(uniques)) == len(uniques):
            return _Seen(text, parsed, distinct=True)
        counts = Counter(uniques)
        once = [counts[unique] == 1 for unique in uniques]
        seen = _names(text)
        shared = self._one_of_each_file(
            name for name, one in zip(seen, once, strict=True) if not one
        )
        text = _text(name for name, one in zip(seen, once, strict=True) if one or name in shared)
        return _Seen(text, names.parse_text(text), distinct=False)

    def _one_of_each_file(self, names_of_one: Iterable[bytes]) -> set[bytes]:
        """Return those names that are there, the last of a file that was renamed meanwhile."""
        found: dict[object, bytes] = {}
        for name in names_of_one:
            file = self._file(name)
            if file is not None:
                found[file] = name
        return set(found.values())

    def _file(self, name: bytes) -> object:
        """Return what tells one file from another; None: there is none."""
        try:
            status = os.lstat(self.mailbox + b"/" + name)
        except OSError:
            return None
        # One that is linked twice has both its names.
        return (status.st_dev, status.st_ino) if status.st_nlink == 1 else name

    # ---- messages seen for the first time

    def _add(
        self,
        known: ListingImage | None,
        seen: _Seen,
        version: Version,
        catalogue: Catalogue | None,
        *,
        changed_before: bool = False,
    ) -> ListingImage:
        added = self._newcomers(known, seen, catalogue)
        if known is None:
            image = render(version, *added)
            # A mailbox nobody has delivered to needs no catalogue.
            if image.count:
                packs = pack_unique_ids(added[2])
                self.changes = Changes(version.generation, 0, image, (), self.back, packs)
            return image
        image = extend(known, version, *added)
        if image.count > known.count or changed_before:
            first = 0 if changed_before else known.count
            self.changes = Changes(version.generation, first, image, self.gone, self.back)
        return image

    def _newcomers(
        self, known: ListingImage | None, seen: _Seen, catalogue: Catalogue | None
    ) -> tuple[Sequence[bytes] | bytes, array[int], list[bytes], bytes]:
        text, (uniques, wire_sizes, _), distinct = seen
        claimed = self._claimed(wire_sizes)
        added: list[bytes] = []
        sizes = array("Q")
        unique_ids: list[bytes] = []
        claims = bytearray()
        ids = UniqueIds(known, catalogue, [message.unique_id for message in self.gone])
        if distinct and None not in claimed and ids.may_give_all(seen.parsed):
            return text, array("Q", claimed), uniques, b"\1" * len(uniques)  # type: ignore[arg-type]
        for name, unique, claim in zip(_names(text), uniques, claimed, strict=True):
            size = self._read_size(name) if claim is None else claim
            if size is None:
                continue
            added.append(name)
            returned = ids.returned(unique)
            if returned is not None:
                self.back.append(returned)
                unique_ids.append(returned.unique_id)
            else:
                unique_ids.append(ids.give(unique, name))
            sizes.append(size)
            claims.append(claim is not None)
        return added, sizes, unique_ids, bytes(claims) if any(claims) else b""

    def _claimed(self, claimed: list[int | None]) -> list[int | None]:
        """Return the sizes to be believed for now; None: one that a login can afford to count."""
        if len(claimed) > self.affordable.messages:
            return claimed
        octets = self.affordable.octets
        for index, claim in enumerate(claimed):
            if octets <= 0:
                break
            if claim is not None:
                octets -= claim
                claimed[index] = None
        return claimed

    def _read_size(self, name: bytes) -> int | None:
        """Return a size, or None for a file that is gone or is none."""
        # What claims its size in its name needs none of what counts sizes.
        from restante.stores.sizes import wire_size

        path = self.mailbox + b"/" + name
        try:
            if self.preparation is not None:
                return self.preparation.count(path)
            return wire_size(path)
        except (FileNotFoundError, MessageVanished):
            return None
        except PermissionError:
            # A message that cannot be read is still there, and says so when it is asked for.
            return os.lstat(path).st_size
        except OSError as error:
            raise TemporaryFailure from error


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


def _by_arrival(texts: Sequence[bytes]) -> tuple[bytes, names.Names]:
    """Put names that stand in the order of their octets in that of arrival; take them apart."""
    # Of two that arrived together, the one whose folder comes first.
    text = b"".join(sorted(texts))
    parsed = names.parse_text(text)
    if parsed.plain and text[:4] == text[text.rfind(b"\0", 0, -1) + 1 :][:4]:
        # All in one folder, each beginning with its seconds: they stand as they have to.
        return text, parsed
    text = _text(sorted(_names(text), key=names.arrival))
    return text, names.parse_text(text)


def _text(ordered: Iterable[bytes]) -> bytes:
    return b"\0".join((*ordered, b""))


def _names(text: bytes) -> list[bytes]:
    return text.split(b"\0")[:-1]
