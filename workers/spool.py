"""What a node must not forget when it dies: attempts it has begun and reports nobody has confirmed.

One JSON file per attempt, in ``started/`` and ``finished/``. A file is written beside its place, synced
and renamed, so after a power cut it is there whole or not at all. ``started`` files hold the attempt's
report key, so the folder is private. It belongs to one process: what another one had begun would look like
what a former life has left.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from farm.contracts import ContractError, RenderOrder, RenderReport, canonical, from_json, to_json
from workers.errors import SpoolTaken, SpoolUnavailable

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)
T = TypeVar("T")

SAFE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
FOLDER_MODE: Final = 0o700
LOCK_MODE: Final = 0o600


@dataclass(frozen=True, kw_only=True)
class Started:
    """An attempt whose prompt was, or was about to be, queued in ComfyUI under ``prompt_id``.

    ``epoch``: the life in which its order came, empty where an earlier version wrote it down.
    """

    order: RenderOrder
    prompt_id: str
    epoch: str = ""


class Spool:
    """The node's memory on disk, in ``folder`` (created if need be).

    Making it, ``own``, ``start`` and ``finish`` raise SpoolUnavailable where the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        try:
            for name in ("started", "finished"):
                (folder / name).mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        except OSError as exc:
            raise self._unavailable(exc) from exc

    def own(self) -> None:
        """Take the folder for this process alone, as long as it lives, and clear half-written files away.

        Raises SpoolTaken if another process has it. Where the system cannot lock files, nobody is refused.
        """
        if sys.platform == "win32" or self._lock is not None:
            return
        try:
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
        except OSError as exc:
            raise self._unavailable(exc) from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(handle)
            raise SpoolTaken(
                f"another worker of this machine has the spool {self.folder} and so this node's name; "
                "give each worker a SHOTFARM_NODE and a --hostname of its own"
            ) from exc
        except OSError as exc:
            logger.warning("spool cannot be locked", extra={"folder": str(self.folder), "error": str(exc)})
        self._lock = handle
        for draft in self.folder.glob("*/*.draft"):
            with suppress(OSError):  # half a file of a dead process only takes room; nothing reads drafts
                draft.unlink()

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def start(self, started: Started) -> None:
        """Remember an attempt before its prompt is sent."""
        self._write(self._file("started", started.order.attempt_id), to_json(started))

    def finish(self, report: RenderReport) -> None:
        """Remember a report until it is confirmed; the attempt is no longer in progress."""
        self._write(self._file("finished", report.attempt_id), to_json(report))
        self._remove("started", report.attempt_id)

    def confirm(self, attempt_ids: Iterable[str]) -> None:
        """Forget the reports the coordinator has; unknown ones are no error.

        What a failing disk keeps is told, and confirmed, once more.
        """
        for attempt_id in attempt_ids:
            if SAFE_ID.fullmatch(attempt_id):
                self._remove("finished", attempt_id)

    def knows(self, attempt_id: str) -> bool:
        """Tell whether this attempt was begun here, or ended here and is not confirmed yet."""
        return bool(SAFE_ID.fullmatch(attempt_id)) and (
            self._file("started", attempt_id).exists() or self._file("finished", attempt_id).exists()
        )

    def started(self) -> tuple[Started, ...]:
        """List the attempts that were begun and have no report, oldest first.

        A worker that died between writing a report and ending the start has left both: the report stands.
        """
        begun = self._read_all("started", Started)
        ended = [one for one in begun if self._file("finished", one.order.attempt_id).exists()]
        for one in ended:
            self._remove("started", one.order.attempt_id)
        return tuple(one for one in begun if one not in ended)

    def finished(self) -> tuple[RenderReport, ...]:
        """List the unconfirmed reports, oldest first."""
        return self._read_all("finished", RenderReport)

    def _file(self, kind: str, attempt_id: str) -> Path:
        if not SAFE_ID.fullmatch(attempt_id):
            raise ContractError(f"attempt_id {attempt_id!r} is not an id; expected letters, digits, - and _")
        return self.folder / kind / f"{attempt_id}.json"

    def _remove(self, kind: str, attempt_id: str) -> None:
        path = self._file(kind, attempt_id)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("spool file not removed", extra={"file": str(path), "error": str(error)})

    def _write(self, path: Path, plain: object) -> None:
        draft = path.with_suffix(".draft")
        try:
            with draft.open("wb") as file:
                file.write(canonical(plain))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync_folder(path.parent)
        except OSError as exc:
            with suppress(OSError):
                draft.unlink(missing_ok=True)  # half a file must not go on filling a full disk
            raise self._unavailable(exc) from exc

    def _unavailable(self, exc: OSError) -> SpoolUnavailable:
        return SpoolUnavailable(
            f"this node's spool at {self.folder} cannot be written ({exc.strerror or exc}); "
            "make room there, or set SHOTFARM_SPOOL to another disk"
        )

    def _read_all(self, kind: str, form: type[T]) -> tuple[T, ...]:
        dated = []
        for path in (self.folder / kind).glob("*.json"):
            try:
                dated.append((path.stat().st_mtime_ns, path.name, path.read_bytes()))
            except FileNotFoundError:
                continue  # confirmed or finished by another thread a moment ago
            except OSError as error:  # one bad sector must not keep all others from being told
                logger.error("spool file not read", extra={"file": str(path), "error": str(error)})
        found = []
        for _, name, content in sorted(dated):
            try:
                found.append(from_json(form, json.loads(content)))
            except (ContractError, ValueError) as error:
                self._set_aside(self.folder / kind / name, error)
        return tuple(found)

    def _set_aside(self, path: Path, error: Exception) -> None:
        """Keep what this version cannot read for a person to look at, out of the way."""
        logger.error("spool file unreadable, set aside", extra={"file": str(path), "error": str(error)})
        with suppress(OSError):  # on a disk that takes nothing it is passed over each time
            path.replace(path.with_suffix(".unreadable"))


def _sync_folder(folder: Path) -> None:
    """Make a rename last. Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
