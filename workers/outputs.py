"""Bring what ComfyUI rendered into the artifact store: download, decode, check, hash, store.

ComfyUI's names, sizes and types are not believed. Every file is decoded to its last frame, latents are read
to their last byte, and all is compared with what was ordered before the first one is stored.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from farm.contracts import (
    MANIFEST_NAME,
    ArtifactFact,
    ContractError,
    OrderOutput,
    RenderOrder,
    RenderReport,
    canonical,
    from_json,
    to_json,
)
from farm.transfer import MAX_FILE_BYTES
from workers import media
from workers.comfy.client import ComfyClient
from workers.comfy.errors import SlowAnswer, Unreachable
from workers.comfy.outputs import OutputFile
from workers.disks import scratch, writing
from workers.errors import OutputWrong, StoreFull, StoreUnavailable
from workers.store import OrderStore

logger = logging.getLogger(__name__)

MAX_OUTPUT_BYTES: Final = MAX_FILE_BYTES
"""A bound on one rendered file. A minute of ProRes 4444 in 4K has about 13 GB."""

AWAY_S: Final = 30.0
"""How long ComfyUI may be away with what it has rendered. A restart takes 8–11 s on two cores."""

STORE_AWAY_S: Final = 60.0
"""How long the store may be away with a render on its way: a NAS hands over to its twin within a minute."""

MOST_MANIFEST_BYTES: Final = 4 * 1024 * 1024
FRAMES: Final = "frames"
LATENT: Final = "latent"
PAUSE_S: Final = 0.5
FPS_TOLERANCE: Final = 0.01
NAME_LIMIT: Final = 100
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def collect(
    files: Iterable[OutputFile], order: RenderOrder, *, client: ComfyClient, store: OrderStore
) -> tuple[ArtifactFact, ...]:
    """Check and store every file of the ordered output nodes.

    Raises OutputWrong, StoreUnavailable, ScratchUnavailable, and ComfyUI's errors.
    """
    by_node: dict[str, list[OutputFile]] = {}
    for file in files:
        by_node.setdefault(file.node_id, []).append(file)
    with scratch() as folder:
        facts: dict[str, ArtifactFact] = {}
        for wanted in order.outputs:
            rendered = by_node.get(wanted.node, [])
            if not rendered:
                raise OutputWrong(f"output node {wanted.node} gave no file; expected {wanted.kind}")
            one = _one_of(rendered, wanted)
            for file in rendered:
                name = _free_name(file.filename, facts)
                download = folder / name
                _download(file, download, client)
                facts[name] = _check(download, one)
        for name in facts:
            _until_stored(partial(store.put, folder / name, artifact_key(order, name)))
    return tuple(facts.values())


def write_manifest(report: RenderReport, order: RenderOrder, store: OrderStore) -> None:
    """Write the signed report beside its files. It comes last: where it stands, the attempt is whole."""
    content = canonical(to_json(report))
    _until_stored(partial(store.write, content, artifact_key(order, MANIFEST_NAME)))


def _until_stored(put: Callable[[], None]) -> None:
    """Store something; a share that is away for a moment costs no render. A full one is told at once."""
    deadline = time.monotonic() + STORE_AWAY_S
    while True:
        try:
            return put()
        except StoreFull:
            raise
        except StoreUnavailable as exc:
            if time.monotonic() > deadline:
                raise
            logger.info("output not stored, trying again", extra={"error": str(exc)})
            time.sleep(PAUSE_S)


def read_manifest(order: RenderOrder, store: OrderStore) -> RenderReport | None:
    """Return the report that was written beside its files and is signed with the order's key, else None.

    Raises StoreUnavailable.
    """
    try:
        with store.reading(artifact_key(order, MANIFEST_NAME)) as file:
            report = from_json(RenderReport, json.loads(file.read(MOST_MANIFEST_BYTES)))
    except FileNotFoundError:
        return None
    except (ContractError, ValueError) as error:
        logger.warning("manifest not readable", extra={"error": str(error)})
        return None
    return report if report.is_signed_with(order.report_key) else None


def artifact_key(order: RenderOrder, name: str) -> str:
    """Place a file in the attempt's own folder."""
    return f"{order.artifact_folder}/{name}"


def _free_name(filename: str, taken: dict[str, ArtifactFact]) -> str:
    """Reduce a name told by ComfyUI to a plain one that no other file of this attempt has."""
    plain = (
        _UNSAFE.sub("_", PurePosixPath(filename.replace("\\", "/")).name)[-NAME_LIMIT:].lstrip(".") or "file"
    )
    if plain == MANIFEST_NAME or plain in taken:
        plain = f"{len(taken)}_{plain}"
    return plain


def _download(file: OutputFile, target: Path, client: ComfyClient) -> None:
    """Fetch a file; a ComfyUI that is restarted meanwhile still has it, so that is waited for."""
    deadline = time.monotonic() + AWAY_S
    while True:
        try:
            return _fetch(file, target, client)
        except (Unreachable, SlowAnswer) as exc:
            if time.monotonic() > deadline:
                raise
            logger.info("output not fetched, trying again", extra={"file": file.filename, "error": str(exc)})
            time.sleep(PAUSE_S)


def _fetch(file: OutputFile, target: Path, client: ComfyClient) -> None:
    size = 0
    with client.open_output(file) as source, writing(target) as write:
        for chunk in source:
            size += len(chunk)
            if size > MAX_OUTPUT_BYTES:
                raise OutputWrong(f"{file.filename} is larger than {MAX_OUTPUT_BYTES} bytes")
            write(chunk)


def _one_of(rendered: list[OutputFile], wanted: OrderOutput) -> OrderOutput:
    """What each single file must be; of a numbered sequence none may be absent. Raises OutputWrong."""
    if wanted.kind != FRAMES:
        return wanted
    if wanted.frames not in (len(rendered), 0):
        told = f"{len(rendered)} pictures where {wanted.frames} were ordered"
        raise OutputWrong(f"output node {wanted.node} gave {told}")
    return replace(wanted, kind="image", frames=1)


def _check(path: Path, wanted: OrderOutput) -> ArtifactFact:
    """Compare a decoded file with the order."""
    found = media.inspect(path) if wanted.kind != LATENT else media.inspect_latents(path, wanted.form)
    facts = {
        "kind": (wanted.kind, found.kind),
        "width": (wanted.width, found.width),
        "height": (wanted.height, found.height),
        "frames": (wanted.frames, found.frames),
    }
    wrong = [
        f"{name} is {is_} where {should} was ordered"
        for name, (should, is_) in facts.items()
        if should and is_ != should  # 0: the farm does not know, and takes what comes
    ]
    if wanted.fps and (found.fps is None or abs(found.fps - wanted.fps) > wanted.fps * FPS_TOLERANCE):
        wrong.append(f"fps is {found.fps} where {wanted.fps} was ordered")
    if wrong:
        raise OutputWrong(f"{path.name} of output node {wanted.node}: {'; '.join(wrong)}")
    return ArtifactFact(
        path=path.name,
        kind=found.kind,
        media_type=found.media_type,
        bytes=path.stat().st_size,
        sha256=media.sha256_of(path),
        width=found.width,
        height=found.height,
        frames=found.frames,
        fps=found.fps,
        output_node=wanted.node,
    )
