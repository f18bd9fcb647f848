"""Files into ComfyUI and out of it: nothing is believed that was not checked."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import pytest
from av.video.stream import VideoStream
from PIL import Image

from farm.contracts import STORE_MARKER, FailureClass, OrderInput, OrderOutput
from tests.unit.workers.facts import order, report
from workers import inputs, media, outputs
from workers.comfy.client import ComfyClient
from workers.comfy.outputs import OutputFile
from workers.errors import InputUnusable, OrderUnreadable, OutputWrong, StoreUnavailable
from workers.media import inspect
from workers.store import ArtifactStore, safe_key

GRAPH: dict[str, Any] = {"5": {"class_type": "LoadImage", "inputs": {"image": "placeholder"}}}


class Uploads:
    """ComfyUI's side of an upload."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def __call__(self, name: str, file: BinaryIO) -> str:
        self.files[name] = file.read()
        return f"given/{name}"


class Downloads:
    """ComfyUI's side of a download."""

    def __init__(self, **files: bytes) -> None:
        self._files = {name.replace("__", "."): content for name, content in files.items()}

    @contextmanager
    def open_output(self, file: OutputFile) -> Iterator[Iterator[bytes]]:
        yield iter([self._files[file.filename]])


def client(**files: bytes) -> ComfyClient:
    return cast(ComfyClient, Downloads(**files))


def listed(filename: str, node: str = "9") -> OutputFile:
    return OutputFile(
        node_id=node, listed_under="images", filename=filename, subfolder="", folder="output", kind="image"
    )


def png(path: Path, size: tuple[int, int] = (32, 16)) -> bytes:
    Image.new("RGB", size, "teal").save(path, "PNG")
    return path.read_bytes()


def mp4(path: Path, frames: int = 5, fps: int = 16, codec: str = "h264") -> bytes:
    with av.open(path, "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=fps))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(frames):
            picture = Image.new("RGB", (64, 48), (shade * 20, 0, 0))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def stored(tmp_path: Path, key: str, content: bytes) -> OrderInput:
    target = tmp_path / "store" / key
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return OrderInput(
        node="5", input="image", key=key, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
    )


def store(tmp_path: Path, *, mounted: bool = True) -> ArtifactStore:
    root = tmp_path / "store"
    if mounted:
        root.mkdir(exist_ok=True)
        (root / STORE_MARKER).write_text("this farm's")
    return ArtifactStore(str(root))


def test_an_input_is_uploaded_under_its_hash_and_its_new_name_goes_into_the_graph(tmp_path: Path) -> None:
    item, uploads = stored(tmp_path, "refs/Ünser Bild.PNG", b"bytes"), Uploads()

    graph = inputs.stage(GRAPH, [item], store=store(tmp_path), upload=uploads)

    assert uploads.files == {f"{item.sha256[:40]}.png": b"bytes"}
    assert graph["5"]["inputs"]["image"] == f"given/{item.sha256[:40]}.png"
    assert GRAPH["5"]["inputs"]["image"] == "placeholder"


def test_an_input_that_changed_in_the_store_is_not_used(tmp_path: Path) -> None:
    item, uploads = stored(tmp_path, "refs/a.png", b"bytes"), Uploads()
    (tmp_path / "store/refs/a.png").write_bytes(b"other")

    with pytest.raises(InputUnusable, match=r"refs/a\.png is not the file the order names"):
        inputs.stage(GRAPH, [item], store=store(tmp_path), upload=uploads)

    assert uploads.files == {}


def test_an_input_that_is_gone_is_named(tmp_path: Path) -> None:
    item = stored(tmp_path, "refs/a.png", b"bytes")
    (tmp_path / "store/refs/a.png").unlink()

    with pytest.raises(InputUnusable, match=r"refs/a\.png is not in the artifact store"):
        inputs.stage(GRAPH, [item], store=store(tmp_path), upload=Uploads())


def test_an_input_for_a_node_that_the_graph_lacks_is_refused(tmp_path: Path) -> None:
    item = stored(tmp_path, "a.png", b"bytes")

    with pytest.raises(OrderUnreadable, match="node '5', which the graph lacks"):
        inputs.stage({}, [item], store=store(tmp_path), upload=Uploads())


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a\\b", "C:/a", "a\0b"])
def test_a_key_that_could_leave_the_store_is_refused(key: str) -> None:
    with pytest.raises(OrderUnreadable, match="not a relative path"):
        safe_key(key)


def test_files_and_then_the_manifest_stand_in_the_attempts_folder(tmp_path: Path) -> None:
    content = png(tmp_path / "a.png")
    what = order(outputs=(OrderOutput(node="9", kind="image", width=32, height=16, frames=1),))

    (fact,) = outputs.collect([listed("a.png")], what, client=client(a__png=content), store=store(tmp_path))
    folder = tmp_path / "store/attempts/a1"
    assert [path.name for path in folder.iterdir()] == ["a.png"]

    outputs.write_manifest(report(), what, store(tmp_path))
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "manifest.json"]
    assert json.loads((folder / "manifest.json").read_bytes())["attempt_id"] == "a1"
    assert (fact.path, fact.media_type, fact.sha256) == (
        "a.png",
        "image/png",
        hashlib.sha256(content).hexdigest(),
    )


