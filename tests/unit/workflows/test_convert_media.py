"""Graphs out of pictures, films and sounds, written as ComfyUI writes them; and files that mean harm."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from workflows.convert.files import read_stream
from workflows.convert.media.bounds import MOST_TEXT
from workflows.errors import CannotConvert

PROMPT = {"1": {"class_type": "EmptyImage", "inputs": {"width": 64}}}
WORKFLOW = {"nodes": [], "links": [], "extra": {"who": "감독"}}
BOTH = {"prompt": json.dumps(PROMPT), "workflow": json.dumps(WORKFLOW)}
PICTURE = Image.new("RGB", (8, 8))


def png(texts: dict[str, str]) -> bytes:
    """As SaveImage: a tEXt chunk for each."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    return written("PNG", pnginfo=info, compress_level=4)


def apng(texts: dict[str, str]) -> bytes:
    """As SaveAnimatedPNG: chunks of ComfyUI's own kind behind the picture."""
    info = PngInfo()
    for name, text in texts.items():
        info.add(b"comf", name.encode("latin-1") + b"\0" + text.encode("latin-1"), after_idat=True)
    return written("PNG", pnginfo=info, save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])


def webp(texts: dict[str, str]) -> bytes:
    """As SaveAnimatedWEBP: Exif tags, counted down from the camera's model."""
    return written("WEBP", exif=exif(texts), save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])


def jpeg(texts: dict[str, str]) -> bytes:
    return written("JPEG", exif=exif(texts))


def exif(texts: dict[str, str]) -> Image.Exif:
    tags = Image.Exif()
    for tag, (name, text) in zip((0x0110, 0x010F), texts.items(), strict=False):
        tags[tag] = f"{name}:{text}"
    return tags


