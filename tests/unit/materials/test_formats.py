"""What a file is, by its bytes, and what its name suggests."""

from __future__ import annotations

import pytest

from apps.materials.formats import format_of, usual_kind
from apps.materials.models import Medium


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8L", "WebP"),
        (b"\x00\x00\x00\x20ftypisom", "MP4"),
        (b"\x00\x00\x00\x14ftypqt  ", "QuickTime"),
        (b"\x00\x00\x00\x1cftypM4A ", "M4A"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "WebM"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "Matroska"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "WAV"),
        (b"fLaC\x00", "FLAC"),
        (b"OggS\x00", "Ogg"),
        (b"ID3\x04", "MP3"),
        (b"\xff\xfb\x90\x00", "MP3"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", None),
        (b"#EXTM3U\n", None),
        (b"GIF89a", None),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        (b"<svg xmlns=", None),
        (b"\xff", None),
    ],
)
def test_the_first_bytes_tell_a_format_or_that_the_farm_takes_no_such_file(
    head: bytes, title: str | None
) -> None:
    found = format_of(head)
    assert (found.title if found else None) == title


@pytest.mark.parametrize(
    ("medium", "name", "kind"),
    [
        (Medium.IMAGE, "SQ010_SH0040_sky-mask_v2.png", "mask"),
        (Medium.IMAGE, "Matte.PNG", "mask"),
        (Medium.IMAGE, "masked_ball.png", "plate"),
        (Medium.IMAGE, "pose_0012.png", "control"),
        (Medium.IMAGE, "하늘.png", "plate"),
        (Medium.VIDEO, "depth.mp4", "control"),
        (Medium.VIDEO, "mask.mp4", "video"),
        (Medium.AUDIO, "mask.wav", "audio"),
    ],
)
def test_a_name_suggests_a_kind_that_the_file_can_be(medium: Medium, name: str, kind: str) -> None:
    assert usual_kind(medium, name) == kind
