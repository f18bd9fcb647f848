"""Files that come from a node through the web side: in pieces, resumable, whole or not at all.

An attempt's unfinished files lie in a folder of its own beside the store, ``.uploads/ATTEMPT/``; where the
store is no folder, on this machine's disk. One lock per attempt makes appends take turns; a piece is
accepted only where the file ends now, so whatever is repeated or reordered changes nothing. The folder's
ledger names what was finished, so that finishing twice is one finish.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, default_storage

from apps.common.errors import Conflict, Problem, Refused
from apps.renders.models import Attempt, Proof
from apps.review.services.keeping import adopt
from apps.review.services.takes import folder_of
from farm import transfer
from farm.contracts import STORE_MARKER

logger = logging.getLogger(__name__)

FOLDER: Final = ".uploads"
ABANDONED_S: Final = 24 * 3600.0
"""An upload nobody has continued for this long is given up."""

TIDY_S: Final = 600.0
LOCK_PATIENCE_S: Final = 2.0
LEDGER: Final = "ledger.json"
_PART: Final = ".part"

Ledger = dict[str, tuple[int, str]]
Sender = Attempt | Proof
"""What a node renders, and stores files of."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A file as its sender declares it before the first byte. Raises Refused where that makes no sense."""

    name: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        if not transfer.NAME.fullmatch(self.name):
            raise _refused("name", self.name, "expected one plain file name of letters, digits, . - and _")
        if not 0 <= self.size <= transfer.MAX_FILE_BYTES:
            raise _refused("size", self.size, f"expected 0 to {transfer.MAX_FILE_BYTES} bytes")
        if not transfer.SHA256.fullmatch(self.sha256):
            raise _refused("sha256", self.sha256, "expected 64 lower-case hexadecimal digits")

    @property
    def part(self) -> str:
        """Name of the unfinished file. Other content under the same name is another upload."""
        return f"{self.name}.{self.sha256[:16]}{_PART}"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far an upload is."""

    offset: int
    complete: bool


def standing(attempt: Sender, file: Declared) -> Standing:
    """Say where to continue."""
    folder = _root() / str(attempt.pk)
    if _is_finished(folder, attempt, file):
        return Standing(offset=file.size, complete=True)
    return Standing(offset=_length(folder / file.part), complete=False)


def append(attempt: Sender, file: Declared, *, offset: int, piece: bytes) -> int:
    """Add a piece where the upload ends now; return where it ends then.

    Raises Conflict if it ends elsewhere, or the attempt's files are taken no more; Refused beyond the
    bounds; OSError, with nothing changed, if the disk fails or has no room.
    """
    end = offset + len(piece)
    if len(piece) > transfer.CHUNK_BYTES:
        raise _refused("body", len(piece), f"at most {transfer.CHUNK_BYTES} bytes at once", code="too_large")
    if end > file.size:
        raise _refused("offset", offset, f"{len(piece)} bytes from here go beyond the declared {file.size}")
    with _in_turn(attempt) as folder:
        if _is_finished(folder, attempt, file):
            return file.size
        _still_wanted(attempt)
        part = folder / file.part
        have = _length(part)
        if offset != have:
            raise Conflict(Problem("offset", str(offset), f"this upload ends at {have}", code="offset"))
        _stay_within_bounds(folder, file)
        _need_room(folder, file.size - have)
        _write(part, have, piece)
    return end


def finish(attempt: Sender, file: Declared) -> None:
    """Check the whole file and show it under its key; done before, it changes nothing.

    Raises Conflict if bytes are missing, or are not those declared: then the upload begins anew.
    """
    with _in_turn(attempt) as folder:
        if _is_finished(folder, attempt, file):
            return
        _still_wanted(attempt)
        part = folder / file.part
        have = _length(part)
        if have != file.size:
            raise Conflict(Problem("size", str(file.size), f"{have} bytes have come", code="offset"))
        part.touch()  # a file of no bytes has had no piece
        _verify(part, file)
        attempt.refresh_from_db(fields=("state", "report"))  # a large file takes a while to check
        _still_wanted(attempt)
        adopt(part, _key(attempt, file.name))
        _write_ledger(folder, _ledger(folder) | {file.name: (file.size, file.sha256)})
    logger.info("file uploaded", extra={"attempt": str(attempt.pk), "file": file.name, "bytes": file.size})


def tidy() -> None:
    """Remove abandoned uploads, at most every ten minutes in each process."""
    if not cache.add("uploads-tidied", True, TIDY_S):
        return
    try:
        forget_abandoned()
    except OSError as exc:  # nobody waits for this; the next turn may go better
        logger.warning("abandoned uploads not removed", extra={"error": str(exc)})


def forget_abandoned() -> int:
    """Remove what nobody has continued for a day; return how many attempts' folders went."""
    root = _root()
    if not root.is_dir():
        return 0
    gone = 0
    for folder in filter(Path.is_dir, root.iterdir()):
        with suppress(FileNotFoundError):  # another web process forgets as well
            if time.time() - _touched(folder) > ABANDONED_S:
                shutil.rmtree(folder)
                logger.info("abandoned upload removed", extra={"attempt": folder.name})
                gone += 1
    return gone


