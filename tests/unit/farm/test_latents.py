"""Files of latents are read to their last byte, and cut in time number by number."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from farm.latents import NoLatentsError, cut_latents, latents_header, read_latents

CHANNELS, TIME, HEIGHT, WIDTH = 3, 5, 2, 4


def numbers(channel: int, time: int) -> bytes:
    """A plane whose numbers tell where they stand."""
    return struct.pack("<f", channel * 100 + time) * (HEIGHT * WIDTH)


def write(path: Path, **changes: object) -> Path:
    head = latents_header("F32", (1, CHANNELS, TIME, HEIGHT, WIDTH), metadata={"prompt": "a secret"})
    if changes:
        told = json.loads(head[8:]) | changes
        text = json.dumps({name: value for name, value in told.items() if value is not None}).encode()
        head = len(text).to_bytes(8, "little") + text
    planes = [numbers(channel, time) for channel in range(CHANNELS) for time in range(TIME)]
    path.write_bytes(head + b"".join(planes))
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write(tmp_path / "whole.latent")


def test_a_whole_file_tells_its_shape(whole: Path) -> None:
    found = read_latents(whole)
    assert (found.dtype, found.channels, found.time, found.height, found.width) == ("F32", 3, 5, 2, 4)
    assert found.versioned


def test_a_cut_has_the_numbers_of_its_time_and_neither_prompt_nor_graph(whole: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.latent"
    told = cut_latents(whole, cut, end=4, count=2)
    content = cut.read_bytes()
    assert (told.channels, told.time, told.versioned) == (CHANNELS, 2, True)
    wanted = b"".join(numbers(channel, time) for channel in range(CHANNELS) for time in (2, 3))
    assert content.endswith(wanted)
    assert len(content) == told.begin + len(wanted)
    assert b"secret" not in content
    assert told.begin % 8 == 0


def test_what_libraries_read_is_the_header_they_write(whole: Path, tmp_path: Path) -> None:
    """The header of a cut, field by field: what LoadLatent's library asks for."""
    cut = tmp_path / "cut.latent"
    cut_latents(whole, cut, end=5, count=1)
    content = cut.read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert json.loads(content[8 : 8 + length]) == {
        "latent_format_version_0": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]},
        "latent_tensor": {"dtype": "F32", "shape": [1, 3, 1, 2, 4], "data_offsets": [0, 96]},
    }


def test_old_files_stay_old(tmp_path: Path) -> None:
    """Without the mark LoadLatent scales what it reads: whoever cuts must not put one in."""
    old = write(tmp_path / "old.latent", latent_format_version_0=None)
    assert not cut_latents(old, tmp_path / "cut.latent", end=1, count=1).versioned


def test_half_precision_is_cut_by_its_own_size(tmp_path: Path) -> None:
    half = tmp_path / "half.latent"
    planes = [bytes([channel, time]) * 8 for channel in range(2) for time in range(3)]
    half.write_bytes(latents_header("BF16", (1, 2, 3, 2, 4)) + b"".join(planes))
    cut_latents(half, tmp_path / "cut.latent", end=2, count=1)
    assert (tmp_path / "cut.latent").read_bytes().endswith(bytes([0, 1]) * 8 + bytes([1, 1]) * 8)


@pytest.mark.parametrize(("end", "count"), [(0, 1), (6, 1), (2, 3), (3, 0)])
def test_what_is_not_there_is_not_cut(whole: Path, tmp_path: Path, end: int, count: int) -> None:
    with pytest.raises(NoLatentsError, match="5 latent frames"):
        cut_latents(whole, tmp_path / "cut.latent", end=end, count=count)
    assert not (tmp_path / "cut.latent").exists()


TENSOR = {"dtype": "F32", "shape": [1, 3, 5, 2, 4], "data_offsets": [0, 480]}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"latent_tensor": None}, "480 bytes of numbers where its header says 0"),
        ({"latent_tensor": TENSOR | {"shape": [1, 3, 5, 2, 5]}}, "does not lie where"),
        ({"latent_tensor": TENSOR | {"data_offsets": [8, 488]}}, "does not lie where"),
        ({"latent_tensor": TENSOR | {"data_offsets": [480, 0]}}, "does not lie where"),
        ({"latent_tensor": TENSOR | {"shape": [3, 5, 2, 4]}}, "does not lie where|its shape is"),
        ({"latent_tensor": TENSOR | {"dtype": "I8"}}, "known are F64"),
        ({"latent_tensor": TENSOR | {"shape": [-1, 3]}}, "does not say what 'latent_tensor' is"),
        ({"latent_tensor": TENSOR | {"shape": [True, 3]}}, "does not say what"),
        ({"latent_tensor": 4}, "does not say what"),
        ({"latent_tensor": TENSOR | {"shape": [1 << 47] * 400_000}}, "does not say what"),
        ({"x" * 5_000: 4}, "does not say what 'x{60}…' is$"),
        ({"latent_tensor": TENSOR | {"dtype": "F" * 5_000}}, "its numbers are 'F{60}…'; known"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    with pytest.raises(NoLatentsError, match=why):
        read_latents(write(tmp_path / "wrong.latent", **changes))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "ends too early"),
        (b"\x02\0\0\0\0\0\0\0", "would have 2 bytes"),
        (b"\xff" * 64, "header would have"),
        (b"\x02\0\0\0\0\0\0\0[]", "no object"),
        (b"\x02\0\0\0\0\0\0\0{\xff", "no JSON"),
        (b"\x02\0\0\0\0\0\0\0{}", "no latent_tensor"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "header would have"),
    ],
)
def test_what_is_no_safetensors_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "wrong.latent"
    path.write_bytes(content)
    with pytest.raises(NoLatentsError, match=why):
        read_latents(path)


def test_a_file_that_lost_its_end_is_refused(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(NoLatentsError, match=r"does not lie|where its header says"):
        read_latents(whole)
    whole.write_bytes(whole.read_bytes() + b"\0\0")
    with pytest.raises(NoLatentsError, match="where its header says"):
        read_latents(whole)
