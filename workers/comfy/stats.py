"""``/system_stats`` with its types checked: versions, and the device ComfyUI renders on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from workers.comfy.errors import BadAnswer

Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
Index = Annotated[int, msgspec.Meta(ge=0, le=1024)]


@dataclass(frozen=True, kw_only=True)
class System:
    """Versions, and the machine's RAM in bytes. ``simulated`` is said by the stand-in alone."""

    comfyui_version: str | None = None
    python_version: str | None = None
    pytorch_version: str | None = None
    ram_total: Bytes | None = None
    ram_free: Bytes | None = None
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device. Memory in bytes; of a ``cpu`` device it is the machine's RAM, and its index is null."""

    name: str | None = None
    type: str | None = None
    index: Index | None = None
    vram_total: Bytes | None = None
    vram_free: Bytes | None = None
    torch_vram_total: Bytes | None = None


@dataclass(frozen=True, kw_only=True)
class SystemStats:
    """The answer as far as a node uses it. ComfyUI lists the one device it renders on."""

    system: System
    devices: tuple[Device, ...]

    @property
    def room(self) -> int | None:
        """Bytes of models it can hold at all, on the card and in RAM; None: not told."""
        cards = sum(device.vram_total or 0 for device in self.devices if device.type != "cpu")
        return self.system.ram_total + cards if self.system.ram_total else None


def read_stats(answer: object) -> SystemStats:
    """Read the answer. Raises BadAnswer naming the field that is not what it should be."""
    try:
        return msgspec.convert(answer, SystemStats)
    except msgspec.ValidationError as exc:
        raise BadAnswer(f"ComfyUI's /system_stats makes no sense: {exc}") from exc
