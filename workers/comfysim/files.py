"""The server's folders: input/, output/ and temp/ under one base, and the checks on names in them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

KINDS = ("input", "output", "temp")
_MODEL_SUFFIXES = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".bin", ".pth", ".pkl"})


class OutsideFolderError(ValueError):
    """A name leads out of the folder it was given for."""


class Folders:
    def __init__(self, base: Path) -> None:
        self.base = base.resolve()
        for kind in KINDS:
            (self.base / kind).mkdir(parents=True, exist_ok=True)

    def root(self, kind: str) -> Path:
        """The folder of `kind`; ValueError if there is no such kind."""
        if kind not in KINDS:
            raise ValueError(f"type is {kind!r}; it must be one of {', '.join(KINDS)}")
        return self.base / kind

    def inside(self, kind: str, *parts: str) -> Path:
        """`parts` under the folder of `kind`; raises OutsideFolderError if they lead out of it."""
        root = self.root(kind)
        path = root.joinpath(*parts).resolve()
        if not path.is_relative_to(root):
            raise OutsideFolderError(f"{'/'.join(parts)} is outside {root}")
        return path

    def annotated(self, name: str, *, default: str = "input") -> Path:
        """The file that `name` or `name [output]` means, as LoadImage writes it."""
        plain, kind = split_annotation(name)
        return self.inside(kind or default, plain)

    def inputs(self) -> list[str]:
        """The file names offered by LoadImage: those directly in input/, sorted."""
        return sorted(path.name for path in self.root("input").iterdir() if path.is_file())

    def packs(self) -> dict[str, Any]:
        """The classes of custom nodes: custom_nodes/NAME.json holds what /object_info says of each."""
        found: dict[str, Any] = {}
        for file in sorted((self.base / "custom_nodes").glob("*.json")):
            for name, info in json.loads(file.read_text(encoding="utf-8")).items():
                found[name] = {"python_module": f"custom_nodes.{file.stem}"} | info
        return found

    def model_root(self, folder: str) -> Path:
        return self.base / "models" / folder

    def models(self, folder: str) -> list[str]:
        """The names of the model files somebody put into models/`folder`, in subfolders too."""
        root = self.model_root(folder)
        files = root.rglob("*") if root.is_dir() else ()
        return [path.relative_to(root).as_posix() for path in files if path.suffix in _MODEL_SUFFIXES]


def split_annotation(name: str) -> tuple[str, str | None]:
    """`a.png [output]` -> (`a.png`, `output`); without an annotation the kind is None."""
    for kind in KINDS:
        if name.endswith(f" [{kind}]"):
            return name.removesuffix(f" [{kind}]"), kind
        if name.endswith(f"[{kind}]"):
            return name.removesuffix(f"[{kind}]"), kind
    return name, None


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class SaveNames:
    """The names of one node's output files: `subfolder/prefix_00001_.png` and on."""

    def __init__(self, folders: Folders, kind: str, prefix: str, *, width: int, height: int) -> None:
        root = folders.root(kind)
        subfolder, _, self.stem = _fill(prefix, width=width, height=height).rpartition("/")
        self.kind = kind
        full = (root / subfolder).resolve()
        if not full.is_relative_to(root):
            raise _refused(full, root)
        self.subfolder = "" if full == root else full.relative_to(root).as_posix()
        self.folder = full
        self.folder.mkdir(parents=True, exist_ok=True)
        self._counter = self._highest() + 1

    def _highest(self) -> int:
        pattern = re.compile(re.escape(self.stem) + r"_(\d+)(?=[_.])", re.IGNORECASE)
        matches = (pattern.match(path.name) for path in self.folder.iterdir())
        return max((int(match.group(1)) for match in matches if match), default=0)

    def next(self, extension: str, *, ending: str = "_") -> Path:
        path = self.folder / f"{self.stem}_{self._counter:05}{ending}.{extension}"
        self._counter += 1
        return path

    def entry(self, path: Path) -> dict[str, str]:
        """How history lists a saved file."""
        return {"filename": path.name, "subfolder": self.subfolder, "type": self.kind}


def _fill(prefix: str, *, width: int, height: int) -> str:
    now = time.localtime()
    fills = {
        "%width%": str(width),
        "%height%": str(height),
        "%year%": str(now.tm_year),
        "%month%": f"{now.tm_mon:02}",
        "%day%": f"{now.tm_mday:02}",
        "%hour%": f"{now.tm_hour:02}",
        "%minute%": f"{now.tm_min:02}",
        "%second%": f"{now.tm_sec:02}",
    }
    for mark, text in fills.items():
        prefix = prefix.replace(mark, text)
    return prefix


def _refused(full: Path, root: Path) -> Exception:
    shared = os.path.commonpath((full, root))
    message = (
        "**** ERROR: Saving image outside the output folder is not allowed.\n"
        f" full_output_folder: {full}\n         output_dir: {root}\n         commonpath: {shared}"
    )
    return Exception(message)  # ComfyUI raises the bare class, and clients see its name
