"""Reference pictures: decoded for real before anything believes them.

Neither the file's name nor its declared type counts. Bytes decide: they must decode whole as a still
PNG, JPEG or WebP, end where the picture ends (so nothing rides behind it), and agree with the name's
extension, because a file that calls itself something else is a mistake or an attempt.

What is kept is not the file but the picture, encoded anew: upright, in sRGB, 8 bits per channel, and
without anything a camera or an attacker wrote beside the pixels (GPS position, thumbnails, comments).
"""

from __future__ import annotations

import hashlib
import io
import logging
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

from django.core.files.base import File
from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from apps.common.errors import Problem, Refused

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_PIXELS: Final = 64_000_000
"""8000 × 8000: above any reference sheet seen, and 256 MB at most once decoded. To read and encode one took
350 MB as PNG and 1.2 GB as WebP, most of it in the codec."""

_KINDS: Final = {
    "PNG": ("image/png", "png", frozenset({"png"})),
    "JPEG": ("image/jpeg", "jpg", frozenset({"jpg", "jpeg"})),
    "WEBP": ("image/webp", "webp", frozenset({"webp"})),
}
_ENCODING: Final[dict[str, dict[str, Any]]] = {
    "PNG": {"compress_level": 6},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "method": 2},
}
_SRGB: Final = ImageCms.createProfile("sRGB")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, KeyError)
"""What Pillow's decoders raise on damaged files."""

_PNG_END = b"IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True)
class Picture:
    """A checked picture, encoded anew by us, and what it is. Size in pixels, as it is looked at."""

    content: bytes
    media_type: str
    extension: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """The name its content gives it."""
        return hashlib.sha256(self.content).hexdigest()


def read_picture(file: BinaryIO | File[bytes], *, name: str = "") -> Picture:
    """Read and decode an uploaded picture; raise Refused saying what is wrong and what would be right."""
    content = file.read(MAX_BYTES + 1)
    if not content:
        raise _refused(name, _("The file is empty. Choose a PNG, JPEG or WebP picture."), "empty")
    if len(content) > MAX_BYTES:
        raise _refused(name, _("The file is larger than 20 MB. Save the picture smaller."), "too_large")
    kind, pixels = _decode(content, name)
    media_type, extension, extensions = _KINDS[kind]
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")
    if suffix and suffix not in extensions:
        raise _refused(
            name,
            _("The name says .%(suffix)s but the content is %(kind)s. Export the picture again as %(kind)s.")
            % {"suffix": suffix, "kind": kind},
            "wrong_extension",
        )
    if not _ends_with_the_picture(content, kind):
        raise _refused(
            name,
            _("Something else is attached behind the picture. Open it and export it again as PNG."),
            "trailing_data",
        )
    return Picture(
        content=_encode(pixels, kind),
        media_type=media_type,
        extension=extension,
        width=pixels.width,
        height=pixels.height,
    )


def _decode(content: bytes, name: str) -> tuple[str, Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(_KINDS)) as picture:
                _check_size(picture, name)
                picture.load()
                return _kind(picture), _upright(picture)
    except UnidentifiedImageError as exc:
        raise _refused(
            name, _("This is not a picture. Choose a PNG, JPEG or WebP file."), "not_an_image"
        ) from exc
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise _too_many_pixels(name, "") from exc
    except _BROKEN as exc:
        raise _refused(
            name, _("The picture is damaged and cannot be decoded. Export it again as PNG."), "damaged"
        ) from exc


def _upright(picture: Image.Image) -> Image.Image:
    """Return the bare pixels as a person sees them: turned as EXIF says, RGB or RGBA in sRGB.

    Works on the picture itself: every copy of the largest one allowed would be 256 MB more.
    """
    ImageOps.exif_transpose(picture, in_place=True)
    seen = picture
    if seen.mode.startswith("I"):  # 16-bit greys: scaled, not cut off
        seen = seen.point(lambda value: value / 256).convert("L")
    profile = seen.info.get("icc_profile")
    if profile and seen.mode in ("RGB", "RGBA"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            ImageCms.profileToProfile(seen, source, _SRGB, inPlace=True)
        except (ImageCms.PyCMSError, OSError):
            logger.info("colour profile ignored, it is broken")
    mode = "RGBA" if seen.has_transparency_data else "RGB"
    bare = seen if seen.mode == mode else seen.convert(mode)
    bare.info.clear()
    return bare


def _encode(pixels: Image.Image, kind: str) -> bytes:
    """Encode bare pixels: PNG and WebP without loss, JPEG with hardly any."""
    file = io.BytesIO()
    pixels.save(file, kind, **_ENCODING[kind])
    return file.getvalue()


def _kind(picture: Image.Image) -> str:
    # Phones write JPEGs with a second picture (depth, HDR) behind the first; Pillow calls those MPO.
    return "JPEG" if picture.format == "MPO" else str(picture.format)


def _check_size(picture: Image.Image, name: str) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_many_pixels(name, f"{picture.width} × {picture.height}: ")
    if _kind(picture) != "JPEG" and getattr(picture, "n_frames", 1) != 1:
        raise _refused(name, _("The picture is animated. Export one still of it as PNG."), "animated")


def _ends_with_the_picture(content: bytes, kind: str) -> bool:
    if kind == "PNG":
        return content.endswith(_PNG_END) and content.count(_PNG_END) == 1
    if kind == "JPEG":
        return content.rstrip(b"\x00").endswith(_JPEG_END)
    declared = 8 + struct.unpack_from("<I", content, 4)[0]
    return len(content) in {declared, declared + 1} and not content[declared:].strip(b"\x00")


def _too_many_pixels(name: str, size: str) -> Refused:
    return _refused(name, size + _("A picture may have at most 64 megapixels. Scale it down."), "too_large")


def _refused(name: str, message: str, code: str) -> Refused:
    return Refused(Problem("file", PurePosixPath(name.replace("\\", "/")).name, message, code=code))
