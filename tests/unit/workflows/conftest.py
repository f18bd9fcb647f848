"""A small template, and the catalogue of ComfyUI 0.27: whole, and as a file cut to 64 classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workflows import catalogue

DATA = Path(__file__).parents[2] / "data"
CATALOGUE = DATA / "comfyui" / "object_info_subset.json.gz"
WHOLE = DATA / "workflows" / "object_info-0.27.0.json.gz"


@pytest.fixture(scope="session")
def catalogue_file() -> Path:
    return CATALOGUE


@pytest.fixture(scope="session")
def object_info() -> catalogue.ObjectInfo:
    return catalogue.read(WHOLE)


@pytest.fixture
def graph() -> dict[str, Any]:
    """EmptyImage -> ImageInvert -> SaveImage: the smallest graph with a link, a number and a file."""
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }


@pytest.fixture
def document() -> dict[str, Any]:
    """A manifest that fits the graph."""
    return {
        "manifest": 1,
        "slug": "small",
        "version": 1,
        "title": {"en": "Small", "ko": "작은"},
        "description": {"en": "A small one.", "ko": "작은 것."},
        "kind": "keyframe",
        "produces": "image",
        "bindings": {
            "width": {"type": "int", "min": 16, "max": 512, "targets": [{"node": "1", "input": "width"}]},
            "filename_prefix": {"type": "text", "targets": [{"node": "3", "input": "filename_prefix"}]},
        },
        "defaults": {"width": 64},
        "dim_step": 8,
        "outputs": [{"node": "3", "kind": "image", "role": "primary"}],
        "vram": [],
        "models": [],
        "timeouts": {"execution_s": 60, "hang_s": 30},
    }
