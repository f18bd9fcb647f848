"""Outputs spoilt on purpose: other pictures than asked for, or files that are not what was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL.Image import Image

from workers.comfysim.faults import Faults
from workers.comfysim.files import Folders
from workers.comfysim.values import Video


def spoil_inputs(faults: Faults, class_type: str, inputs: dict[str, Any]) -> None:
    """Give an output node one picture too few (of a single one: too many), or pictures of half the size."""
    if faults.act("wrong-frames", node=class_type):
        _change(inputs, lambda pictures: pictures[:-1] if len(pictures) > 1 else pictures * 2)
    if faults.act("wrong-size", node=class_type):
        _change(inputs, lambda pictures: [_halved(picture) for picture in pictures])


def _change(inputs: dict[str, Any], change: Any) -> None:
    for name, value in inputs.items():
        if isinstance(value, Video):
            inputs[name] = replace(value, pictures=tuple(change(list(value.pictures))))
        elif isinstance(value, list) and value and isinstance(value[0], Image):
            inputs[name] = change(value)


def _halved(picture: Image) -> Image:
    width, height = (max(2, side // 4 * 2) for side in picture.size)  # video needs even sides
    return picture.resize((width, height))


def spoil_files(faults: Faults, class_type: str, ui: dict[str, Any], folders: Folders) -> None:
    """Flip the bytes of the middle, cut off the second half, or delete what the node lists."""
    for kind, spoil in (("corrupt", _corrupt), ("truncate", _truncate), ("delete", Path.unlink)):
        if faults.act(kind, node=class_type):
            for path in _files(ui, folders):
                spoil(path)


def _files(ui: dict[str, Any], folders: Folders) -> list[Path]:
    return [
        folders.inside(entry["type"], entry["subfolder"], entry["filename"])
        for entries in ui.values()
        for entry in entries
        if isinstance(entry, dict)
    ]


def _corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    quarter = len(content) // 4
    content[quarter : 3 * quarter] = bytes(byte ^ 0xFF for byte in content[quarter : 3 * quarter])
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
