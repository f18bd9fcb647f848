"""Where things lie in an archive: by the project's own layout, each path once, none leading anywhere else."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Final

from apps.folders.language.layout import Layout, write_or_none
from apps.folders.language.names import LONGEST_NAME, fold, why_not
from apps.folders.subjects import values_of
from apps.productions.models import Shot

_ENDING: Final = re.compile(r"\.([a-z0-9]{1,8})\Z")
_UNSAFE: Final = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f]+')
_ROOM: Final = 16


class Places:
    """Gives out paths; the same path is never given twice, not even to disks that know no case."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._given: set[int] = set()

    def of_take(self, shot: Shot, *, stage: str, number: int, kind: str, key: str, place: int) -> str:
        """Where a take's file goes: as it would be published, by its own number."""
        ending = ending_of(key)
        values = {
            **values_of(shot),
            "stage": stage,
            "take": number,
            "version": number,
            "ext": ending or "bin",
            "suffix": f"{place:02}" if place > 1 else None,
        }
        path = write_or_none(self._layout.file(stage), values)
        usual = f"takes/{shot.full_code}/{shot.full_code}_{kind}_take{number:03}.{ending or 'bin'}"
        return self.free(path or usual)

    def free(self, path: str) -> str:
        """Return this path, or the next like it that nothing has yet."""
        whole = PurePosixPath(path)
        number = 1
        while (mark := _mark_of(path)) in self._given:
            number += 1
            path = str(whole.with_name(f"{whole.stem}-{number}{whole.suffix}"))
        self._given.add(mark)
        return path


def _mark_of(path: str) -> int:
    """Eight bytes for a path: an archive has a million. Two of one mark would only have another name."""
    return int.from_bytes(blake2b(fold(path).encode(), digest_size=8).digest())


def ending_of(key: str) -> str:
    """The ending of a file, such as mp4; "" for none that a file could have."""
    found = _ENDING.search(key.lower())
    return found[1] if found else ""


def name_of(told: str, *, otherwise: str) -> str:
    """Make a name that every system takes of what somebody wrote."""
    name = (
        _UNSAFE.sub("_", unicodedata.normalize("NFC", told)).strip(" .")[: LONGEST_NAME - _ROOM].strip(" .")
    )
    return otherwise if why_not(name) else name
