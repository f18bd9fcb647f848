"""Pictures in a row: brought to ComfyUI as one lossless clip, and counted when they come back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import av
import pytest
from PIL import Image

from farm.contracts import STORE_MARKER, OrderInput, OrderOutput
from tests.unit.workers.facts import order
from workers import inputs, outputs
from workers.comfy.client import ComfyClient
from workers.comfy.outputs import OutputFile
from workers.errors import InputUnusable, OutputWrong
from workers.store import ArtifactStore

GRAPH = {"1": {"class_type": "LoadVideo", "inputs": {"file": "pictures.mkv"}}}
COLOURS = ("red", "lime", "blue", "white")


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    root = tmp_path / "store"
    root.mkdir()
    (root / STORE_MARKER).write_text("a farm's\n")
    return ArtifactStore(str(root))


def _picture(tmp_path: Path, number: int, *, size: tuple[int, int] = (32, 16)) -> OrderInput:
    file = tmp_path / "store" / f"shot_{number}.png"
    Image.new("RGB", size, COLOURS[number - 1]).save(file)
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return OrderInput(node="1", input="file", key=file.name, sha256=sha256, bytes=len(content), number=number)


def test_numbered_pictures_go_up_as_one_clip_that_loses_nothing(tmp_path: Path, store: ArtifactStore) -> None:
    clips: dict[str, Path] = {}

    def upload(name: str, file: BinaryIO) -> str:
        clips[name] = tmp_path / name
        clips[name].write_bytes(file.read())
        return f"given/{name}"

    items = [_picture(tmp_path, number) for number in (3, 1, 4, 2)]
    graph = inputs.stage(GRAPH, items, store=store, upload=upload)

    ((name, clip),) = clips.items()
    assert graph["1"]["inputs"]["file"] == f"given/{name}"
    with av.open(str(clip)) as container:
        shown = [frame.to_image().getpixel((5, 5)) for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]
    assert shown == [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in COLOURS]


def test_pictures_of_different_sizes_make_no_clip_and_the_first_wrong_one_is_named(
    tmp_path: Path, store: ArtifactStore
) -> None:
    items = [_picture(tmp_path, 1), _picture(tmp_path, 2, size=(16, 16))]
    with pytest.raises(InputUnusable, match="picture 2 of 2 has 16 × 16 pixels, the first has 32 × 16"):
        inputs.stage(GRAPH, items, store=store, upload=lambda name, _: name)


class _Downloads:
    def __init__(self, content: bytes) -> None:
        self._content = content

    @contextmanager
    def open_output(self, _file: OutputFile) -> Iterator[Iterator[bytes]]:
        yield iter([self._content])


def _listed(number: int) -> OutputFile:
    name = f"shot_{number:05}_.png"
    return OutputFile(
        node_id="3", listed_under="images", filename=name, subfolder="", folder="output", kind="image"
    )


@pytest.mark.parametrize(("promised", "right"), [(3, True), (0, True), (4, False)])
def test_the_pictures_of_a_clip_are_counted_where_their_number_is_known(
    tmp_path: Path, store: ArtifactStore, promised: int, right: bool
) -> None:
    _picture(tmp_path, 1)
    client = cast(ComfyClient, _Downloads((tmp_path / "store" / "shot_1.png").read_bytes()))
    what = order(outputs=(OrderOutput(node="3", kind="frames", width=32, height=16, frames=promised),))
    files = [_listed(number) for number in (1, 2, 3)]
    if not right:
        with pytest.raises(OutputWrong, match="gave 3 pictures where 4 were ordered"):
            outputs.collect(files, what, client=client, store=store.of(what))
        return
    facts = outputs.collect(files, what, client=client, store=store.of(what))
    assert [(fact.path, fact.kind, fact.frames) for fact in facts] == [
        (f"shot_{number:05}_.png", "image", 1) for number in (1, 2, 3)
    ]
