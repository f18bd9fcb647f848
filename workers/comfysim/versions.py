"""The ComfyUI versions the stand-in speaks, and what differs between them: each a fact of the recordings."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Version:
    """One recorded version. The defaults are those of the newest."""

    name: str
    os_name: str = "linux"
    has_jobs: bool = True
    """/api/jobs, /node_replacements and /global_subgraphs are there; else 404, and 405 for a POST."""
    checks_prompt_ids: bool = True
    """A prompt id must be a canonical UUID; else it may be anything, and becomes text."""
    names_missing_nodes: bool = True
    """An unknown class is a `missing_node_type` with its names; else an `invalid_prompt` in one sentence."""
    tells_cycles: bool = True
    """A loop is told per node; else the prompt is refused without any node's error."""
    refuses_cross_site: bool = True
    stamps_prompts: bool = True
    """A prompt's `extra_data` holds its `create_time`."""
    hides_cached_outputs: bool = True
    """What a cached output showed before is listed only for a prompt with a client id."""
    skips_progress: bool = True
    """Progress that follows within 0.1 s is not sent."""
    ends_on_sigint: bool = True
    """Ctrl-C ends the server; else it works on through its queue and must be terminated."""
    audio_ending: str = ""
    """What stands between the number and the extension of a sound file."""

    def recorded(self) -> dict[str, Any]:
        """Answers of the real server that never change: extensions, model folders, feature flags."""
        return _read(f"recorded-{self.name}.json")

    def classes(self) -> dict[str, Any]:
        """`/object_info` of the real server, its lists of models empty."""
        return _read(f"object_info-{self.name}.json.gz")


@cache
def _read(name: str) -> dict[str, Any]:
    """A recorded file; whoever asks gets the same object and must not change it."""
    content = (_DATA / name).read_bytes()
    recorded: dict[str, Any] = json.loads(gzip.decompress(content) if name.endswith(".gz") else content)
    return recorded


NEWEST = Version("0.27.0")
OLD = Version(
    "0.3.64",
    os_name="posix",
    has_jobs=False,
    checks_prompt_ids=False,
    names_missing_nodes=False,
    tells_cycles=False,
    refuses_cross_site=False,
    stamps_prompts=False,
    hides_cached_outputs=False,
    skips_progress=False,
    ends_on_sigint=False,
    audio_ending="_",
)
VERSIONS = {version.name: version for version in (NEWEST, OLD)}