def test_names_told_by_comfyui_become_plain_and_never_meet(tmp_path: Path) -> None:
    content = png(tmp_path / "a.png")
    wanted = OrderOutput(node="9", kind="image", width=32, height=16, frames=1)
    files = [listed("장면 1.png"), listed("장면 1.png"), listed("manifest.json"), listed("...")]
    served = {"장면 1.png": content, "manifest.json": content, "...": content}
    source = client()
    cast(Any, source)._files = served

    facts = outputs.collect(files, order(outputs=(wanted,)), client=source, store=store(tmp_path))

    assert [fact.path for fact in facts] == ["_1.png", "1__1.png", "2_manifest.json", "file"]


def test_nothing_is_stored_when_one_file_is_wrong(tmp_path: Path) -> None:
    wanted = OrderOutput(node="9", kind="image", width=32, height=16, frames=1)
    good, wrong = png(tmp_path / "a.png"), png(tmp_path / "b.png", (8, 8))

    with pytest.raises(OutputWrong, match="width is 8 where 32 was ordered; height is 8 where 16"):
        outputs.collect(
            [listed("a.png"), listed("b.png")],
            order(outputs=(wanted,)),
            client=client(a__png=good, b__png=wrong),
            store=store(tmp_path),
        )

    assert [path.name for path in (tmp_path / "store").iterdir()] == [STORE_MARKER]


def test_an_output_node_without_files_is_named(tmp_path: Path) -> None:
    wanted = OrderOutput(node="9", kind="image", width=32, height=16, frames=1)

    with pytest.raises(OutputWrong, match="output node 9 gave no file"):
        outputs.collect([], order(outputs=(wanted,)), client=client(), store=store(tmp_path))


def test_a_download_beyond_the_bound_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MAX_OUTPUT_BYTES", 10)
    what = order(outputs=(OrderOutput(node="9", kind="image", width=32, height=16, frames=1),))

    with pytest.raises(OutputWrong, match="larger than 10 bytes"):
        outputs.collect([listed("a.png")], what, client=client(a__png=b"x" * 11), store=store(tmp_path))


