"""Look at a take's files, and make what a browser can show (the media worker's work).

The original is copied out of the store once; what was hashed is what is decoded. A store that fails is
no verdict about the take: the error goes up, the take stays PROCESSING, and sweep asks again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.machines import move
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.conforming import lengths_of
from apps.review.decoding import Undecodable, frames, look, true_type
from apps.review.models import Artifact, ArtifactRole, Take, TakeParent, to_be_judged
from apps.review.previews import Preview, make_previews
from apps.review.services.keeping import fetch, keep, sha256_of
from apps.review.services.queueing import request_media
from apps.review.services.staling import judge_take
from apps.review.states import MEDIA, Media
from farm.logs import bound
from workflows.conforming import Conform

logger = logging.getLogger(__name__)

ACTOR = "media"
SHOWN = (ArtifactRole.THUMBNAIL, ArtifactRole.PROXY, ArtifactRole.CONFORMED)


@dataclass
class _Unfit(Exception):
    """The take cannot be shown: the state it goes to, and why, in words."""

    state: Media
    words: str


def process_media(take_id: UUID) -> None:
    """Verify and decode a take's files, make thumbnail and proxy, and say how it stands.

    Only a take that is PROCESSING is worked on, so a second call changes nothing. OSError from the
    artifact store goes up and leaves the take as it is.
    """
    take = Take.objects.filter(pk=take_id).first()
    if take is None or take.media_state != Media.PROCESSING:
        logger.info("no media work to do", extra={"take": str(take_id)})
        return
    with (
        bound(job=take.job_id, attempt=take.attempt_id),
        TemporaryDirectory(prefix="shotfarm-media-") as folder,
    ):
        try:
            previews = _examine(take, Path(folder))
        except _Unfit as unfit:
            logger.warning("take cannot be shown", extra={"state": str(unfit.state), "why": unfit.words})
            _close(take, unfit)
            return
        _publish(take, previews)
        judge_take(take.pk)


def look_again(take: Take, *, user: User) -> bool:
    """Have a take looked at once more, say after the store was repaired; False if that is under way."""
    require(user, Act.RENDER, take.project, shot=take.shot_id, stage=take.stage)
    again = move(
        MEDIA,
        take,
        from_=(Media.READY, Media.BROKEN, Media.MISSING),
        to=Media.PROCESSING,
        story=take.job_id,
        actor=user.get_username(),
        reason="look again",
        changes={"media_error": ""},
    )
    if again:
        transaction.on_commit(partial(request_media, take.pk))
    return again


def _examine(take: Take, folder: Path) -> list[Preview]:
    """Check every original; return the previews of the first."""
    originals = list(take.artifacts.filter(role=ArtifactRole.PRIMARY).order_by("key"))
    if not originals:
        raise _Unfit(Media.MISSING, _("The take has no file."))
    previews: list[Preview] = []
    for original in originals:
        copy = folder / "original"
        _verify(original, copy)
        try:
            if previews:
                _decode(copy)
            else:
                previews = make_previews(copy, folder, fps=original.fps, conform=_conform(take, original))
            _correct_type(original, true_type(look(copy), original.media_type))
        except Undecodable as exc:
            words = _("%(key)s does not decode: %(why)s.") % {"key": original.key, "why": exc}
            raise _Unfit(Media.BROKEN, words) from exc
    return previews


def _conform(take: Take, original: Artifact) -> Conform | None:
    """How the clip becomes the shot; None where it is the shot already, is too short, or is no clip."""
    told = lengths_of(take, original)
    if told is None or told.conform.untouched or told.conform.missing:
        return None
    return told.conform


def _verify(original: Artifact, copy: Path) -> None:
    try:
        sha256 = fetch(original.key, copy)
    except FileNotFoundError as exc:
        raise _Unfit(Media.MISSING, _("%s is not in the artifact store.") % original.key) from exc
    size = copy.stat().st_size
    if size != original.bytes:
        words = _("%(key)s has %(size)d bytes; the node stored %(stored)d.")
        raise _Unfit(Media.BROKEN, words % {"key": original.key, "size": size, "stored": original.bytes})
    if sha256 != original.sha256:
        words = _("%(key)s was changed: its SHA-256 is %(sha256)s, the node stored %(stored)s.")
        raise _Unfit(Media.BROKEN, words % {"key": original.key, "sha256": sha256, "stored": original.sha256})


def _correct_type(original: Artifact, found: str) -> None:
    """The node said what it stored; browsers are told what we decoded."""
    if original.media_type != found:
        logger.warning(
            "media type corrected",
            extra={"key": original.key, "claimed": original.media_type, "found": found},
        )
        Artifact.objects.filter(pk=original.pk).update(media_type=found)


def _decode(path: Path) -> None:
    for _frame in frames(path, look(path)):
        pass


def _publish(take: Take, previews: list[Preview]) -> None:
    rows = [_artifact(take, preview) for preview in previews]
    for preview, row in zip(previews, rows, strict=True):
        keep(preview.path, row.key)
    with transaction.atomic():
        ready = move(
            MEDIA,
            take,
            from_=(Media.PROCESSING,),
            to=Media.READY,
            story=take.job_id,
            actor=ACTOR,
            changes={"media_error": ""},
        )
        if not ready:
            return  # another worker was first, with the same files
        Artifact.objects.filter(take=take, role__in=SHOWN).delete()
        Artifact.objects.bulk_create(rows)
        if TakeParent.objects.filter(child=take).exists():
            to_be_judged(take)
    logger.info("media ready", extra={"take": str(take.pk), "previews": len(rows)})


def _artifact(take: Take, preview: Preview) -> Artifact:
    return Artifact(
        take=take,
        role=preview.role,
        key=f"takes/{take.pk}/{preview.name}",
        kind=preview.kind,
        media_type=preview.media_type,
        bytes=preview.path.stat().st_size,
        sha256=sha256_of(preview.path),
        width=preview.width,
        height=preview.height,
        frames=preview.frames,
        fps=preview.fps,
    )


def _close(take: Take, unfit: _Unfit) -> None:
    move(
        MEDIA,
        take,
        from_=(Media.PROCESSING,),
        to=unfit.state,
        story=take.job_id,
        actor=ACTOR,
        reason=unfit.words,
        changes={"media_error": unfit.words},
    )
    logger.warning("media unfit", extra={"take": str(take.pk), "state": str(unfit.state), "why": unfit.words})