def written(kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    PICTURE.save(stream, kind, **how)
    return stream.getvalue()


def mp4(texts: dict[str, str]) -> bytes:
    """As SaveVideo."""
    return film("mp4", "mpeg4", texts, {"movflags": "use_metadata_tags"})


def vhs(texts: dict[str, str]) -> bytes:
    """As Video Combine of the VHS pack: both in one comment."""
    return film("mp4", "mpeg4", {"comment": json.dumps({**texts, "workflow": WORKFLOW})}, {})


def webm(texts: dict[str, str]) -> bytes:
    """As SaveWEBM."""
    return film("webm", "libvpx-vp9", texts, {})


def film(kind: str, codec: str, texts: dict[str, str], how: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind, options=how) as container:
        container.metadata.update(texts)
        track: Any = container.add_stream(codec, rate=8)
        track.width, track.height, track.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame(64, 64, "yuv420p")
        for packet in [*track.encode(frame), *track.encode()]:
            container.mux(packet)
    return stream.getvalue()


def flac(texts: dict[str, str]) -> bytes:
    """As SaveAudio."""
    return sound("flac", "flac", "s16", texts)


def mp3(texts: dict[str, str]) -> bytes:
    """As SaveAudioMP3."""
    return sound("mp3", "libmp3lame", "s16p", texts)


def opus(texts: dict[str, str]) -> bytes:
    """As SaveAudioOpus."""
    return sound("opus", "libopus", "s16", texts)


def sound(kind: str, codec: str, form: str, texts: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as container:
        container.metadata.update(texts)
        track: Any = container.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame(format=form, layout="mono", samples=960)
        frame.rate = 48_000
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        for packet in [*track.encode(frame), *track.encode()]:
            container.mux(packet)
    return stream.getvalue()


WRITERS = [png, apng, webp, jpeg, mp4, vhs, webm, flac, mp3, opus]
Writer = Callable[[dict[str, str]], bytes]


def read(data: bytes) -> object:
    return read_stream(io.BytesIO(data))


@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_run_is_taken_before_what_it_was_made_of(writer: Writer) -> None:
    assert read(writer(BOTH)) == PROMPT


@pytest.mark.parametrize("writer", WRITERS)
def test_a_workflow_alone_is_read_too(writer: Writer) -> None:
    assert read(writer({"workflow": BOTH["workflow"]})) == WORKFLOW


@pytest.mark.parametrize("writer", WRITERS)
def test_a_prompt_that_cannot_be_read_leaves_the_workflow(writer: Writer) -> None:
    assert read(writer({**BOTH, "prompt": "{broken"})) == WORKFLOW


@pytest.mark.parametrize("writer", [png, webp, jpeg, mp4, webm, flac, mp3, opus])
def test_a_file_saved_without_its_workflow_says_so(writer: Writer) -> None:
    assert "holds no ComfyUI workflow" in refused(writer({"other": "text"}))


def test_a_compressed_text_is_read() -> None:
    info = PngInfo()
    info.add_itxt("workflow", json.dumps(WORKFLOW, ensure_ascii=False), zip=True)
    assert read(written("PNG", pnginfo=info)) == WORKFLOW


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_text_that_unpacks_without_end_is_refused(kind: bytes) -> None:
    bomb = zlib.compress(b"0" * (MOST_TEXT + 1), 9)
    head = b"workflow\0\0" if kind == b"zTXt" else b"workflow\0\x01\0\0\0"
    data = b"\x89PNG\r\n\x1a\n" + chunk(kind, head + bomb) + chunk(b"IEND", b"")
    assert len(data) < 100_000
    assert "unpack to more than" in refused(data)


def test_many_texts_that_each_unpack_within_bounds_are_refused_together() -> None:
    text = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"0" * (MOST_TEXT // 2), 9))
    assert "unpack to more than" in refused(b"\x89PNG\r\n\x1a\n" + 3 * text + chunk(b"IEND", b""))


def test_exif_whose_entries_all_lead_back_to_their_directory_is_refused() -> None:
    entries = 0xFFFF * struct.pack("<HHII", 0x8769, 4, 1, 8)
    exif_data = b"II*\0\x08\0\0\0\xff\xff" + entries
    data = b"RIFF\0\0\0\0WEBPEXIF" + struct.pack("<I", len(exif_data)) + exif_data
    assert "too many entries" in refused(data)


def test_a_sound_of_empty_blocks_or_frames_without_end_is_refused() -> None:
    assert "too many blocks" in refused(b"fLaC" + 200_000 * b"\x01\0\0\0")
    frames = 200_000 * b"TXXX\0\0\0\0\0\0"
    size = bytes((len(frames) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    assert "too many frames" in refused(b"ID3\x04\0\0" + size + frames)


def test_a_part_that_says_it_has_gigabytes_is_refused() -> None:
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 0xFFFFFFFF) + b"tEXtworkflow\0{}"
    assert "larger than any workflow" in refused(data)


def test_a_film_of_boxes_without_end_is_refused() -> None:
    data = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08free" * 200_000
    assert "too many boxes" in refused(data)


def test_a_hostile_text_is_refused_like_any_other() -> None:
    assert "nested too deep" in refused(png({"workflow": "[" * 200_000}))
    assert "is no JSON" in refused(png({"workflow": "\x00\x1b[31m"}))


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_cut_anywhere_is_read_or_refused(writer: Writer) -> None:
    whole = writer(BOTH)
    for length in range(0, len(whole), 7):
        read_or_refused(whole[:length])


WHOLE = {writer.__name__: writer(BOTH) for writer in WRITERS}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_file_with_any_bytes_changed_is_read_or_refused(name: str, data: st.DataObject) -> None:
    changed = bytearray(WHOLE[name])
    places = st.integers(0, len(changed) - 1)
    for place, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        changed[place] = byte
    read_or_refused(bytes(changed))


@given(
    st.sampled_from(
        [
            b"\x89PNG\r\n\x1a\n",
            b"RIFF0000WEBP",
            b"\xff\xd8",
            b"fLaC",
            b"OggS",
            b"ID3\x04",
            b"\x1a\x45\xdf\xa3",
            b"0000ftyp",
            b"",
        ]
    ),
    st.binary(max_size=400),
)
def test_any_bytes_behind_a_known_beginning_are_read_or_refused(head: bytes, rest: bytes) -> None:
    read_or_refused(head + rest)


def read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except CannotConvert as exc:
        assert str(exc)


def refused(data: bytes) -> str:
    with pytest.raises(CannotConvert) as told:
        read(data)
    return str(told.value)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
