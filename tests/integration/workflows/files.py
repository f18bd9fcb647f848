"""Files as people bring them."""

from __future__ import annotations

import copy
import io
import json
import struct
import zlib
from typing import Any

from workflows.load import load


def graph_of(slug: str) -> dict[str, Any]:
    """A shipped graph in API format."""
    return copy.deepcopy(load(slug).graph)


def api_file(graph: Any) -> io.BytesIO:
    """The graph as 'Export (API)' writes it."""
    return io.BytesIO(json.dumps(graph).encode())


def png_of(graph: Any) -> io.BytesIO:
    """A picture that ComfyUI wrote: one grey dot, the graph in a text chunk."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    text = b"prompt\0" + json.dumps(graph).encode()
    parts = [chunk(b"IHDR", head), chunk(b"tEXt", text), chunk(b"IDAT", zlib.compress(b"\0\0"))]
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))


def completed(manifest: dict[str, Any]) -> dict[str, Any]:
    """A drafted manifest with what a person must say about memory."""
    precision = manifest["bindings"]["precision"]["choices"][0]
    row = {
        "precision": precision,
        "max_pixels": 4_000_000,
        "max_frames": 200,
        "gb": 24,
        "evidence": "renders on our card",
        "source": "our studio",
        "source_kind": "secondary",
    }
    return manifest | {"vram": [row]}
