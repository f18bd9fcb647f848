"""The most memory that was used on the card while a prompt executed. It is shown and never decides: ComfyUI
fills a card with models it merely keeps, so a peak says little of what a render needs.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from types import ModuleType
from typing import Any, Final, Self

import pynvml

from farm.contracts import Source
from workers.gpu import Reading
from workers.nvml import MIB

EVERY_S: Final = 0.5


class PeakMeter:
    """Measures one card from ``begin`` to the end of its ``with`` block, in a thread: a driver may stall.

    ``peak_mib`` is None where no card is measured by NVML, or the driver fails.
    """

    def __init__(self, reading: Reading, nvml: ModuleType | Any = pynvml) -> None:
        card = reading.gpus[0] if reading.gpus else None
        self._uuid = card.uuid if card is not None and card.source is Source.NVML else ""
        self._nvml = nvml
        self._over = Event()
        self._thread: Thread | None = None
        self.peak_mib: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def begin(self) -> None:
        """The prompt executes now."""
        if self._uuid and self._thread is None:
            self._thread = Thread(target=self._measure, name="peak", daemon=True)
            self._thread.start()

    def _measure(self) -> None:
        nvml = self._nvml
        try:
            nvml.nvmlInit()
        except nvml.NVMLError:
            return
        try:
            handle = nvml.nvmlDeviceGetHandleByUUID(self._uuid)
            while not self._over.is_set():
                used = int(nvml.nvmlDeviceGetMemoryInfo(handle).used) // MIB
                self.peak_mib = max(self.peak_mib or 0, used)
                self._over.wait(EVERY_S)
        except nvml.NVMLError:
            return
        finally:
            with suppress(nvml.NVMLError):  # the driver left with the card: nothing to shut down
                nvml.nvmlShutdown()
