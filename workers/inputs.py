"""Bring an order's input files from the artifact store into ComfyUI, and into the graph."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from farm.contracts import OrderInput
from workers.disks import on_scratch, scratch
from workers.errors import InputUnusable, OrderUnreadable
from workers.sequences import pack
from workers.store import OrderStore, safe_key

MAX_INPUT_BYTES: Final = 4 * 1024**3
"""A bound on one input file: a reference picture or a start frame has megabytes, a plate some hundreds."""

IN_MEMORY_BYTES: Final = 32 * 1024**2
CHUNK: Final = 1024**2

Graph = dict[str, Any]


def stage(
    graph: Graph,
    inputs: Iterable[OrderInput],
    *,
    store: OrderStore,
    upload: Callable[[str, BinaryIO], str],
) -> Graph:
    """Upload every input and return the graph with the names ComfyUI gave them.

    Raises InputUnusable, OrderUnreadable, StoreUnavailable, ScratchUnavailable, and what ``upload`` raises.
    """
    staged = deepcopy(graph)
    numbered: dict[tuple[str, str], list[OrderInput]] = {}
    for item in inputs:
        slots = staged.get(item.node, {}).get("inputs")
        if not isinstance(slots, dict):
            raise OrderUnreadable(f"input {item.key} is for node {item.node!r}, which the graph lacks")
        if item.number:
            numbered.setdefault((item.node, item.input), []).append(item)
        else:
            slots[item.input] = _upload(item, store, upload)
    for (node, name), items in numbered.items():
        items.sort(key=lambda item: item.number)
        staged[node]["inputs"][name] = _upload_together(items, store, upload)
    return staged


def _upload_together(
    items: Sequence[OrderInput], store: OrderStore, upload: Callable[[str, BinaryIO], str]
) -> str:
    """ComfyUI's core loads no folder of pictures in the order of their names, so they go as one clip."""
    digest = hashlib.sha256("".join(item.sha256 for item in items).encode()).hexdigest()
    with scratch() as folder:
        pictures = []
        for item in items:
            _check_size(item)
            picture = folder / content_name(item)
            with on_scratch(), picture.open("w+b") as file:
                _fetch(item, store, file)
            pictures.append(picture)
        clip = folder / "pictures.mkv"
        with on_scratch():
            pack(pictures, clip)
        with clip.open("rb") as file:
            return upload(f"{digest[:40]}.mkv", file)


def _upload(item: OrderInput, store: OrderStore, upload: Callable[[str, BinaryIO], str]) -> str:
    _check_size(item)
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        file = cast(BinaryIO, spooled)
        _fetch(item, store, file)
        with on_scratch():
            file.seek(0)  # writes what is still held back
        return upload(content_name(item), file)


def _check_size(item: OrderInput) -> None:
    if item.bytes > MAX_INPUT_BYTES:
        raise InputUnusable(f"input {item.key} has {item.bytes} bytes; at most {MAX_INPUT_BYTES} are staged")


def content_name(item: OrderInput) -> str:
    """Name a file by its content, so that equal files meet and different ones never do."""
    return item.sha256[:40] + PurePosixPath(item.key).suffix.lower()


def _fetch(item: OrderInput, store: OrderStore, file: BinaryIO) -> None:
    """Copy a stored file and check size and sha256 on the way."""
    digest, size = hashlib.sha256(), 0
    try:
        with store.reading(safe_key(item.key)) as source:
            while (chunk := source.read(CHUNK)) and size <= item.bytes:
                digest.update(chunk)
                size += len(chunk)
                with on_scratch():
                    file.write(chunk)
    except FileNotFoundError as exc:
        raise InputUnusable(f"input {item.key} is not in the artifact store") from exc
    if size != item.bytes or digest.hexdigest() != item.sha256:
        raise InputUnusable(
            f"input {item.key} is not the file the order names: expected {item.bytes} bytes with sha256 "
            f"{item.sha256[:12]}…, found {size} bytes with {digest.hexdigest()[:12]}…"
        )
