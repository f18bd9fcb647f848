"""Which model files lie here, by content: looked over when ComfyUI lists them anew, hashed one at a time.

ComfyUI lists names; sizes and hashes are found on the disk where this worker sees ComfyUI's folders. Where it
does not, that is said. What a file says of itself (safetensors carry a hash) is not asked.
"""

from __future__ import annotations

import logging
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Final

from farm.contracts import FileFact, Inventory, InventoryPart
from farm.contracts.inventory import (
    CHANGING,
    ELSEWHERE,
    LONGEST_NAME,
    MOST_FILES,
    OTHER_SIZE,
    PARTS,
    UNREADABLE,
    WAITING,
    mark_of_all,
    mark_of_part,
    part_of,
)
from workers import hashing
from workers.catalogue import NO_MODELS, Catalogue
from workers.hashing import ChangingError, HashBook, Identity, StoppedError
from workers.shelves import Shelves

logger = logging.getLogger(__name__)

PERIOD_S: Final = 5.0
AGAIN_S: Final = 60.0
"""How soon what was changing, or could not be read, is looked at again."""

MOST_TOLD: Final = 500
"""Files one report tells of, but for the last part begun."""

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known at one moment, divided into parts."""

    parts: tuple[tuple[FileFact, ...], ...]
    marks: tuple[str, ...]
    mark: str
    waiting: int
    left_out: int

    @classmethod
    def of(cls, facts: Iterable[FileFact], *, left_out: int = 0) -> Told:
        """Divide facts into parts and mark them."""
        divided: dict[int, list[FileFact]] = defaultdict(list)
        waiting = 0
        for fact in facts:
            divided[part_of(fact.folder, fact.name)].append(fact)
            waiting += fact.why == WAITING
        parts = tuple(tuple(divided[number]) for number in range(PARTS))
        marks = tuple(mark_of_part(files) for files in parts)
        return cls(parts=parts, marks=marks, mark=mark_of_all(marks), waiting=waiting, left_out=left_out)

    def report(self, wanted: tuple[int, ...] | None) -> Inventory:
        """Answer what the coordinator asked for last: its parts, as many as one report carries."""
        parts: list[InventoryPart] = []
        told = 0
        for number in wanted or ():
            if 0 <= number < PARTS and told < MOST_TOLD:
                parts.append(InventoryPart(number=number, mark=self.marks[number], files=self.parts[number]))
                told += len(self.parts[number])
        return Inventory(
            mark=self.mark,
            marks=self.marks if wanted is not None else (),
            parts=tuple(parts),
            waiting=self.waiting,
            left_out=self.left_out,
        )


class Stocktaking(Thread):
    """Keeps ``tell`` up to date with what lies here. The node lives without it: what goes wrong is said.

    ``catalogue`` is what ComfyUI offers now; ``busy`` whether a render is at work; ``book`` and ``lock`` are
    shared by all workers of the machine.
    """

    def __init__(
        self,
        *,
        catalogue: Callable[[], Catalogue | None],
        shelves: Callable[[Catalogue], Shelves],
        busy: Callable[[], bool],
        tell: Callable[[Told], None],
        book: HashBook,
        lock: Path,
        clock: Callable[[], float] = hashing.now,
    ) -> None:
        super().__init__(name="stocktaking", daemon=True)
        self._catalogue = catalogue
        self._shelves = shelves
        self._busy = busy
        self._tell = tell
        self._book = book
        self._lock = lock
        self._clock = clock
        self._stopped = Event()
        self._seen: Catalogue | None = None
        self._facts: dict[Key, FileFact] = {}
        self._left_out = 0
        self._paths: dict[Key, Path] = {}
        self._look_again_at = float("inf")

    def stop(self) -> None:
        """Hash no more; a file half read is read again another time."""
        self._stopped.set()

    def run(self) -> None:
        """Take stock until told to stop."""
        hashing.step_back()
        while not self._stopped.is_set():
            try:
                more = self.step()
            except StoppedError:
                return
            except Exception:  # the outermost edge: renders go on without hashes
                logger.exception("stocktaking failed")
                more = False
            if not more:
                self._stopped.wait(PERIOD_S)

    def step(self) -> bool:
        """Look over what ComfyUI lists if that is new, else hash one file; False: nothing to do now."""
        catalogue = self._catalogue()
        if catalogue is None:
            return False
        if catalogue is not self._seen or self._clock() >= self._look_again_at:
            self._look_over(catalogue)
            return True
        key = next((key for key, fact in self._facts.items() if fact.why == WAITING), None)
        return key is not None and self._hash(key)

    def _look_over(self, catalogue: Catalogue) -> None:
        shelves = self._shelves(catalogue)
        listed = [
            (folder, name)
            for folder, names in sorted(catalogue.capabilities.models.items())
            if folder != NO_MODELS
            for name in names
        ]
        kept = [key for key in listed if sum(map(len, key)) < LONGEST_NAME][:MOST_FILES]
        self._look_again_at = float("inf")
        self._paths = {}
        self._facts = {key: self._look_at(key, shelves, catalogue.sizes) for key in kept}
        self._left_out = len(listed) - len(kept)
        self._seen = catalogue
        self._publish()

    def _look_at(self, key: Key, shelves: Shelves, told: Mapping[str, int]) -> FileFact:
        """Say what is known of a file before anything of it is read."""
        folder, name = key
        size = told.get(f"{folder}/{name}")
        fact = FileFact(folder=folder, name=name, size=size)
        path = shelves.look(folder, name)
        if path is None:
            return replace(fact, why=ELSEWHERE)
        try:
            found = path.stat()
        except OSError:
            return self._later(replace(fact, why=UNREADABLE))
        if not stat.S_ISREG(found.st_mode):
            return replace(fact, why=UNREADABLE)
        if size not in (None, found.st_size):
            return self._later(replace(fact, why=OTHER_SIZE))
        self._paths[key] = path
        fact = replace(fact, size=found.st_size)
        if not hashing.settled(found, now=self._clock()):
            return self._later(replace(fact, why=CHANGING))
        sha256 = self._book.look(Identity.of(path, found))
        return replace(fact, sha256=sha256, why="" if sha256 else WAITING)

    def _later(self, fact: FileFact) -> FileFact:
        self._look_again_at = min(self._look_again_at, self._clock() + AGAIN_S)
        return fact

    def _hash(self, key: Key) -> bool:
        """Hash one file; False while another worker of this machine hashes."""
        with hashing.alone(self._lock) as mine:
            if not mine:
                return False
            self._facts[key] = self._hashed(key, self._facts[key])
        self._publish()
        return True

    def _hashed(self, key: Key, fact: FileFact) -> FileFact:
        path = self._paths[key]
        try:
            known = self._book.look(Identity.of(path, path.stat()))  # another worker may have found it
            if known:
                return replace(fact, sha256=known, why="")
            logger.info("hashing", extra={"file": f"{key[0]}/{key[1]}", "bytes": fact.size})
            found, sha256 = hashing.hash_file(
                path, busy=self._busy, stopped=self._stopped, sleep=self._stopped.wait
            )
        except ChangingError:
            return self._later(replace(fact, why=CHANGING))
        except OSError as error:
            logger.warning("model file not read", extra={"file": f"{key[0]}/{key[1]}", "error": str(error)})
            return self._later(replace(fact, why=UNREADABLE))
        self._book.write(found, sha256)
        return replace(fact, size=found.size, sha256=sha256, why="")

    def _publish(self) -> None:
        self._tell(Told.of(self._facts.values(), left_out=self._left_out))
