"""Recordings of real ComfyUI servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Recording = Callable[..., dict[str, Any]]
_FOLDER = Path(__file__).parents[2] / "data" / "comfyui"


@pytest.fixture
def recording() -> Recording:
    """Read one recorded exchange by name."""

    def read(name: str, version: str = "v0.27.0") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((_FOLDER / version / f"{name}.json").read_text())
        return found

    return read