def require_room() -> None:
    """Raise OSError (ENOSPC) while a store that is a folder has no more room than is kept free."""
    if isinstance(default_storage, FileSystemStorage):
        _need_room(Path(default_storage.location), 0)


def _root() -> Path:
    """Beside the finished files, so that finishing is a rename and all web processes see the same."""
    if isinstance(default_storage, FileSystemStorage):
        return Path(default_storage.path(FOLDER))
    return Path(settings.VAR) / "uploads"


def _key(attempt: Sender, name: str) -> str:
    folder = attempt.folder if isinstance(attempt, Proof) else folder_of(attempt.job.project.code, attempt.pk)
    return f"{folder}/{name}"


def _still_wanted(attempt: Sender) -> None:
    """An attempt may store files until its report is written: late successes are welcome (invariant 4)."""
    if attempt.report:
        raise Conflict(
            Problem("attempt", str(attempt.pk), f"it ended ({attempt.state}); its files stay", code="ended")
        )


@contextmanager
def _in_turn(attempt: Sender) -> Iterator[Path]:
    """Hold the attempt's folder alone. Raises Conflict if somebody else holds it for long."""
    if not default_storage.exists(STORE_MARKER):
        raise OSError(errno.ENODEV, f"no {STORE_MARKER} in it: is it mounted, and has a ticker run?")
    folder = _root() / str(attempt.pk)
    tidy()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                raise Conflict(
                    Problem("attempt", str(attempt.pk), "another request is at work on it", code="busy")
                )
            time.sleep(0.05)
        yield folder


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_finished(folder: Path, attempt: Sender, file: Declared) -> bool:
    if _ledger(folder).get(file.name) != (file.size, file.sha256):
        return False
    try:
        return default_storage.size(_key(attempt, file.name)) == file.size
    except FileNotFoundError:
        return False


def _stay_within_bounds(folder: Path, file: Declared) -> None:
    ledger = _ledger(folder)
    ledger.pop(file.name, None)
    others = [p for p in folder.glob(f"*{_PART}") if p.name != file.part]
    if len(ledger) + len(others) >= transfer.MAX_ATTEMPT_FILES:
        raise _refused("name", file.name, f"an attempt has at most {transfer.MAX_ATTEMPT_FILES} files")
    total = file.size + sum(size for size, _ in ledger.values()) + sum(map(_length, others))
    if total > transfer.MAX_ATTEMPT_BYTES:
        raise _refused(
            "size", file.size, f"an attempt has at most {transfer.MAX_ATTEMPT_BYTES} bytes", code="too_large"
        )


def _need_room(folder: Path, wanted: int) -> None:
    """Say now what the disk would say later, when most of the file has travelled in vain."""
    free = shutil.disk_usage(folder).free
    if free < wanted + settings.MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, f"{free // 2**20} MiB are free, {wanted // 2**20} MiB more would come")


def _write(part: Path, have: int, piece: bytes) -> None:
    """Append, or leave the file as it was.

    Without a buffer: closing would write what it still holds, into the room that truncating has just made.
    """
    rest = memoryview(piece)
    with part.open("ab", buffering=0) as file:
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            os.ftruncate(file.fileno(), have)
            raise


def _verify(part: Path, file: Declared) -> None:
    with part.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
        os.fsync(content.fileno())
    if found != file.sha256:
        part.unlink()
        raise Conflict(
            Problem("sha256", file.sha256, f"what came has {found}; send it again", code="checksum")
        )


def _ledger(folder: Path) -> Ledger:
    try:
        content = json.loads((folder / LEDGER).read_bytes())
    except FileNotFoundError:
        return {}
    return {name: (size, sha256) for name, (size, sha256) in content.items()}


def _write_ledger(folder: Path, ledger: Ledger) -> None:
    draft = folder / f"{LEDGER}.draft"
    draft.write_text(json.dumps(ledger))
    draft.replace(folder / LEDGER)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))


def _refused(field: str, value: object, message: str, *, code: str = "invalid") -> Refused:
    return Refused(Problem(field, str(value)[:200], message, code=code))
