"""What the person at the keyboard asks of the demo, by environment variables."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from farm.demo.errors import DemoError
from farm.demo.processes import ROOT

SIZES_GB: Final = (8, 24)
"""The stand-in cards: one that cannot hold the video model, one that can."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """``DEMO_EXIT=1``: start from an empty folder, stop when rendering is done. ``COMFYUI_URL``: use this
    real server. ``REDIS_URL``: use this broker. ``DEMO_VAR``: the folder (var/demo).
    """

    leave: bool
    folder: Path
    comfyui_url: str
    redis_url: str = field(repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read them. Raises DemoError naming the variable and what to set."""
        leave = environ.get("DEMO_EXIT", "") or "0"
        if leave not in {"0", "1"}:
            raise DemoError(f"DEMO_EXIT is {leave!r}; set it to 1 or leave it unset.")
        redis_url = environ.get("REDIS_URL", "")
        if redis_url and urlsplit(redis_url).scheme not in {"redis", "rediss"}:
            raise DemoError(
                "REDIS_URL must begin with redis:// or rediss://, such as redis://:password@host:6379/0."
            )
        return cls(
            leave=leave == "1",
            folder=Path(environ.get("DEMO_VAR") or ROOT / "var" / "demo"),
            comfyui_url=environ.get("COMFYUI_URL", "").rstrip("/"),
            redis_url=redis_url,
        )


def check_comfyui(url: str) -> bool:
    """Make sure that a ComfyUI answers; return whether it says that it is a stand-in.

    Raises DemoError naming COMFYUI_URL, its value and what is wrong.
    """
    remedy = "Start ComfyUI, or set COMFYUI_URL to its address, such as http://127.0.0.1:8188."
    if urlsplit(url).scheme not in {"http", "https"}:
        raise DemoError(f"COMFYUI_URL is {url!r}, which is no http:// address. {remedy}")
    try:
        with urllib.request.urlopen(f"{url}/system_stats", timeout=10) as answer:  # noqa: S310 - scheme checked
            facts = json.load(answer)
    except (OSError, ValueError) as exc:  # URLError is an OSError, bad JSON a ValueError
        raise DemoError(f"COMFYUI_URL is {url!r}, but no ComfyUI answers there: {exc}. {remedy}") from exc
    if not isinstance(facts, dict) or not isinstance(facts.get("system"), dict):
        raise DemoError(f"COMFYUI_URL is {url!r}, but what answers there is not ComfyUI. {remedy}")
    return facts["system"].get("simulated") is True
