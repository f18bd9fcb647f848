"""The names that exist nearest to one that does not: files of models, classes of nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

MOST_NAMED: Final = 3
MOST_COMPARED: Final = 5_000
"""A folder of more files than that is not compared to its end."""
MOST_IN_ONE_SEARCH: Final = 100_000
"""Names compared for one graph: one that names a thousand absent models has no use for all their likes."""
LONGEST: Final = 200
ALIKE: Final = 0.65

_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,11}$")
_PRECISION: Final = re.compile(
    r"(nv|mx)?(fp|bf|int|nf)\d+|e\dm\d(fn)?|scaled|mixed|fast|pruned|emaonly|i?q\d|k|[sml]"
)
_BETWEEN: Final = re.compile(r"[\s._-]+")


def nearest_files(wanted: str, same_folder: Iterable[str], others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return up to three files most like ``wanted``, those of its own folder before ``others``.

    Folder, case, suffix and precision (fp16, fp8_scaled, Q4_K_M) do not count: the same model in another
    precision is the nearest there is.
    """
    own = _nearest(wanted, same_folder, bare_name)
    rest = _nearest(wanted, others, bare_name) if len(own) < MOST_NAMED else ()
    return tuple(dict.fromkeys(own + rest))[:MOST_NAMED]


def nearest_classes(wanted: str, classes: Iterable[str]) -> tuple[str, ...]:
    """Return up to three node classes whose names are most like ``wanted``, whatever their case."""
    return _nearest(wanted, classes, _bare_class)


class Search:
    """Looks for many names of one graph: for each once, and for no more than it can in half a second."""

    def __init__(self) -> None:
        self._left = MOST_IN_ONE_SEARCH
        self._files: dict[str, list[tuple[Collection[object], tuple[str, ...]]]] = {}
        self._classes: dict[str, tuple[str, ...]] = {}

    def files(
        self, wanted: str, same_folder: Collection[object], others: Callable[[], Collection[str]]
    ) -> tuple[str, ...]:
        """Files of the same folder that are most like ``wanted``; if there are none, of ``others``."""
        known = self._files.setdefault(wanted, [])
        for folder, found in known:
            if folder is same_folder:
                return found
        found = nearest_files(wanted, map(str, same_folder)) if self._may(len(same_folder)) else ()
        if not found and self._may(len(others())):
            found = nearest_files(wanted, (), others())
        known.append((same_folder, found))
        return found

    def classes(self, wanted: str, there: Collection[str]) -> tuple[str, ...]:
        """Classes whose names are most like ``wanted``."""
        if wanted not in self._classes:
            self._classes[wanted] = nearest_classes(wanted, there) if self._may(len(there)) else ()
        return self._classes[wanted]

    def _may(self, count: int) -> bool:
        self._left -= min(count, MOST_COMPARED)
        return self._left >= 0


@lru_cache(maxsize=2 * MOST_COMPARED)
def bare_name(file: str) -> str:
    """A model file's name without folder, suffix, case and precision."""
    name = _SUFFIX.sub("", file.replace("\\", "/").rpartition("/")[2]).lower()
    words = _BETWEEN.split(name)
    return " ".join(word for word in words if not _PRECISION.fullmatch(word)) or name


def _bare_class(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


def _nearest(wanted: str, names: Iterable[str], bare: Callable[[str], str]) -> tuple[str, ...]:
    compare: SequenceMatcher[str] = SequenceMatcher(autojunk=False)
    compare.set_seq2(bare(wanted[-LONGEST:]))
    found: list[tuple[float, str]] = []
    for count, name in enumerate(names):
        if count == MOST_COMPARED:
            break
        compare.set_seq1(bare(name[-LONGEST:]))
        # the two quick ones are upper bounds: most names end there
        if compare.real_quick_ratio() >= ALIKE and compare.quick_ratio() >= ALIKE:
            ratio = compare.ratio()
            if ratio >= ALIKE:
                found.append((-ratio, name))
    return tuple(name for _, name in sorted(found)[:MOST_NAMED])
