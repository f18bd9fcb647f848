"""Video nodes: real H.264, VP9 and AV1 files written with PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from workers.comfysim.nodes.audio import SilentTrack
from workers.comfysim.nodes.registry import Inputs, Run, Shown, node
from workers.comfysim.nodes.saving import graph_texts, names_for
from workers.comfysim.values import Video

_WEBM_CODECS = {"vp9": "libvpx-vp9", "av1": "libsvtav1"}


@node("CreateVideo")
def create(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Video(tuple(inputs["images"]), _written_rate(inputs["fps"]), inputs.get("audio")),)


def _written_rate(fps: float) -> Fraction:
    """The rate as ComfyUI writes it: to three decimals, so 24000/1001 becomes 23.976."""
    return Fraction(round(fps * 1000), 1000)


@node("GetVideoComponents")
def components(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    video: Video = inputs["video"]
    return list(video.pictures), video.sound, float(video.fps), 8


@node("LoadVideo")
def load(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    with av.open(str(run.folders.annotated(inputs["file"]))) as container:
        stream = container.streams.video[0]
        fps = stream.average_rate or Fraction(24)
        pictures = [_picture(frame) for frame in container.decode(stream)]
    return (Video(tuple(pictures), fps),)


def _picture(frame: av.VideoFrame) -> Image.Image:
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return picture.convert("RGB")


@node("SaveVideo")
def save(run: Run, inputs: Inputs) -> Shown:
    """MP4 with H.264 in yuv420p; the size must be even, as in ComfyUI."""
    video: Video = inputs["video"]
    names = names_for(run, inputs, list(video.pictures))
    path = names.next("mp4")
    _write(path, video, codec="libx264", options={"preset": "veryfast", "crf": "20"}, texts=graph_texts(run))
    return Shown({"images": [names.entry(path)], "animated": [True]}, (video,))


@node("SaveWEBM")
def save_webm(run: Run, inputs: Inputs) -> Shown:
    video = Video(tuple(inputs["images"]), _written_rate(inputs["fps"]))
    names = names_for(run, inputs, inputs["images"])
    path = names.next("webm")
    speed = {"cpu-used": "8", "deadline": "realtime"} if inputs["codec"] == "vp9" else {"preset": "12"}
    options = {"crf": str(round(inputs["crf"])), "b": "0", **speed}
    _write(path, video, codec=_WEBM_CODECS[inputs["codec"]], options=options, texts=graph_texts(run))
    return Shown({"images": [names.entry(path)], "animated": [True]}, (inputs["images"],))


def _write(path: Path, video: Video, *, codec: str, options: dict[str, str], texts: dict[str, str]) -> None:
    muxer_options = {"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=muxer_options) as container:
        container.metadata.update(texts)
        stream = container.add_stream(codec, rate=video.fps, options=options)
        if not isinstance(stream, av.VideoStream):
            raise TypeError(f"{codec} is not a video codec")
        stream.width, stream.height = video.pictures[0].size
        stream.pix_fmt = "yuv420p"
        sound = SilentTrack(container, "aac", video.sound) if video.sound else None
        for picture in video.pictures:
            frame = av.VideoFrame.from_image(picture.convert("RGB"))  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound:
            sound.write()
