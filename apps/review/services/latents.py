"""The end of a clip's latents, cut in time: the latent frame that holds the last frame that the cut shows.

That latent frame may hold frames behind it (of WAN up to three). They are not lost: the shot that goes on
from it begins with them (workflows.latents.repeated). So no frame is shown twice, and none is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from apps.review.models import Artifact
from farm.latents import NoLatentsError, cut_latents, read_latents
from workflows.latents import frames_behind, latent_frames, latent_of


class Uncuttable(Exception):
    """These latents give no end; the message says why, and what to do, in words."""


@dataclass(frozen=True)
class LatentEnd:
    """``count`` latent frames in a file; of the frames they hold, the other shot shows ``shown``."""

    path: Path
    shown: int


def cut_end(
    kept: Artifact, copy: Path, target: Path, *, clip_frames: int, end: int | None, count: int
) -> LatentEnd:
    """Cut the last ``count`` latent frames up to the one that holds frame ``end`` (None: the clip's last).

    ``kept``: the latents' row, ``copy`` its file; ``clip_frames``: of the clip beside it. Raises Uncuttable,
    OSError.
    """
    try:
        whole = read_latents(copy)
    except NoLatentsError as exc:
        raise Uncuttable(_("its latents are broken (%s); render it again") % exc) from exc
    last = clip_frames - 1 if end is None else end
    stride = (kept.frames - 1) // (whole.time - 1) if whole.time > 1 else 0
    fits = stride > 0 and kept.frames == clip_frames and latent_frames(clip_frames, stride) == whole.time
    if whole.time > 1 and not fits:
        told = _(
            "its latents are of %(latents)d frames and its clip has %(frames)d; let this shot keep frames"
        )
        raise Uncuttable(told % {"latents": kept.frames, "frames": clip_frames})
    slot = latent_of(last, stride) if fits else 0
    if slot < count:
        told = _("it shows too few frames for %(count)d latent frames; let this shot keep frames")
        raise Uncuttable(told % {"count": count})
    try:
        cut_latents(copy, target, end=slot + 1, count=count)
    except NoLatentsError as exc:
        raise Uncuttable(_("its latents are broken (%s); render it again") % exc) from exc
    return LatentEnd(target, count * stride - frames_behind(last, stride))
