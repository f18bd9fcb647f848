"""One simulated GPU: what it holds of models, and how long a render takes on it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from farm.contracts import GpuFact, Source
from tests.farmsim.models import Model

MIB_PER_GB = 1024


@dataclass
class Gpu:
    """A card of ``gb`` GB. Models stay until others need their room, least recently used first."""

    gb: int
    resident: OrderedDict[str, float] = field(default_factory=OrderedDict)
    loads: int = 0

    def holds(self, model: Model) -> bool:
        """Whether this model would not have to be loaded."""
        return model.file in self.resident

    def too_small_for(self, model: Model) -> bool:
        """Whether a render of this model runs out of memory here, whatever the order says."""
        return model.peak_gb > self.gb

    def load(self, model: Model) -> bool:
        """Make a model resident; return whether it had to be loaded."""
        if model.file in self.resident:
            self.resident.move_to_end(model.file)
            return False
        while self.resident and sum(self.resident.values()) + model.weights_gb > self.gb:
            self.resident.popitem(last=False)
        self.resident[model.file] = model.weights_gb
        self.loads += 1
        return True

    def forget(self) -> None:
        """ComfyUI was restarted, or unloaded everything."""
        self.resident.clear()

    def fact(self, name: str) -> GpuFact:
        """What a report says of it."""
        total = self.gb * MIB_PER_GB
        used = int(sum(self.resident.values()) * MIB_PER_GB)
        return GpuFact(
            index=0,
            name=f"Simulated {self.gb} GB",
            uuid=f"SIM-{name}",
            source=Source.SIMULATED,
            total_mib=total,
            free_mib=max(total - used, 0),
        )
