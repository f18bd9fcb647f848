"""What can be set on a stand-in server, from the command line or a test."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from workers.comfysim.faults import Fault
from workers.comfysim.versions import NEWEST, VERSIONS, Version

MIB = 1024**2
# A card sold as n GB shows a little less: a 24 GB card 24 564 MiB (RTX 4090), a 8 GB card 8 188 MiB.
MIB_PER_SOLD_GB = 24_564 / 24


@dataclass(frozen=True)
class Knobs:
    """`vram_gb` is the card's size as sold; 0 mimics a server without a GPU. Times are seconds.

    `faults` are armed from the start; `faults_open` lets others be armed over HTTP; `may_crash` says that the
    server has its process to itself.
    """

    base_dir: Path
    vram_gb: float = 24
    seconds_per_step: float = 0.02
    model_load_seconds: float = 0.5
    oom_above_gb: float | None = None
    test_nodes: bool = False
    max_history: int = 10_000
    models: dict[str, list[str]] = field(default_factory=dict)
    comfyui_version: str = NEWEST.name
    faults: tuple[Fault, ...] = ()
    faults_open: bool = False
    may_crash: bool = False

    def __post_init__(self) -> None:
        for name in ("vram_gb", "seconds_per_step", "model_load_seconds"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value}; it must be a finite number of at least 0")
        if self.comfyui_version not in VERSIONS:
            known = " or ".join(VERSIONS)
            raise ValueError(f"comfyui_version is {self.comfyui_version!r}; it must be {known}")

    @property
    def version(self) -> Version:
        return VERSIONS[self.comfyui_version]

    @property
    def vram_bytes(self) -> int:
        return int(self.vram_gb * MIB_PER_SOLD_GB) * MIB

    @property
    def memory_limit_gb(self) -> float:
        """The need in GB above which a prompt runs out of memory; a server without a GPU never does."""
        if self.oom_above_gb is not None:
            return self.oom_above_gb
        return self.vram_gb or math.inf
