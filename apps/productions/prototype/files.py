"""The pictures and videos that the prototype keeps of a shot: those it names, those in its folders."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from apps.productions.prototype.people import find_file
from apps.productions.prototype.reading import Document, Prototype
from apps.productions.prototype.report import About

NAMED: Final = ("generated_image_path", "generated_video_path")
TASKS: Final = ("previz", "layout", "playblast", "render", "comp", "final")
"""The folders of a shot in which versions stand: scenes/SCENE/shots/SHOT/TASK/v001/…"""
SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".mp4", ".mov", ".webm", ".mkv", ".avi"}
)
MOST_FILES: Final = 200_000


@dataclass(frozen=True)
class ShotFile:
    """A file of a shot, by the shot's codes here; ``task``: the folder it stands in, "" if it was named."""

    sequence: str
    shot: str
    path: Path
    task: str
    workflow: str
    about: About


class ShotFiles:
    """What stands in the folders of all shots, looked up once."""

    def __init__(self, found: Prototype) -> None:
        self._found = found
        self._by_shot: dict[str, list[tuple[str, Path]]] = defaultdict(list)
        for shot, task, path in _standing(found.folder) if found.folder else ():
            self._by_shot[_key(shot)].append((task, path))

    def of(
        self, record: Document, *, sequence: str, shot: str, about: About, again: bool
    ) -> Iterator[ShotFile]:
        """Find a shot's files, each once. What is named and not there is told, but not ``again``."""
        workflow = str(record.get("workflow_type") or "")[:40]
        standing = {path: task for task, path in self._by_shot.get(_key(str(record.get("id"))), ())}
        for name in NAMED:
            if not record.get(name):
                continue
            path, why = find_file(self._found, record[name])
            if path is not None:
                standing.setdefault(path, "")
            elif not again:
                about.dropped(name, record[name], f"no take is made of it: {why}")
        for path, task in sorted(standing.items(), key=lambda one: str(one[0])):
            yield ShotFile(sequence, shot, path, task, workflow, about)


def _standing(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Shot, task and path of every picture and video in shots' folders; none by a link that leads out."""
    top = folder.resolve()
    count = 0
    for place in sorted(top.glob("scenes/*/shots/*/*")):
        if place.name not in TASKS or not place.resolve().is_relative_to(top):
            continue
        for inside, folders, names in os.walk(place):
            folders.sort()
            for name in sorted(names):
                path = Path(inside, name)
                if path.suffix.casefold() not in SUFFIXES or not path.resolve().is_relative_to(top):
                    continue
                count += 1
                if count > MOST_FILES:
                    return
                yield place.parent.name, place.name, path.resolve()


def _key(shot: str) -> str:
    """Folders are named SHT_00010 where the shot is SHT-00010."""
    return shot.replace("_", "-").casefold()
