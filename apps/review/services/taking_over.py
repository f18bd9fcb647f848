"""Files that AIPipeline, the prototype, made of shots become takes: each once, however often it is asked."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from apps.common.clock import database_now
from apps.common.codes import next_number
from apps.productions.models import Shot
from apps.productions.prototype.files import ShotFile
from apps.productions.prototype.report import Report
from apps.projects.stages import Stage
from apps.review.decoding import Facts, Undecodable, frames, look, true_type
from apps.review.models import Take
from apps.review.services.keeping import keep, sha256_of
from apps.review.services.queueing import request_media
from apps.review.services.takes import NewTake, create_takes, folder_of
from apps.workflows.models import Kind
from farm.contracts import ArtifactFact

logger = logging.getLogger(__name__)

ORIGIN: Final = "AIPipeline"
_OURS: Final = UUID("6d0f3a5e-52e1-5c0c-9d0a-3f6a3ce0b0a1")
"""Of which the keys of takes from there are made, so that one file is one take."""
_STAGES: Final[Mapping[str, Stage]] = {
    "previz": Stage.PREVIZ,
    "layout": Stage.PREVIZ,
    "playblast": Stage.PREVIZ,
    "comp": Stage.FINISH,
    "final": Stage.FINISH,
}
"""Which stage a folder is of; all others by what the file is."""


@dataclass(frozen=True)
class _Read:
    """A file that decodes to its end, by its content."""

    file: ShotFile
    sha256: str
    bytes: int
    facts: Facts
    frames: int

    def key(self, shot: Shot, what: str) -> UUID:
        """Return the key that this file has in this shot."""
        return uuid5(_OURS, f"{shot.pk}:{self.sha256}:{what}")


def take_over(report: Report) -> None:
    """Make takes of the files that an import found, and count them (and their bytes) in its report.

    A dry run counts alone. A file that does not decode or cannot be read is told; none of them stops the
    others, and what broke off in the middle goes on when it is asked again.
    """
    shots = _shots(report)
    for read in _readable(report.files):
        shot = shots.get((read.file.sequence, read.file.shot))
        if shot is not None and Take.objects.filter(job_id=read.key(shot, "job")).exists():
            report.there["takes"] += 1
            continue
        try:
            if not report.dry_run and shot is not None:
                _born(shot, read)
        except OSError as exc:
            _told(read.file, exc)
            continue
        report.created["takes"] += 1
        report.created["bytes of takes"] += read.bytes


def _shots(report: Report) -> dict[tuple[str, str], Shot]:
    wanted = {(file.sequence, file.shot) for file in report.files}
    rows = Shot.objects.filter(project__code=report.project).select_related("sequence", "project")
    found = {(shot.sequence.code, shot.code): shot for shot in rows.iterator()} if wanted else {}
    return {codes: shot for codes, shot in found.items() if codes in wanted}


def _readable(files: Iterable[ShotFile]) -> Iterator[_Read]:
    seen: set[tuple[str, str, str]] = set()
    for file in files:
        try:
            facts = look(file.path)
            count = sum(1 for _frame in frames(file.path, facts))
            sha256, size = sha256_of(file.path), file.path.stat().st_size
        except Undecodable as exc:
            file.about.dropped("file", file.path.name, f"no take is made of it, it does not decode: {exc}")
        except OSError as exc:
            _told(file, exc)
        else:
            if (file.sequence, file.shot, sha256) not in seen:  # the same file, as render and as final
                seen.add((file.sequence, file.shot, sha256))
                yield _Read(file, sha256, size, facts, count)


def _told(file: ShotFile, exc: OSError) -> None:
    file.about.dropped("file", file.path.name, f"no take is made of it: {exc.strerror or exc}")


def _born(shot: Shot, read: _Read) -> None:
    moves = read.facts.kind == "video"
    kind = Kind.CLIP if moves else Kind.KEYFRAME
    attempt = read.key(shot, "attempt")
    fact = ArtifactFact(
        path=f"{ORIGIN.casefold()}{read.file.path.suffix.casefold()}",
        kind=read.facts.kind,
        media_type=true_type(read.facts, ""),
        bytes=read.bytes,
        sha256=read.sha256,
        width=read.facts.width,
        height=read.facts.height,
        frames=read.frames,
        fps=float(read.facts.fps) if read.facts.fps else None,
        output_node="",
    )
    keep(read.file.path, f"{folder_of(shot.project.code, attempt)}/{fact.path}")
    made = datetime.fromtimestamp(read.file.path.stat().st_mtime, UTC)
    with transaction.atomic():
        number = next_number(scope=shot.pk, kind=f"take:{kind}")
        new = NewTake(
            project_code=shot.project.code,
            shot=shot,
            job_id=read.key(shot, "job"),
            attempt_id=attempt,
            kind=kind,
            stage=_STAGES.get(read.file.task, Stage.CLIP if moves else Stage.KEYFRAME),
            number=number,
            template=f"{ORIGIN} {read.file.workflow}".strip(),
            prompt_build_id=None,
            seed=None,
            node="",
            simulated=False,
            render_seconds=None,
            artifacts=[fact],
            actor=ORIGIN,
        )
        (take,) = create_takes([new])
        # By its file's date, or the next dailies would show years of it.
        Take.objects.filter(pk=take.pk).update(created_at=min(made, database_now()))
        transaction.on_commit(partial(request_media, take.pk))
    logger.info("take taken over", extra={"take": str(take.pk), "shot": shot.full_code, "bytes": read.bytes})
