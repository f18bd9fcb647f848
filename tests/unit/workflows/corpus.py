"""The workflows of ComfyUI's template package, what its client made of them, and its catalogue; read once."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

from workflows import catalogue
from workflows.convert import to_api
from workflows.finding import Found, find
from workflows.graph import Graph

DATA = Path(__file__).parents[2] / "data"
CATALOGUE_027 = DATA / "workflows" / "object_info-0.27.0.json.gz"


@cache
def templates() -> dict[str, dict[str, Any]]:
    """461 workflows in UI format by name. Shared: copy one before changing it."""
    return _read("comfyui_templates")


@cache
def converted() -> dict[str, dict[str, Any]]:
    """All 461 as ComfyUI's client 1.45.20 wrote them in API format, without titles."""
    return _read("converted_by_comfyui")


@cache
def changed() -> dict[str, dict[str, Any]]:
    """Templates changed by lot, by what was changed: ``document``, and ``converted`` by the client."""
    return _read("changed_templates")


@cache
def object_info() -> catalogue.ObjectInfo:
    """All 802 classes of ComfyUI 0.27."""
    return catalogue.read(CATALOGUE_027)


@cache
def graphs() -> dict[str, Graph]:
    """All 461 in API format, by this library. Shared: copy one before changing it."""
    return {name: to_api(document, object_info()) for name, document in templates().items()}


@cache
def searched() -> dict[str, Found]:
    """What is found in each of :func:`graphs`."""
    return {name: find(graph, object_info()) for name, graph in graphs().items()}


def _read(name: str) -> dict[str, dict[str, Any]]:
    packed = (DATA / "workflows" / f"{name}.json.xz").read_bytes()
    documents: dict[str, dict[str, Any]] = json.loads(lzma.decompress(packed))
    return documents
