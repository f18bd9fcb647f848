"""The files a finished prompt lists. Nothing of it is believed as a path until checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from workers.comfy.errors import UnsafePath

_KINDS: Final = {
    "image": {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".exr", ".avif"},
    "video": {".mp4", ".webm", ".mov", ".mkv", ".avi", ".m4v", ".gif"},
    "audio": {".flac", ".mp3", ".opus", ".ogg", ".wav", ".m4a"},
    "latent": {".latent"},
}
_FOLDER_TYPES: Final = frozenset({"output", "temp", "input"})
_DRIVE: Final = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True, kw_only=True)
class OutputFile:
    """One file that a node lists. ``folder`` is ComfyUI's ``output`` or ``temp``.

    ``listed_under`` is the node's output list: ``images`` also for videos, so ``kind`` ("image",
    "video", "audio", "latent" or "other") comes from the extension, and from the node's ``animated`` flag.
    """

    node_id: str
    listed_under: str
    filename: str
    subfolder: str
    folder: str
    kind: str


def output_files(outputs: object, *, temp: bool = False) -> tuple[OutputFile, ...]:
    """Return the files in a history entry's ``outputs``, in node and list order.

    Only what was saved counts; previews (type ``temp``) come with ``temp=True``. Raises UnsafePath.
    """
    wanted = {"output", "temp"} if temp else {"output"}
    return tuple(file for file in _listed(outputs) if file.folder in wanted)


def safe_name(name: object, *, field: str) -> str:
    """Return ``name`` if it is a plain file name. Raises UnsafePath naming the field."""
    if not isinstance(name, str) or not name or name in {".", ".."} or re.search(r"[/\\\0]", name):
        raise UnsafePath(f"{field} is {name!r}; expected a plain file name")
    if _DRIVE.match(name):
        raise UnsafePath(f"{field} is {name!r}; expected a file name without a drive")
    return name


def safe_subfolder(subfolder: object, *, field: str) -> str:
    """Return ``subfolder`` with ``/`` if it stays inside ComfyUI's folder. Raises UnsafePath."""
    if not isinstance(subfolder, str) or "\0" in subfolder:
        raise UnsafePath(f"{field} is {subfolder!r}; expected a folder name")
    plain = subfolder.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain) or ".." in PurePosixPath(plain).parts:
        raise UnsafePath(f"{field} is {subfolder!r}; expected a folder inside ComfyUI's own")
    return plain


def _listed(outputs: object) -> Iterator[OutputFile]:
    if not isinstance(outputs, dict):
        return
    for node_id, lists in outputs.items():
        if not isinstance(lists, dict):
            continue
        animated = bool(lists.get("animated")) and any(_as_list(lists["animated"]))
        for key, entries in lists.items():
            for entry in _as_list(entries):
                if isinstance(entry, dict) and "filename" in entry:
                    yield _output_file(str(node_id), str(key), entry, animated=animated)


def _output_file(node_id: str, key: str, entry: dict[str, Any], *, animated: bool) -> OutputFile:
    field = f"outputs.{node_id}.{key}"
    filename = safe_name(entry["filename"], field=f"{field}.filename")
    folder = entry.get("type", "output")
    if folder not in _FOLDER_TYPES:
        raise UnsafePath(f"{field}.type is {folder!r}; expected one of {sorted(_FOLDER_TYPES)}")
    return OutputFile(
        node_id=node_id,
        listed_under=key,
        filename=filename,
        subfolder=safe_subfolder(entry.get("subfolder", ""), field=f"{field}.subfolder"),
        folder=folder,
        kind=_kind(filename, animated=animated),
    )


def _kind(filename: str, *, animated: bool) -> str:
    suffix = PurePosixPath(filename).suffix.lower()
    kind = next((kind for kind, suffixes in _KINDS.items() if suffix in suffixes), "other")
    return "video" if kind == "image" and animated else kind


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
