"""The cards of this machine as NVIDIA's driver measures them, through pynvml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import pynvml

MIB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card. Memory in MiB, temperature in °C, utilisation in percent; None is unknown.

    ``processes`` holds the MiB of each process on the card, None inside where the driver does not say.
    """

    index: int
    name: str
    uuid: str
    total_mib: int
    free_mib: int
    processes: tuple[int | None, ...] | None
    utilisation: int | None
    temperature_c: int | None
    driver: str


@dataclass(frozen=True)
class Cards:
    """All cards that could be read, and in words why others could not."""

    found: tuple[Card, ...]
    problem: str = ""


def read_cards(nvml: ModuleType | Any = pynvml) -> Cards:
    """Measure every card. A machine without driver or card gives none, with the reason; never raises."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return Cards((), f"NVML: {error}")
    try:
        driver = str(nvml.nvmlSystemGetDriverVersion())
        count = int(nvml.nvmlDeviceGetCount())
        found, problems = [], []
        for index in range(count):
            try:
                found.append(_card(nvml, index, driver))
            except nvml.NVMLError as error:
                problems.append(f"NVML card {index}: {error}")
        return Cards(tuple(found), "; ".join(problems))
    except nvml.NVMLError as error:
        return Cards((), f"NVML: {error}")
    finally:
        _optional(nvml, nvml.nvmlShutdown)


def _card(nvml: Any, index: int, driver: str) -> Card:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    utilisation = _optional(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    processes = _optional(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    graphics = _optional(nvml, lambda: nvml.nvmlDeviceGetGraphicsRunningProcesses(handle))
    return Card(
        index=index,
        name=str(nvml.nvmlDeviceGetName(handle)),
        uuid=str(nvml.nvmlDeviceGetUUID(handle)),
        total_mib=int(memory.total) // MIB,
        free_mib=int(memory.free) // MIB,
        processes=_memory_by_process(processes, graphics),
        utilisation=None if utilisation is None else int(utilisation),
        temperature_c=_optional(
            nvml, lambda: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        ),
        driver=driver,
    )


def _memory_by_process(compute: Any, graphics: Any) -> tuple[int | None, ...] | None:
    if compute is None:
        return None
    by_pid = {process.pid: process.usedGpuMemory for process in [*(graphics or []), *compute]}
    return tuple(None if used is None else int(used) // MIB for used in by_pid.values())


def _optional(nvml: Any, ask: Callable[[], Any]) -> Any:
    """Ask for something not every card or driver can tell; None where it cannot."""
    try:
        return ask()
    except nvml.NVMLError:
        return None
