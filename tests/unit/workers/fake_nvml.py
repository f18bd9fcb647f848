"""NVIDIA's library without a card."""
# ruff: noqa: N802 - the fake has pynvml's names

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

MIB = 1024 * 1024
RTX_4090 = 24_564


class NVMLError(Exception):
    """What pynvml raises."""


class FakeNvml:
    """pynvml as far as the node uses it. ``broken`` names functions that fail.

    A card's ``used`` is what it says at each look, the last one for ever.
    """

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *cards: dict[str, Any], broken: tuple[str, ...] = ()) -> None:
        self._cards = cards
        self._broken = broken

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml") and name in object.__getattribute__(self, "_broken"):
            return self._fail
        return object.__getattribute__(self, name)

    def _fail(self, *_: object) -> None:
        raise NVMLError("Not Supported")

    def nvmlInit(self) -> None: ...

    def nvmlShutdown(self) -> None: ...

    def nvmlSystemGetDriverVersion(self) -> str:
        return "570.86.10"

    def nvmlDeviceGetCount(self) -> int:
        return len(self._cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:
        return self._cards[index]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> dict[str, Any]:
        return next(card for card in self._cards if card["uuid"] == uuid)

    def nvmlDeviceGetName(self, card: dict[str, Any]) -> str:
        return str(card["name"])

    def nvmlDeviceGetUUID(self, card: dict[str, Any]) -> str:
        return str(card["uuid"])

    def nvmlDeviceGetMemoryInfo(self, card: dict[str, Any]) -> Any:
        used = card.get("used", [0])
        now = used.pop(0) if len(used) > 1 else used[0]
        free = card.get("free", card["total"])
        return SimpleNamespace(total=card["total"] * MIB, free=free * MIB, used=now * MIB)

    def nvmlDeviceGetUtilizationRates(self, _card: dict[str, Any]) -> Any:
        return SimpleNamespace(gpu=37, memory=5)

    def nvmlDeviceGetTemperature(self, _card: dict[str, Any], _sensor: int) -> int:
        return 61

    def nvmlDeviceGetComputeRunningProcesses(self, card: dict[str, Any]) -> list[Any]:
        return [
            SimpleNamespace(pid=100 + i, usedGpuMemory=None if used is None else used * MIB)
            for i, used in enumerate(card.get("held", ()))
        ]

    def nvmlDeviceGetGraphicsRunningProcesses(self, _card: dict[str, Any]) -> list[Any]:
        return []


def rtx_4090(uuid: str = "GPU-aaaa", **more: Any) -> dict[str, Any]:
    return {"name": "NVIDIA GeForce RTX 4090", "uuid": uuid, "total": RTX_4090, **more}
