"""Latents out of ComfyUI: whole, of the form that was ordered, and of the clip beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from farm.contracts import LATENTS, LatentForm, OrderOutput
from farm.latents import latents_header
from tests.unit.workers.facts import order
from tests.unit.workers.test_node_files import client, listed, store
from workers import outputs
from workers.comfy.outputs import output_files
from workers.errors import OutputWrong

FORM = LatentForm(channels=16, stride=4, scale=8)
WANTED = OrderOutput(node="9", kind="latent", width=64, height=32, frames=9, form=FORM)
SHAPE = (1, 16, 3, 4, 8)


def latents(shape: tuple[int, ...] = SHAPE) -> bytes:
    size = 4
    for side in shape:
        size *= side
    return latents_header("F32", shape, metadata={"prompt": "{}"}) + bytes(size)


def test_history_lists_latents_like_pictures() -> None:
    """As SaveLatent of ComfyUI 0.3 and 0.27 reports them."""
    told = {"34": {"latents": [{"filename": "a_00001_.latent", "subfolder": "x", "type": "output"}]}}
    [file] = output_files(told)
    assert (file.node_id, file.listed_under, file.kind) == ("34", "latents", "latent")


def test_latents_are_stored_as_they_are_and_told_in_pixels_and_frames(tmp_path: Path) -> None:
    what, content = order(outputs=(WANTED,)), latents()
    there = store(tmp_path)
    [fact] = outputs.collect([listed("a.latent")], what, client=client(a__latent=content), store=there)
    assert (fact.kind, fact.width, fact.height, fact.frames, fact.fps) == ("latent", 64, 32, 9, None)
    assert (fact.bytes, fact.media_type) == (len(content), "application/octet-stream")
    with there.reading(f"{what.artifact_folder}/a.latent") as file:
        assert file.read() == content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (latents()[:-1], "no file of latents"),
        (b"\x89PNG" + bytes(40), "no file of latents"),
        (latents((1, 4, 3, 4, 8)), "4 channels where 16"),
        (latents((1, 16, 4, 4, 8)), "frames is 13 where 9"),
        (latents((1, 16, 3, 8, 8)), "height is 64 where 32"),
        (latents((2, 16, 3, 4, 8)), "its shape is"),
    ],
)
def test_latents_that_are_broken_or_of_another_form_are_no_output(
    tmp_path: Path, content: bytes, why: str
) -> None:
    with pytest.raises(OutputWrong, match=why):
        outputs.collect(
            [listed("a.latent")],
            order(outputs=(WANTED,)),
            client=client(a__latent=content),
            store=store(tmp_path),
        )


def test_an_order_for_latents_says_so_and_needs_their_form(tmp_path: Path) -> None:
    assert order(outputs=(WANTED,)).says == {LATENTS}
    formless = order(outputs=(replace(WANTED, form=None),))
    with pytest.raises(OutputWrong, match="not of which form"):
        outputs.collect(
            [listed("a.latent")], formless, client=client(a__latent=latents()), store=store(tmp_path)
        )
