"""What a manifest says of latents, and which latent frame holds a frame of the clip.

The first latent frame holds one picture, each further one the next ``stride``: latent frame k holds the
frames from stride × (k − 1) + 1 to stride × k. So a clip of stride × n + 1 frames has n + 1 latent frames.
"""

from __future__ import annotations

from collections.abc import Iterator

from workflows.manifest import Binding, Latents, Manifest
from workflows.problems import Problem
from workflows.roles import LATENT
from workflows.wording import Said
from workflows.wording import said as _


def latent_problems(manifest: Manifest) -> Iterator[Problem]:
    """Say what does not fit in the latents that a template saves or takes."""
    saved = [output for output in manifest.outputs if output.kind == LATENT]
    taken = manifest.bindings.get(LATENT)
    if len(saved) > 1:
        yield _wrong(_("One output of the kind latent at most: a take keeps one file of latents."))
    if not saved and taken is None:
        if manifest.latents is not None:
            yield _wrong(_("The form of latents is told, but none are saved and none are taken."))
        return
    form = manifest.latents
    if form is None:
        yield _wrong(_("Latents are saved or taken, so their form is needed under latents."))
        return
    rule, stride = manifest.frame_rule, form.stride
    if saved and (rule is None or rule.multiple % stride or (rule.plus - 1) % stride):
        text = _("Latents of %(stride)s frames each need clips of %(stride)sn+1 frames.", stride=stride)
        yield _wrong(text)
    if manifest.dim_step % form.scale:
        text = _("dim_step must be a multiple of %(scale)s, the scale of its latents.", scale=form.scale)
        yield _wrong(text)
    if taken is not None:
        yield from _wrong_input(taken, form)


def _wrong_input(taken: Binding, form: Latents) -> Iterator[Problem]:
    if taken.optional is None:
        yield _wrong(_("The role latent must be optional: the first shot of a chain continues none."))
    least = taken.latents * form.stride
    if taken.overlap < least:
        text = _(
            "The role latent repeats the %(frames)s frames of its latents; give at least that overlap.",
            frames=least,
        )
        yield _wrong(text)


def _wrong(text: Said) -> Problem:
    return Problem(None, None, "latents", text)


def latent_frames(frames: int, stride: int) -> int:
    """How many latent frames a clip of so many frames has."""
    return latent_of(frames - 1, stride) + 1


def latent_of(frame: int, stride: int) -> int:
    """The latent frame (from 0) that holds this frame (from 0) of the clip."""
    return -(-frame // stride)


def frames_behind(frame: int, stride: int) -> int:
    """How many frames the latent frame that holds this one holds behind it."""
    return latent_of(frame, stride) * stride - frame


def repeated(overlap: int, latents: int, stride: int, shown: int) -> int:
    """How many frames at the beginning of a clip repeat the one that it continues.

    ``shown``: of the frames that the ``latents`` handed over hold, so many the other shot shows. Those
    behind its last one are the first that this shot shows.
    """
    return overlap - (latents * stride - shown)
