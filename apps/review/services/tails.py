"""The end of a clip, cut for the shot that continues it: a picture, or its last few frames without loss."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
from PIL import Image

from apps.review.conforming import lengths_of
from apps.review.decoding import Facts, frames, look
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.previews import USUAL_FPS
from apps.review.services.keeping import fetch, keep, sha256_of

PICTURE: Final = "image"
CLIP: Final = "video"


def tail_key(take: Take, kind: str, count: int) -> str:
    """Where the end of a take's clip is kept."""
    name = "last.png" if kind == PICTURE else f"last-{count}.mkv"
    return f"takes/{take.pk}/{name}"


def find_tail(take: Take, kind: str, count: int) -> Artifact | None:
    """Return the cut end of a take's clip, None if it is not cut yet."""
    return Artifact.objects.filter(take=take, key=tail_key(take, kind, count)).first()


def cut_tail(take: Take, kind: str, count: int) -> Artifact:
    """Cut the last ``count`` frames that the take shows of its shot (its tail handles are not of them).

    A second call finds what the first has made. Raises Undecodable, FileNotFoundError if the file is gone,
    OSError if the store fails.
    """
    if found := find_tail(take, kind, count):
        return found
    original = take.artifacts.filter(role=ArtifactRole.PRIMARY).order_by("key").first()
    if original is None:
        raise FileNotFoundError(str(take))
    with TemporaryDirectory(prefix="shotfarm-tail-") as folder:
        copy = Path(folder) / "original"
        fetch(original.key, copy)
        facts = look(copy)
        pictures = _last_of(copy, facts, _end(take, original), 1 if kind == PICTURE else count)
        rate = facts.fps or (Fraction(original.fps).limit_denominator(1001) if original.fps else USUAL_FPS)
        made = Path(folder) / ("last.png" if kind == PICTURE else "last.mkv")
        if kind == PICTURE:
            pictures[-1].save(made, "PNG")
        else:
            _write_clip(made, pictures, rate)
        key = tail_key(take, kind, count)
        keep(made, key)
        row, _made = Artifact.objects.get_or_create(
            take=take,
            key=key,
            defaults={
                "role": ArtifactRole.TAIL,
                "kind": kind,
                "media_type": "image/png" if kind == PICTURE else "video/x-matroska",
                "bytes": made.stat().st_size,
                "sha256": sha256_of(made),
                "width": pictures[-1].width,
                "height": pictures[-1].height,
                "frames": len(pictures),
                "fps": None if kind == PICTURE else float(rate),
            },
        )
    return row


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