class ShakyStore(ArtifactStore):
    """A share that is away for so many writes."""

    away = 0

    def require(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("is it mounted?")
        super().require()


def test_a_store_that_is_away_for_a_moment_costs_no_render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    store(tmp_path)
    shaky = ShakyStore(str(tmp_path / "store"))
    shaky.away = 3

    outputs.write_manifest(report(), order(), shaky)

    assert (shaky.away, len(pauses)) == (0, 3)
    assert (tmp_path / "store/attempts/a1/manifest.json").exists()


def test_one_that_stays_away_is_told_after_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now[-1] + seconds))
    monkeypatch.setattr(time, "monotonic", lambda: now[-1])
    shaky = ShakyStore(str(tmp_path))
    shaky.away = 10_000

    with pytest.raises(StoreUnavailable):
        outputs.write_manifest(report(), order(), shaky)

    assert 60 <= now[-1] < 62


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "STORE_AWAY_S", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_full_or_missing_store_is_nobodys_fault(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")

    with pytest.raises(StoreUnavailable, match=r"cannot be read: .*Not a directory"):
        outputs.write_manifest(report(), order(), store(tmp_path, mounted=False))


def test_a_store_without_its_marker_is_not_the_farms(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    reason = store(tmp_path, mounted=False).check()

    assert f"at {tmp_path}/store is not the farm's: no .shotfarm-store there; is it mounted" in reason
    assert store(tmp_path, mounted=True).check() == ""


def test_an_input_that_is_missing_from_an_unmounted_store_is_not_the_orders_fault(tmp_path: Path) -> None:
    item = stored(tmp_path, "refs/a.png", b"bytes")
    (tmp_path / "store/refs/a.png").unlink()

    with pytest.raises(StoreUnavailable, match="is it mounted") as caught:
        inputs.stage(GRAPH, [item], store=store(tmp_path, mounted=False), upload=Uploads())

    assert caught.value.to_failure().failure_class is FailureClass.INFRASTRUCTURE


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_written_into_a_store_that_is_not_mounted(tmp_path: Path, exists: bool) -> None:
    root = tmp_path / "store"
    if exists:
        root.mkdir()

    with pytest.raises(StoreUnavailable, match="is it mounted"):
        outputs.write_manifest(report(), order(), store(tmp_path, mounted=False))

    assert list(tmp_path.rglob("store/*")) == []
    assert root.exists() is exists


def test_every_frame_of_a_clip_is_decoded(tmp_path: Path) -> None:
    mp4(tmp_path / "clip.mp4", frames=7, fps=24)

    found = inspect(tmp_path / "clip.mp4")

    assert (found.kind, found.media_type, found.width, found.height) == ("video", "video/mp4", 64, 48)
    assert (found.frames, found.fps) == (7, 24.0)


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile private.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{folder}/private.ts\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_opens_no_other_file(tmp_path: Path, playlist: str) -> None:
    mp4(tmp_path / "private.mp4")
    mp4(tmp_path / "private.ts")
    (tmp_path / "take.mp4").write_text(playlist.format(folder=tmp_path))

    with pytest.raises(OutputWrong, match=r"take\.mp4 does not decode"):
        inspect(tmp_path / "take.mp4")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.mkv", "clip.mov"])
def test_every_kind_of_clip_that_comfyui_writes_is_opened(tmp_path: Path, name: str) -> None:
    mp4(tmp_path / name, codec="vp9" if name.endswith("webm") else "h264")

    assert (inspect(tmp_path / name).kind, inspect(tmp_path / name).frames) == ("video", 5)


@pytest.mark.parametrize("name", ["large.mp4", "large.png"])
def test_a_frame_larger_than_we_dare_to_decode_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    mp4(tmp_path / "large.mp4")
    png(tmp_path / "large.png", (64, 48))
    monkeypatch.setattr(media, "MAX_PIXELS", 64 * 48 - 1)

    with pytest.raises(OutputWrong, match="64 × 48 pixels; at most 3071 are decoded"):
        inspect(tmp_path / name)


def test_a_format_that_runs_a_program_is_not_opened(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.eps")

    with pytest.raises(OutputWrong, match=r"a\.eps does not decode"):
        inspect(tmp_path / "a.eps")


def test_an_animated_webp_is_a_clip(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 8), (shade, 0, 0)) for shade in (0, 80, 160)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], duration=40)

    found = inspect(tmp_path / "a.webp")

    assert (found.kind, found.media_type, found.frames, found.fps) == ("video", "image/webp", 3, 25.0)


def test_a_torn_clip_is_counted_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    whole = mp4(tmp_path / "clip.mp4", frames=7)
    (tmp_path / "torn.mp4").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(OutputWrong, match=r"torn\.mp4 does not decode"):
        inspect(tmp_path / "torn.mp4")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89PNG\r\n\x1a\nrest is missing"])
def test_a_file_that_is_no_picture_is_refused_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)

    with pytest.raises(OutputWrong, match=r"a\.png"):
        inspect(tmp_path / "a.png")


def test_a_torn_picture_is_refused(tmp_path: Path) -> None:
    whole = png(tmp_path / "whole.png", (300, 300))
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(OutputWrong, match=r"torn\.png"):
        inspect(tmp_path / "torn.png")
