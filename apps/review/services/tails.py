"""The end of a clip, cut for the shot that continues it: a picture, its last frames, or its last latents."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
from django.utils.translation import gettext as _
from PIL import Image

from apps.review.conforming import lengths_of
from apps.review.decoding import Facts, frames, look
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.previews import USUAL_FPS
from apps.review.services.keeping import fetch, keep, sha256_of
from apps.review.services.latents import Uncuttable, cut_end

PICTURE: Final = "image"
CLIP: Final = "video"
LATENTS: Final = "latent"

_NAMES: Final = {PICTURE: "last.png", CLIP: "last-{}.mkv", LATENTS: "last-{}.latent"}
_TYPES: Final = {PICTURE: "image/png", CLIP: "video/x-matroska", LATENTS: "application/octet-stream"}


@dataclass(frozen=True)
class _Piece:
    """A cut end: pixels, frames, and a clip's frames per second."""

    width: int
    height: int
    frames: int
    fps: float | None = None


def tail_key(take: Take, kind: str, count: int) -> str:
    """Where the end of a take's clip is kept."""
    return f"takes/{take.pk}/{_NAMES[kind].format(count)}"


def find_tail(take: Take, kind: str, count: int) -> Artifact | None:
    """Return the cut end of a take's clip, None if it is not cut yet."""
    return Artifact.objects.filter(take=take, key=tail_key(take, kind, count)).first()


def cut_tail(take: Take, kind: str, count: int) -> Artifact:
    """Cut the last ``count`` frames that the take shows of its shot (its tail handles are not of them).

    Of the kind LATENTS, ``count`` latent frames; the row's ``frames`` says how many of the frames in them the
    take shows. A second call finds what the first has made. Raises Undecodable, Uncuttable,
    FileNotFoundError if the file is gone, OSError if the store fails.
    """
    if found := find_tail(take, kind, count):
        return found
    original = take.artifacts.filter(role=ArtifactRole.PRIMARY).order_by("key").first()
    if original is None:
        raise FileNotFoundError(str(take))
    key = tail_key(take, kind, count)
    with TemporaryDirectory(prefix="shotfarm-tail-") as folder:
        made = Path(folder) / Path(key).name
        if kind == LATENTS:
            piece = _cut_latents(take, original, made, count)
        else:
            piece = _cut_frames(take, original, made, 1 if kind == PICTURE else count)
        keep(made, key)
        row, _made = Artifact.objects.get_or_create(
            take=take,
            key=key,
            defaults={
                "role": ArtifactRole.TAIL,
                "kind": kind,
                "media_type": _TYPES[kind],
                "bytes": made.stat().st_size,
                "sha256": sha256_of(made),
                "width": piece.width,
                "height": piece.height,
                "frames": piece.frames,
                "fps": piece.fps,
            },
        )
    return row


def _cut_frames(take: Take, original: Artifact, made: Path, count: int) -> _Piece:
    copy = made.with_name("original")
    fetch(original.key, copy)
    facts = look(copy)
    pictures = _last_of(copy, facts, _end(take, original), count)
    last = pictures[-1]
    if made.suffix == ".png":
        last.save(made, "PNG")
        return _Piece(last.width, last.height, len(pictures))
    rate = facts.fps or (Fraction(original.fps).limit_denominator(1001) if original.fps else USUAL_FPS)
    _write_clip(made, pictures, rate)
    return _Piece(last.width, last.height, len(pictures), float(rate))


def _cut_latents(take: Take, original: Artifact, made: Path, count: int) -> _Piece:
    kept = take.artifacts.filter(role=ArtifactRole.LATENT).order_by("key").first()
    if kept is None:
        raise Uncuttable(_("it keeps no latents"))
    copy = made.with_name("whole.latent")
    if fetch(kept.key, copy) != kept.sha256:
        raise Uncuttable(_("its latents were changed since they were rendered; render it again"))
    end = cut_end(kept, copy, made, clip_frames=original.frames, end=_end(take, original), count=count)
    return _Piece(kept.width, kept.height, end.shown)


def _end(take: Take, original: Artifact) -> int | None:
    """The frame of the file that the shot's last frame in the cut shows; None: the file's own last."""
    told = lengths_of(take, original)
    if told is None or told.conform.missing:
        return None
    return told.conform.source(told.wanted.head + told.wanted.frames - 1)


def _last_of(path: Path, facts: Facts, end: int | None, count: int) -> list[Image.Image]:
    kept: deque[Image.Image] = deque(maxlen=count)
    for number, picture in enumerate(frames(path, facts)):
        if end is not None and number > end:
            break
        kept.append(picture)
    return list(kept)


def _write_clip(path: Path, pictures: Sequence[Image.Image], rate: Fraction) -> None:
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "bgr0"
        for number, picture in enumerate(pictures):
            whole = picture.convert("RGB")
            frame = av.VideoFrame.from_image(whole)  # type: ignore[no-untyped-call]  # PyAV has no types here
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode(None))
