"""A note's picture, for those who were not there: the frame it is about, with what was drawn on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw

from apps.common.errors import Problem, Refused
from apps.review.decoding import Undecodable, frame_at, look
from apps.review.gallery import with_files
from apps.review.models import ReviewNote, Take
from apps.review.numbering import number_of
from apps.review.playing import clip_of, playable
from apps.review.services.keeping import fetch

FINER: Final = 2
"""How many times larger it is drawn than it is shown: edges are smooth."""
FINE_UP_TO: Final = 4096 * 2304
"""Pixels of a picture that is drawn larger: the memory of an 8K one, four times over, is a process's."""
THINNEST: Final = 1.5
HEAD: Final = 5.0
SPREAD: Final = 0.45
"""Of an arrow: how long its head is in widths of the line, and how far it opens; as on the page."""


def still_png(note: ReviewNote) -> bytes:
    """Return the picture at the note's frame (the take's first, where it has none) with its drawing, as PNG.

    It is what everybody sees who reads the note: the proxy's frame. Raises Refused where there is none.
    """
    picture = _frame(note.take, note.frame or 0)
    with BytesIO() as file:
        drawn_on(picture, note.drawing).save(file, "PNG")
        return file.getvalue()


def still_of(note: ReviewNote) -> HttpResponse:
    """Answer with a note's still, named after its shot, take and frame."""
    answer = HttpResponse(still_png(note), content_type="image/png")
    take, number = note.take, number_of(note.take, note.frame)
    named = f"{take.shot.full_code}_{take.kind}_{take.number}" + (f"_{number}" if number is not None else "")
    answer["Content-Disposition"] = str(content_disposition_header(False, f"{named}.png"))
    answer["Cache-Control"] = "private, no-store"
    return answer


def drawn_on(picture: Image.Image, strokes: Iterable[Mapping[str, Any]]) -> Image.Image:
    """Return the picture with strokes on it (apps.review.drawings), as the page draws them."""
    size = picture.size
    finer = FINER if size[0] * size[1] <= FINE_UP_TO else 1
    ink = Image.new("RGBA", (size[0] * finer, size[1] * finer))
    pen = ImageDraw.Draw(ink)
    for stroke in strokes:
        _draw(pen, stroke, ink.size, thinnest=THINNEST * finer)
    shown = ink.resize(size, Image.Resampling.BOX)
    return Image.alpha_composite(picture.convert("RGBA"), shown).convert("RGB")


def _draw(
    pen: ImageDraw.ImageDraw, stroke: Mapping[str, Any], size: tuple[int, int], *, thinnest: float
) -> None:
    width = max(thinnest, stroke["width"] * size[0])
    places = [(x * size[0], y * size[1]) for x, y in stroke["points"]]
    lines = [places]
    if stroke["tool"] == "arrow" and len(places) > 1:
        (from_x, from_y), (x, y) = places[0], places[-1]
        way = math.atan2(y - from_y, x - from_x) + math.pi
        for turned in (way - SPREAD, way + SPREAD):
            long = width * HEAD
            lines.append([(x, y), (x + math.cos(turned) * long, y + math.sin(turned) * long)])
    for line in lines:
        if len(line) > 1:
            pen.line(line, fill=stroke["colour"], width=round(width), joint="curve")
        for x, y in (line[0], line[-1]):  # round ends
            half = width / 2
            pen.ellipse((x - half, y - half, x + half, y + half), fill=stroke["colour"])


def _frame(take: Take, frame: int) -> Image.Image:
    (shown,) = with_files([take])
    file = playable(shown)
    if file is None:
        raise _none(take, _("this take has no picture to show yet"))
    clip = clip_of(shown, "")
    number = 0
    if clip["kind"] == "video":
        wanted = clip["start"] + math.ceil(frame * clip["speed"] - 0.5 - 1e-9)  # as clip.js counts
        number = max(0, min(wanted, clip["end"] - 1))
    try:
        with TemporaryDirectory(prefix="shotfarm-still-") as folder:
            copy = Path(folder) / "shown"
            fetch(file.key, copy)
            return frame_at(copy, look(copy), number)
    except FileNotFoundError as exc:
        raise _none(take, _("its file is not in the artifact store")) from exc
    except Undecodable as exc:
        raise _none(take, _("its file does not decode: %s") % exc) from exc


def _none(take: Take, told: str) -> Refused:
    return Refused(Problem("take", str(take), told, code="no_media"))
