"""Pictures made to harm: what they carry is not kept, what they claim is not believed."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageCms, PngImagePlugin

from apps.characters.models import CharacterReference
from apps.characters.services import add_reference
from apps.common.errors import Refused
from tests.factories import CharacterFactory

pytestmark = pytest.mark.django_db

ORIENTATION, GPS, DESCRIPTION = 0x0112, 0x8825, 0x010E
SECRET = "the set is at 37.5665 N"


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def add(content: bytes, name: str) -> CharacterReference:
    return add_reference(CharacterFactory.create(), SimpleUploadedFile(name, content), user=None)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width: int, height: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def stored(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ("JPEG", "WEBP", "PNG"))
def test_what_a_camera_wrote_beside_the_pixels_is_not_kept(artifact_root: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[DESCRIPTION] = SECRET
    exif[GPS] = {1: "N", 2: (37.0, 33.0, 59.4), 3: "E", 4: (126.0, 58.0, 40.0)}
    content = encoded(Image.new("RGB", (40, 20), "teal"), kind, exif=exif)
    assert SECRET.encode() in content, "the fault is in the file"
    reference = add(content, f"sheet.{kind.lower()}")
    kept = (artifact_root / reference.key).read_bytes()
    assert SECRET.encode() not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert not picture.getexif()
        assert picture.format == kind


def test_comments_and_text_chunks_are_not_kept(artifact_root: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SECRET)
    told.add_text("XML:com.adobe.xmp", f"<x>{SECRET}</x>")
    content = encoded(Image.new("RGB", (8, 8)), "PNG", pnginfo=told)
    assert SECRET.encode() in content
    assert SECRET.encode() not in (artifact_root / add(content, "a.png").key).read_bytes()
    content = encoded(Image.new("RGB", (8, 8)), "JPEG", comment=SECRET)
    assert SECRET.encode() in content
    assert SECRET.encode() not in (artifact_root / add(content, "a.jpg").key).read_bytes()


def test_a_picture_that_exif_turns_is_kept_upright(artifact_root: Path) -> None:
    lying = Image.new("RGB", (40, 20), "red")
    lying.paste("blue", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by 90° to the right
    reference = add(encoded(lying, "JPEG", exif=exif, quality=95), "phone.jpg")
    assert (reference.width, reference.height) == (20, 40)
    with Image.open(artifact_root / reference.key) as kept:
        assert kept.size == (20, 40)
        red, _, blue = kept.convert("RGB").crop((10, 5, 11, 6)).tobytes()
        assert blue > 200 > red


def test_colours_of_another_profile_are_brought_to_srgb_and_a_broken_profile_is_dropped(
    artifact_root: Path,
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for colour, icc in (("red", profile), ("blue", b"no profile at all" * 20)):
        content = encoded(Image.new("RGB", (8, 8), colour), "PNG", icc_profile=icc)
        assert b"iCCP" in content
        with Image.open(artifact_root / add(content, "a.png").key) as kept:
            assert "icc_profile" not in kept.info


@pytest.mark.parametrize("mode", ("1", "L", "LA", "P", "RGBA", "I;16", "CMYK"))
def test_every_kind_of_pixel_is_kept_as_eight_bits_of_rgb(artifact_root: Path, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    source = Image.new(mode, (8, 8), 40_000 if mode == "I;16" else 0)
    reference = add(encoded(source, kind), f"a.{kind.lower()}")
    with Image.open(artifact_root / reference.key) as kept:
        assert kept.mode in ("RGB", "RGBA")
        if mode == "I;16":
            assert kept.getpixel((0, 0)) == (156, 156, 156), "scaled, not cut off"


@pytest.mark.parametrize("mode", ("RGB", "RGBA"))
def test_a_large_picture_stands_in_memory_once(
    artifact_root: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    content = encoded(Image.new(mode, (8, 8)), "PNG")
    monkeypatch.setattr(Image.Image, "copy", lambda _self: pytest.fail("copied whole"))
    reference = add(content, "a.png")
    assert (artifact_root / reference.key).is_file()


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(artifact_root: Path, width: int, height: int) -> None:
    bomb = png_that_claims(width, height, zlib.compress(bytes(10_000_000)))
    assert len(bomb) < 20_000
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as refused:
            add(bomb, "bomb.png")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (problem,) = refused.value.problems
    assert (problem.field, problem.value) == ("file", "bomb.png")
    assert "64 megapixels" in str(problem.message) or "damaged" in str(problem.message)
    assert most < 30_000_000
    assert stored(artifact_root) == []


def test_a_text_chunk_that_unpacks_to_megabytes_is_refused(artifact_root: Path) -> None:
    bomb = zlib.compress(bytes(80_000_000))
    whole = png_that_claims(1, 1, zlib.compress(bytes(4)))
    at = whole.index(b"IDAT") - 4
    content = whole[:at] + chunk(b"zTXt", b"Comment\0\0" + bomb) + whole[at:]
    with pytest.raises(Refused):
        add(content, "bomb.png")
    assert stored(artifact_root) == []


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"GIF89a" + b"<script>alert(1)</script>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"#EXTM3U\nhttp://127.0.0.1/\n",
        b"BM" + bytes(100),
        b"\x00" * 64,
    ],
    ids=["SVG", "HTML", "GIF and HTML", "PDF", "EPS", "playlist", "BMP", "zeros"],
)
@pytest.mark.parametrize("name", ("sheet.png", "sheet.jpg"))
def test_what_only_calls_itself_a_picture_is_refused(artifact_root: Path, content: bytes, name: str) -> None:
    with pytest.raises(Refused) as refused:
        add(content, name)
    (problem,) = refused.value.problems
    assert (problem.field, problem.value) == ("file", name)
    assert not CharacterReference.objects.exists()
    assert stored(artifact_root) == []


def test_html_inside_a_true_picture_does_not_survive(artifact_root: Path) -> None:
    script = b"<script>alert(document.cookie)</script>"
    content = encoded(Image.new("RGB", (8, 8)), "JPEG", comment=script)
    assert script in content
    kept = (artifact_root / add(content, "polyglot.jpg").key).read_bytes()
    assert b"<script>" not in kept


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd.png",
        "..\\..\\windows\\system32\\x.png",
        "/absolute/path.png",
        "얼음 성.png",
        "e\u0301\u202egnp.png",
        "a" * 240 + ".png",
        "con.png",
        "line\nbreak.png",
    ],
)
def test_no_name_finds_its_way_into_the_store(artifact_root: Path, name: str) -> None:
    file = io.BytesIO(encoded(Image.new("RGB", (8, 8)), "PNG"))
    file.name = name
    reference = add_reference(CharacterFactory.create(), file, user=None)
    assert stored(artifact_root) == [artifact_root / reference.key]
    assert reference.key.endswith(f"{reference.sha256}.png")
