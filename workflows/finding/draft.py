"""A manifest document from what was found, for a person to complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.catalogue import ObjectInfo
from workflows.finding.found import Found
from workflows.graph import Graph


def draft_manifest(
    graph: Graph,
    object_info: ObjectInfo,
    found: Found,
    *,
    slug: str,
    title: Mapping[str, str],
    kind: str | None = None,
) -> dict[str, Any]:
    """Return a manifest document (version 1) that :func:`workflows.parse.parse` reads.

    ``title`` has the keys ``en`` and ``ko``. ``kind`` None: keyframe or clip, by the primary output.
    Defaults are the graph's own values, limits those of the catalogue. Nobody can know from a graph how
    much VRAM it needs: the one row per precision is an open question (``gb`` 0 and the word OPEN in its
    evidence), see :func:`open_questions`.
    """
    return {}


def open_questions(document: Mapping[str, Any]) -> list[str]:
    """Return what a person must still fill in before the manifest can be used, a sentence each."""
    return []
