"""The order of a golden render: a template's smallest render with test files of the farm's own."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import av
from django.core.files.storage import default_storage
from PIL import Image, ImageDraw

from apps.renders.models import Proof
from apps.renders.proofs import minutes_of
from apps.renders.services.keys import attempt_key, input_grant
from apps.renders.services.orders import latent_form
from apps.review.services.keeping import keep
from apps.workflows.services import template_of
from farm.contracts import OrderInput, OrderOutput, RenderOrder, pack_graph
from workflows.bind import bind, need_gb, slate_size
from workflows.errors import NeedUnknown
from workflows.golden import CLIP_FPS, CLIP_FRAMES, SOUND_S, golden_files, golden_values, medium_of
from workflows.load import Template
from workflows.manifest import Value
from workflows.roles import LATENT

SIDE: Final = 256
"""Pixels of a test picture where the template does not say."""

RATE: Final = 16_000
TONE_HZ: Final = 440.0


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What comes out: pixels, frames, frames per second; 0 and None where only the node will see."""

    width: int
    height: int
    frames: int
    fps: float | None


@dataclass(frozen=True, kw_only=True)
class _Stored:
    key: str
    sha256: str
    size: int


def values_of(template: Template) -> dict[str, Value]:
    """The values of a golden render, without its files."""
    return golden_values(template.manifest)


def golden_order(proof: Proof) -> RenderOrder:
    """Build the order of a golden render. Raises WorkflowError if it does not fit its template, OSError."""
    template = template_of(proof.version)
    manifest, values = template.manifest, dict(proof.values)
    width, height = int(values.get("width", SIDE)), int(values.get("height", SIDE))
    files = {role: _test_file(template, role, width=width, height=height) for role in golden_files(manifest)}
    keys = {role: file.key for role, file in files.items()}
    bound = bind(template, {**values, **keys}, filename_prefix=f"shotfarm/{proof.pk}/golden")
    shape = _shape(template, values)
    return RenderOrder(
        attempt_id=str(proof.pk),
        job_id=str(proof.pk),
        token=proof.token,
        label=f"golden render of {proof.version} on {proof.node.name}",
        template=str(proof.version),
        tier_gb=proof.node.tier_gb or 0,
        need_gb=_need(template, proof.precision, shape),
        graph_z=pack_graph(bound.graph),
        inputs=tuple(
            OrderInput(
                node=wanted.node,
                input=wanted.input,
                key=files[wanted.role].key,
                sha256=files[wanted.role].sha256,
                bytes=files[wanted.role].size,
                grant=input_grant(proof.pk, files[wanted.role].key),
            )
            for wanted in bound.inputs
        ),
        outputs=tuple(
            OrderOutput(
                node=output.node,
                kind=output.kind,
                width=shape.width,
                height=shape.height,
                frames=shape.frames if output.kind in ("video", LATENT) else 1,
                fps=shape.fps if output.kind == "video" else None,
                form=latent_form(manifest) if output.kind == LATENT else None,
            )
            for output in manifest.outputs
        ),
        artifact_folder=proof.folder,
        report_key=attempt_key(proof.pk),
        execution_timeout_s=min(manifest.timeouts.execution_s, 60.0 * minutes_of(proof.node)),
        hang_s=manifest.timeouts.hang_s,
    )


def _need(template: Template, precision: str, shape: Shape) -> float:
    try:
        need = need_gb(
            template,
            precision=precision or None,
            width=shape.width or SIDE,
            height=shape.height or SIDE,
            frames=shape.frames or CLIP_FRAMES,
        )
    except NeedUnknown:
        return 0.0  # it is shown, and decides nothing: the order goes to this one node whatever its card
    return need.gb


def _shape(template: Template, values: Mapping[str, Any]) -> Shape:
    manifest, after = template.manifest, template.manifest.follows
    side = round(SIDE * after.size_times) if after else 0
    frames = CLIP_FRAMES * after.frames_times + after.frames_plus if after else 0
    fps = values.get("fps", CLIP_FPS * after.fps_times if after else manifest.native_fps)
    sized = "width" in values and "height" in values
    return Shape(
        width=int(values["width"]) if sized else side,
        height=int(values["height"]) if sized else side,
        frames=int(values.get("frames", frames)),
        fps=float(fps) if fps is not None else None,
    )


def _test_file(template: Template, role: str, *, width: int, height: int) -> _Stored:
    if role == "slate_image":
        width, height = slate_size(template, width=width, height=height)
    match medium_of(role):
        case "video":
            return _stored(ball_clip(width, height), ".mp4")
        case "audio":
            return _stored(tone(), ".wav")
        case _:
            return _stored(ball_picture(width, height), ".png")


def ball_picture(width: int, height: int, *, turn: int = 0) -> bytes:
    """Draw a grey ball on a light table, as PNG; ``turn`` moves it. Equal arguments give equal bytes."""
    return _png(_drawn(width, height, turn))


def ball_clip(width: int, height: int) -> bytes:
    """Make a film of the ball rolling, as MP4 (H.264, even sides)."""
    width, height = max(2, width - width % 2), max(2, height - height % 2)
    file = io.BytesIO()
    frame: Any = av.VideoFrame  # its types leave this method out
    with av.open(file, mode="w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=Fraction(CLIP_FPS))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for turn in range(CLIP_FRAMES):
            film.mux(stream.encode(frame.from_image(_drawn(width, height, turn))))
        film.mux(stream.encode(None))
    return file.getvalue()


def tone() -> bytes:
    """Make two seconds of a tone, as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        steps = range(int(RATE * SOUND_S))
        tones = (int(8000 * math.sin(2 * math.pi * TONE_HZ * step / RATE)) for step in steps)
        sound.writeframes(b"".join(struct.pack("<h", tone) for tone in tones))
    return file.getvalue()


def _drawn(width: int, height: int, turn: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), (214, 214, 210))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height * 2 // 3, width, height), fill=(168, 160, 150))
    radius = max(1, min(width, height) // 5)
    x, y = width // 3 + turn * max(1, width // 40), height * 2 // 3 - radius // 2
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(120, 124, 130))
    return picture


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _stored(content: bytes, suffix: str) -> _Stored:
    """Put a test file into the store under its content's name; equal files are one."""
    digest = hashlib.sha256(content).hexdigest()
    key = f"inputs/{digest}{suffix}"
    if not default_storage.exists(key) or default_storage.size(key) != len(content):
        with NamedTemporaryFile(suffix=suffix) as drawn:
            drawn.write(content)
            drawn.flush()
            keep(Path(drawn.name), key)
    return _Stored(key=key, sha256=digest, size=len(content))
