"""A ZIP is written from the beginning to the end, with as little memory for many files as for few."""

from __future__ import annotations

import gc
import hashlib
import io
import sys
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.keeping.zipping import Packing

AT = datetime(2026, 11, 27, 9, 30, 10, tzinfo=UTC)


class Nowhere(io.RawIOBase):
    """Takes everything, keeps nothing."""

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]  # bytes of some kind


def test_more_files_than_a_plain_zip_can_count_are_all_found_again(tmp_path: Path) -> None:
    """65 535 is where a ZIP needs its 64-bit end."""
    place, many = tmp_path / "many.zip", 66_000
    with place.open("wb") as target, Packing(target, at=AT) as packing:
        for number in range(many):
            packing.add(f"씬/SH{number:05}.json", [b"%d" % number], size=5)
        packing.add_sums("SHA256SUMS")
        size, found = packing.close()
        assert packing.files == many + 1
    assert (size, found) == (place.stat().st_size, hashlib.sha256(place.read_bytes()).hexdigest())
    with zipfile.ZipFile(place) as read:
        assert read.testzip() is None
        assert len(read.namelist()) == many + 1
        assert read.read("씬/SH65999.json") == b"65999"
        last = read.getinfo("씬/SH65999.json")
        assert (last.date_time, last.external_attr >> 16) == ((2026, 11, 27, 9, 30, 10), 0o644)
        sums = read.read("SHA256SUMS").decode().splitlines()
    assert (len(sums), sums[7]) == (many, f"{hashlib.sha256(b'7').hexdigest()}  씬/SH00007.json")


def test_files_of_any_size_come_out_as_they_went_in(tmp_path: Path) -> None:
    place, large = tmp_path / "few.zip", bytes(range(256)) * 9_000
    with place.open("wb") as target, Packing(target, at=AT) as packing:
        told = packing.add("a/large.bin", [large[:1_000_000], large[1_000_000:]], size=1 << 31)
        packing.add("empty", [], size=0)
        packing.close()
    with zipfile.ZipFile(place) as read:
        assert (read.read("a/large.bin"), read.read("empty")) == (large, b"")
    assert told == hashlib.sha256(large).hexdigest()


def test_a_zip_that_is_given_up_is_forgotten_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    with suppress(OSError), Packing(Nowhere(), at=AT) as packing:  # type: ignore[arg-type]  # is only written to
        packing.add("first", [b"x"], size=1)
        raise OSError("the disk is full")
    assert packing.files == 1
    del packing
    gc.collect()
    assert not complaints


def test_many_files_take_no_more_memory_than_few() -> None:
    def peak(count: int) -> int:
        with Packing(Nowhere(), at=AT) as packing:  # type: ignore[arg-type]  # is only written to
            packing.add("first", [b"x"], size=1)
            tracemalloc.start()
            for number in range(count):
                packing.add(f"takes/SQ010_SH0010/take{number:06}.json", [b"{}"], size=2)
            packing.add_sums("SHA256SUMS")
            packing.close()
            _now, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    assert peak(24_000) < peak(12_000) + 1_000_000  # a list of entries would have 6 MB more
