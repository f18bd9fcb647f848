"""Two workers of one machine, and what only one of them can have."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from workers.neighbours import Neighbours


@pytest.fixture
def first_and_second(tmp_path: Path) -> Iterator[tuple[Neighbours, Neighbours]]:
    with ExitStack() as ends:
        pair = Neighbours(tmp_path, "gpu0"), Neighbours(tmp_path, "gpu1")
        for one in pair:
            ends.callback(one.close)
        yield pair


def test_two_workers_with_a_comfyui_and_a_card_each_are_no_trouble(
    first_and_second: tuple[Neighbours, Neighbours],
) -> None:
    first, second = first_and_second

    for _ in range(2):
        assert first.check(comfyui="rack1:8188", card="GPU-aaaa") == ""
        assert second.check(comfyui="rack1:8189", card="GPU-bbbb") == ""


def test_the_second_worker_of_a_comfyui_is_told_whose_it_is_until_that_one_ends(
    first_and_second: tuple[Neighbours, Neighbours],
) -> None:
    first, second = first_and_second
    first.check(comfyui="rack1:8188")

    for _ in range(2):
        told = second.check(comfyui="rack1:8188")
        assert told.startswith("node gpu0 of this machine renders with the ComfyUI at rack1:8188 already")
        assert "COMFYUI_URL" in told

    first.close()
    assert second.check(comfyui="rack1:8188") == ""


def test_the_second_worker_of_a_card_is_told_whose_it_is(
    first_and_second: tuple[Neighbours, Neighbours],
) -> None:
    first, second = first_and_second
    first.check(comfyui="rack1:8188", card="GPU-aaaa")

    told = second.check(comfyui="rack1:8189", card="GPU-aaaa")

    assert told.startswith("node gpu0 of this machine renders on card GPU-aaaa already")
    assert "SHOTFARM_GPU" in told


def test_where_no_file_can_be_held_nobody_is_accused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert Neighbours(tmp_path / "file" / "below", "gpu0").check(comfyui="rack1:8188") == ""


def test_a_claim_on_a_full_disk_holds_although_nobody_can_read_whose_it_is(
    first_and_second: tuple[Neighbours, Neighbours], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = first_and_second
    refused: list[int] = []

    def pwrite(handle: int, *_: object) -> int:
        refused.append(handle)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert first.check(comfyui="rack1:8188") == ""
    assert len(refused) == 1

    assert second.check(comfyui="rack1:8188").startswith("node ? of this machine renders with")
