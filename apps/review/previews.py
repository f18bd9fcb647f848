"""Thumbnail and proxy of a take's file: what a browser shows in a list, and plays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.video.reformatter import Colorspace
from PIL import Image

from apps.productions.models import MAX_FRAMES
from apps.review.decoding import SOUND_RATE, Facts, frames, look, sound
from apps.review.models import ArtifactRole
from workflows.conforming import Conform

THUMBNAIL_BOX: Final = (480, 480)
PICTURE_BOX: Final = (2048, 2048)
VIDEO_BOX: Final = (960, 2160)
"""Largest sizes in pixels; proxies of videos are at most 960 wide."""

WEB_PICTURES: Final = frozenset({"PNG", "JPEG", "WEBP"})
USUAL_FPS: Final = Fraction(24)
DARK: Final = 16.0
"""Mean grey of 0 to 255 below which a frame counts as black: a film's usual first frames."""

_SHOWN: Final = {"preset": "veryfast", "crf": "20"}
_KEPT: Final = {"preset": "veryfast", "crf": "12"}
"""H.264 for looking at, and for going on with: at 12 no eye tells it from the original."""
_BT709: Final = 1


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One file made for showing. ``path`` is local; ``name`` is what it is called beside the others."""

    role: str
    path: Path
    name: str
    kind: str
    media_type: str
    width: int
    height: int
    frames: int = 1
    fps: float | None = None


def make_previews(
    original: Path,
    folder: Path,
    *,
    fps: float | None,
    conform: Conform | None = None,
    most_frames: int = MAX_FRAMES,
) -> list[Preview]:
    """Decode the original to its end and write its previews into ``folder``.

    ``fps`` is used where the file states none. A clip that ``conform`` changes also becomes a clip of exactly
    the shot's frames at the project's rate, as large as it is. Both keep the original's sound, to the end of
    their picture; but a clip played at a speed of its own (``Conform.whole``) is silent. Raises Undecodable.
    """
    facts = look(original)
    if facts.kind == "video":
        return _of_video(original, folder, facts, fps, conform, most_frames)
    return _of_picture(original, folder, facts)


def _of_picture(original: Path, folder: Path, facts: Facts) -> list[Preview]:
    (picture,) = frames(original, facts)
    previews = [_picture(picture, folder / "thumb.webp", THUMBNAIL_BOX, ArtifactRole.THUMBNAIL)]
    if facts.format not in WEB_PICTURES or picture.width > PICTURE_BOX[0] or picture.height > PICTURE_BOX[1]:
        previews.append(_picture(picture, folder / "proxy.webp", PICTURE_BOX, ArtifactRole.PROXY))
    return previews


def _picture(picture: Image.Image, path: Path, box: tuple[int, int], role: ArtifactRole) -> Preview:
    small = picture.resize(fitted(picture.size, box), Image.Resampling.LANCZOS)
    small.save(path, "WEBP", quality=85, method=4)
    return Preview(
        role=role,
        path=path,
        name=path.name,
        kind="image",
        media_type="image/webp",
        width=small.width,
        height=small.height,
    )


def _of_video(
    original: Path, folder: Path, facts: Facts, fps: float | None, conform: Conform | None, most_frames: int
) -> list[Preview]:
    rate = facts.fps or (Fraction(fps).limit_denominator(1001) if fps else USUAL_FPS)
    size = fitted((facts.width, facts.height), VIDEO_BOX, even=True)
    path = folder / "proxy.mp4"
    poster = _Poster()
    whole = fitted((facts.width, facts.height), (facts.width, facts.height), even=True)
    retimed = _Conformed(folder / "conformed.mp4", whole, conform) if conform else None
    heard = original if facts.sounds else None
    with _mp4(path, size, rate, heard) as proxy, retimed.opened(heard) if retimed else nullcontext():
        for picture in frames(original, facts, most=most_frames):
            poster.consider(picture)
            proxy.add(picture)
            if retimed:
                retimed.add(picture)
    return [
        _picture(poster.best, folder / "thumb.webp", THUMBNAIL_BOX, ArtifactRole.THUMBNAIL),
        Preview(
            role=ArtifactRole.PROXY,
            path=path,
            name=path.name,
            kind="video",
            media_type="video/mp4",
            width=size[0],
            height=size[1],
            frames=proxy.count,
            fps=round(float(rate), 3),
        ),
        *(retimed.preview() if retimed else ()),
    ]


class _Poster:
    """The first frame that is not black; if all are, the brightest of them."""

    def __init__(self) -> None:
        self._picture: Image.Image | None = None
        self._light = -1.0

    @property
    def best(self) -> Image.Image:
        if self._picture is None:
            raise ValueError("no frame was considered")
        return self._picture

    def consider(self, picture: Image.Image) -> None:
        if self._light >= DARK:
            return
        grey = picture.convert("L").resize((1, 1), Image.Resampling.BOX)
        light = float(grey.tobytes()[0])
        if light > self._light:
            self._picture, self._light = picture, light


class _Mp4:
    """H.264 in yuv420p, and the sound of ``heard`` as AAC: what every browser plays."""

    def __init__(
        self,
        container: av.container.OutputContainer,
        size: tuple[int, int],
        rate: Fraction,
        heard: Path | None,
        begin: Fraction,
        options: dict[str, str],
    ) -> None:
        self._container = container
        self._size = size
        self._tick = 1 / rate
        self._stream = container.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        self._track = _Track(container, heard, begin) if heard else None
        self.count = 0

    def add(self, picture: Image.Image) -> None:
        fitting = picture.convert("RGB").resize(self._size, Image.Resampling.BILINEAR)
        frame = av.VideoFrame.from_image(fitting)  # type: ignore[no-untyped-call]  # PyAV has no types here
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts, frame.time_base = self.count, self._tick
        self._container.mux(self._stream.encode(frame))
        self.count += 1
        if self._track:
            self._track.play(until=self.count * self._tick)

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
        if self._track:
            self._track.finish()


class _Track:
    """The sound of a file from ``begin`` (seconds), written as far as the picture has come."""

    def __init__(self, container: av.container.OutputContainer, heard: Path, begin: Fraction) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        self._left = sound(heard)
        self._samples = 0
        self._next = next(self._left, None)
        while self._next and self._samples + self._next.samples <= begin * SOUND_RATE:
            self._samples += self._next.samples
            self._next = next(self._left, None)
        self._samples = 0

    def play(self, *, until: Fraction) -> None:
        """Write what is heard before a moment (seconds)."""
        while self._next and self._samples + self._next.samples <= until * SOUND_RATE:
            self._next.pts, self._next.time_base = self._samples, Fraction(1, SOUND_RATE)
            self._samples += self._next.samples
            self._container.mux(self._stream.encode(self._next))
            self._next = next(self._left, None)

    def finish(self) -> None:
        self._left.close()
        self._container.mux(self._stream.encode(None))


class _Conformed:
    """The clip as the shot has it: each frame shown as often as the conform says, at the project's rate."""

    def __init__(self, path: Path, size: tuple[int, int], conform: Conform) -> None:
        self._path = path
        self._size = size
        self._conform = conform
        self._shown = Counter(conform.mapping())
        self._seen = 0
        self._writer: _Mp4 | None = None

    @contextmanager
    def opened(self, heard: Path | None) -> Iterator[None]:
        told = self._conform
        heard, begin = None if told.whole else heard, told.start / told.rate
        with _mp4(self._path, self._size, told.length.fps, heard, begin, _KEPT) as self._writer:
            yield

    def add(self, picture: Image.Image) -> None:
        """Take the file's next frame."""
        if self._writer is None:
            raise ValueError("open it first")
        for _again in range(self._shown[self._seen]):
            self._writer.add(picture)
        self._seen += 1

    def preview(self) -> Iterator[Preview]:
        """The clip; nothing if the file was shorter than it said, so that no wrong length is ever shown."""
        if self._writer is not None and self._writer.count == self._conform.length.total:
            yield Preview(
                role=ArtifactRole.CONFORMED,
                path=self._path,
                name=self._path.name,
                kind="video",
                media_type="video/mp4",
                width=self._size[0],
                height=self._size[1],
                frames=self._writer.count,
                fps=round(float(self._conform.length.fps), 3),
            )


@contextmanager
def _mp4(
    path: Path,
    size: tuple[int, int],
    rate: Fraction,
    heard: Path | None,
    begin: Fraction = Fraction(0),
    options: dict[str, str] = _SHOWN,
) -> Iterator[_Mp4]:
    # faststart puts the index first, so a browser plays before it has loaded everything.
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        writer = _Mp4(container, size, rate, heard, begin, options)
        yield writer
        writer.finish()


def fitted(size: tuple[int, int], box: tuple[int, int], *, even: bool = False) -> tuple[int, int]:
    """Return the size that fits into the box with its shape kept; never larger than it was.

    ``even``: both sides even and at least 2, as yuv420p needs.
    """
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    width, height = (max(1, round(side * scale)) for side in size)
    if even:
        return max(2, width - width % 2), max(2, height - height % 2)
    return width, height
