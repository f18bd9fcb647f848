"""Copies of stored files beside the backups: each once, by its content, whichever backup wants it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.core.files.storage import storages

from apps.keeping.backups.manifest import COPIES
from apps.keeping.backups.references import Reference, is_safe
from apps.review.services.keeping import fetch, keep, sha256_of

MOST_NAMED: Final = 50
"""Files named in a report; of more, their number is told."""


@dataclass
class Findings:
    """How many files came out how, and the first of those that are not well."""

    counts: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)

    def note(self, outcome: str, reference: Reference | None = None) -> None:
        """Count one; name it too, if it is given."""
        self.counts[outcome] += 1
        if reference is not None and len(self.named) < MOST_NAMED:
            where = "" if reference.store == "default" else f"{reference.store}: "
            self.named.append(f"{outcome}: {where}{reference.key}")


def copy_of(folder: Path, reference: Reference) -> Path:
    """Where a file's copy lies below the folder of all backups."""
    if reference.sha256:
        return folder / COPIES / "sha256" / reference.sha256[:2] / reference.sha256
    return folder / COPIES / "unsummed" / reference.store / reference.key


def copy_files(folder: Path, wanted: Iterable[Reference]) -> Findings:
    """Copy what is not there yet: ``copied``, ``there``, and named ``missing`` or ``changed`` in the store.

    OSError of a store or a full disk goes up; what was copied stays, and is not copied again.
    """
    findings = Findings()
    for one in safe(wanted):
        place = copy_of(folder, one)
        if place.is_file() and place.stat().st_size == _size_to_be(one):
            findings.note("there")
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name[:100]}.part")
        try:
            found = fetch(one.key, part, storage=storages[one.store])
            if one.sha256 and found != one.sha256:
                findings.note("changed in the store", one)
                continue
            part.replace(place)
            findings.note("copied")
        except FileNotFoundError:
            findings.note("missing in the store", one)
        finally:
            part.unlink(missing_ok=True)
    return findings


def bring_back(folder: Path, wanted: Iterable[Reference]) -> Findings:
    """Put into the stores what is not there: ``brought``, ``there``, and named those without a copy."""
    findings = Findings()
    for one in safe(wanted):
        if _stands(one):
            findings.note("there")
            continue
        place = copy_of(folder, one)
        if not place.is_file():
            findings.note("no copy", one)
        elif one.sha256 and sha256_of(place) != one.sha256:
            findings.note("damaged copy", one)
        else:
            keep(place, one.key, storage=storages[one.store])
            findings.note("brought")
    return findings


def check_files(folder: Path, wanted: Iterable[Reference], *, copied: bool, sums: bool) -> Findings:
    """Look for every file in its store and, where files were copied, for its copy; ``sums``: read them, too.

    Lost is what is whole in neither: named, as is what a store lacks and a copy could bring back.
    """
    findings = Findings()
    for one in safe(wanted):
        stored = _stored_whole(one, sums=sums)
        kept = copied and _kept_whole(copy_of(folder, one), one, sums=sums)
        if stored and (kept or not copied):
            findings.note("whole")
        elif stored:
            findings.note("not copied", one)
        else:
            findings.note("missing in the store, held by the backup" if kept else "lost", one)
    return findings


def safe(wanted: Iterable[Reference]) -> Iterator[Reference]:
    """Leave out what would lead out of a store or of the folder of copies."""
    for one in wanted:
        if is_safe(one.key) and (not one.sha256 or _is_sum(one.sha256)):
            yield one


def prune_copies(folder: Path, wanted: Iterable[Reference]) -> int:
    """Delete copies that no backup wants any more; return how many."""
    keeping = {str(copy_of(folder, one)) for one in safe(wanted)}
    gone = 0
    for ours in ("sha256", "unsummed"):  # of what else somebody keeps in such a folder we know nothing
        for path in (folder / COPIES / ours).rglob("*"):
            if path.is_file() and str(path) not in keeping:
                path.unlink()
                gone += 1
    return gone


def _stands(one: Reference) -> bool:
    try:
        size = storages[one.store].size(one.key)
    except FileNotFoundError:
        return False
    return one.bytes is None or size == one.bytes


def _stored_whole(one: Reference, *, sums: bool) -> bool:
    if not _stands(one):
        return False
    if not sums or not one.sha256:
        return True
    digest = hashlib.sha256()
    with storages[one.store].open(one.key, "rb") as file:
        for chunk in file.chunks():
            digest.update(chunk)
    return digest.hexdigest() == one.sha256


def _kept_whole(place: Path, one: Reference, *, sums: bool) -> bool:
    if not place.is_file() or (one.bytes is not None and place.stat().st_size != one.bytes):
        return False
    return not sums or not one.sha256 or sha256_of(place) == one.sha256


def _size_to_be(one: Reference) -> int | None:
    """What a copy's size must be; asked of the store where the database does not know it."""
    if one.bytes is not None:
        return one.bytes
    try:
        return int(storages[one.store].size(one.key))
    except FileNotFoundError:
        return None


def _is_sum(told: str) -> bool:
    return len(told) == 64 and all(letter in "0123456789abcdef" for letter in told)
