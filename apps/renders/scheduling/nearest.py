"""The names a node has that are nearest to those it lacks. Remembered by what nodes told last."""

from __future__ import annotations

from collections.abc import Iterable

from apps.nodes.models import Node
from apps.renders.scheduling.fit import MOST_REMEMBERED, with_lists
from workflows.nearest import nearest_classes, nearest_files

_nearest: dict[tuple[str, str], tuple[str, ...]] = {}


def nearest_there(node: Node, names: Iterable[str]) -> tuple[str, ...]:
    """Name what this node has nearest to each of these (``folder/file``, or a node class), the best one each.

    Where nothing is alike, nothing is named.
    """
    best = [nearest(node, name)[:1] for name in names]
    return tuple(dict.fromkeys(name for found in best for name in found))


def nearest(node: Node, name: str) -> tuple[str, ...]:
    """Return up to three names like this one, most alike first; files as ``folder/file``."""
    key = (node.capabilities_of, name)
    known = _nearest.get(key)
    if known is None:
        known = _found(with_lists(node), name)
        if len(_nearest) >= MOST_REMEMBERED:
            _nearest.clear()
        if node.capabilities_of:
            _nearest[key] = known
    return known


def _found(node: Node, name: str) -> tuple[str, ...]:
    folder, slash, file = name.partition("/")
    if not slash:
        return nearest_classes(name, node.classes)
    folder_of = {one: own for own, files in node.models_by_folder.items() for one in files if own != folder}
    same = node.models_by_folder.get(folder, ())
    return tuple(
        f"{folder if one in same else folder_of[one]}/{one}" for one in nearest_files(file, same, folder_of)
    )
