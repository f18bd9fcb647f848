"""Which GPU this node renders on, how much memory it has, and so which tier it serves.

ComfyUI says which device it uses; NVML measures it. A card of this machine counts as measured only if
ComfyUI runs here and its device has that card's name and size. Otherwise the facts are ComfyUI's own,
labelled so. Nothing is invented: where neither speaks, the tier is unknown and the node takes no GPU jobs.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from farm.contracts import GpuFact, Source
from farm.tiers import NO_VRAM, tier_of_memory, tiers_served
from workers.comfy.stats import Device, SystemStats
from workers.comfy.text import NAME_LIMIT, beginning
from workers.nvml import MIB, Card, Cards

SIZE_TOLERANCE: Final = 0.04
"""CUDA reports 1–2 % less than NVML: a 4090 has 24 564 MiB by NVML and 24 217 MiB by CUDA."""

CUDA_CONTEXT_MIB: Final = 1536
"""What a PyTorch process holds beside its own reservation: context, kernels, cuBLAS workspaces."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was found. ``tier_gb`` None: unknown. ``reason`` says why a tier is unknown, zero or lowered.

    ``forbidden``: a stand-in where none is allowed; it serves nothing, not even what needs no memory.
    """

    tier_gb: int | None
    gpus: tuple[GpuFact, ...] = ()
    simulated: bool = False
    forbidden: bool = False
    reason: str = ""

    @property
    def serves(self) -> tuple[int, ...]:
        """The tiers whose queues this node reads, largest first."""
        return () if self.forbidden else tiers_served(self.tier_gb)

    @property
    def label(self) -> str:
        """Name the GPU for a report; empty where there is none."""
        return self.gpus[0].name if self.gpus else ""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where ComfyUI stands and what the operator said about this machine's GPUs.

    ``gpu`` is an index or UUID, ``visible`` is CUDA_VISIBLE_DEVICES; empty means nothing was said.
    """

    comfyui_url: str
    gpu: str = ""
    visible: str = ""
    allow_simulated: bool = False

    @property
    def address(self) -> str:
        """ComfyUI's host, port and path, the same by whichever name this machine calls itself."""
        parts = urlsplit(self.comfyui_url)
        host = socket.gethostname() if is_here(self.comfyui_url) else parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return beginning(f"{host}:{port}{parts.path.rstrip('/')}", NAME_LIMIT)


def read_gpu(stats: SystemStats | None, cards: Cards, site: Site) -> Reading:
    """Join ComfyUI's ``/system_stats`` (None: it does not answer) with the measured cards."""
    if stats is None:
        return _without_comfyui(cards, site)
    simulated = stats.system.simulated
    if not stats.devices:
        return Reading(tier_gb=None, simulated=simulated, reason="ComfyUI names no device")
    device = stats.devices[0]  # ComfyUI renders on one device and lists that one
    if simulated and not site.allow_simulated:
        return Reading(
            tier_gb=None,
            gpus=(_device_fact(device, Source.SIMULATED),),
            simulated=True,
            forbidden=True,
            reason="ComfyUI is a stand-in without GPU; set SHOTFARM_SIMULATED=1 to let it serve",
        )
    if device.type == "cpu":
        # vram_total of a cpu device is the machine's RAM.
        return Reading(tier_gb=NO_VRAM, simulated=simulated, reason="ComfyUI renders on the CPU: no VRAM")
    return _simulated(device) if simulated else _real(device, cards, site)


def _real(device: Device, cards: Cards, site: Site) -> Reading:
    if not is_here(site.comfyui_url):
        return _told(device, "ComfyUI runs on another host, so this machine's NVML says nothing of its GPU")
    alike = [card for card in _selected(cards.found, site) if _is(card, device)]
    if len(alike) != 1:
        return _told(device, _why_not_measured(alike, cards))
    return _measured(alike[0], device)


def _without_comfyui(cards: Cards, site: Site) -> Reading:
    mine = _selected(cards.found, site) if is_here(site.comfyui_url) else ()
    if len(mine) != 1:
        return Reading(tier_gb=None, reason=cards.problem or "GPU unknown while ComfyUI does not answer")
    return Reading(tier_gb=tier_of_memory(mine[0].total_mib), gpus=(_fact(mine[0], foreign=None),))


def _measured(card: Card, device: Device) -> Reading:
    foreign = _foreign_mib(card, device)
    full = tier_of_memory(card.total_mib)
    tier = tier_of_memory(card.total_mib - (foreign or 0))
    reason = f"tier {full} lowered to {tier}: other processes hold {foreign} MiB" if tier < full else ""
    if not reason and tier == NO_VRAM:
        reason = f"{card.total_mib} MiB is below the smallest tier"
    return Reading(tier_gb=tier, gpus=(_fact(card, foreign=foreign),), reason=reason)


def _foreign_mib(card: Card, device: Device) -> int | None:
    """Memory of processes that are not ComfyUI; None if they cannot be told apart for certain.

    ComfyUI's process holds what PyTorch reserved plus its CUDA context. If not exactly one process
    looks so, or the driver hides a process's memory (containers, Windows), nothing is claimed.
    """
    held = card.processes
    if not held or None in held:
        return None
    reserved = (device.torch_vram_total or 0) // MIB
    sizes = [size for size in held if size is not None]
    comfyui = [size for size in sizes if reserved <= size <= reserved + CUDA_CONTEXT_MIB]
    return sum(sizes) - comfyui[0] if len(comfyui) == 1 else None


def _told(device: Device, reason: str) -> Reading:
    fact = _device_fact(device, Source.COMFYUI)
    if fact.total_mib is None:
        return Reading(
            tier_gb=None, gpus=(_device_fact(device, Source.UNKNOWN),), reason="ComfyUI gives no VRAM size"
        )
    return Reading(tier_gb=tier_of_memory(fact.total_mib), gpus=(fact,), reason=reason)


def _simulated(device: Device) -> Reading:
    fact = _device_fact(device, Source.SIMULATED)
    tier = tier_of_memory(fact.total_mib) if fact.total_mib is not None else None
    return Reading(tier_gb=tier, gpus=(fact,), simulated=True)


def _fact(card: Card, *, foreign: int | None) -> GpuFact:
    return GpuFact(
        index=card.index,
        name=card.name,
        uuid=card.uuid,
        source=Source.NVML,
        total_mib=card.total_mib,
        free_mib=card.free_mib,
        foreign_mib=foreign,
        utilisation=card.utilisation,
        temperature_c=card.temperature_c,
        driver=card.driver,
    )


def _device_fact(device: Device, source: Source) -> GpuFact:
    return GpuFact(
        index=device.index or 0,
        name=_device_name(device),
        uuid="",
        source=source,
        total_mib=_mib(device.vram_total),
        free_mib=_mib(device.vram_free),
    )


def _mib(size: int | None) -> int | None:
    return size // MIB if size else None


def _device_name(device: Device) -> str:
    """Turn ``cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync`` into the card's own name."""
    name = beginning(device.name or "", NAME_LIMIT)
    first, _, rest = name.partition(" ")
    return (rest if ":" in first else name).rpartition(" : ")[0] or rest or name


def _is(card: Card, device: Device) -> bool:
    told = _mib(device.vram_total)
    if told is None or card.name != _device_name(device):
        return False
    return abs(card.total_mib - told) <= card.total_mib * SIZE_TOLERANCE


def _selected(cards: tuple[Card, ...], site: Site) -> tuple[Card, ...]:
    """Keep the cards the operator pointed at: SHOTFARM_GPU, else CUDA_VISIBLE_DEVICES, else all."""
    wanted = [name.strip() for name in (site.gpu or site.visible).split(",") if name.strip()]
    return tuple(card for card in cards if not wanted or any(_is_called(card, name) for name in wanted))


def _is_called(card: Card, name: str) -> bool:
    return card.index == int(name) if name.isdecimal() else card.uuid.startswith(name)


def _why_not_measured(alike: list[Card], cards: Cards) -> str:
    if len(alike) > 1:
        return f"{len(alike)} GPUs look alike; set SHOTFARM_GPU to the index or UUID that ComfyUI uses"
    return cards.problem or "NVML knows no card like the one ComfyUI names"


def is_here(url: str) -> bool:
    """Tell whether ComfyUI's host is this machine, by address; names are not looked up in the net."""
    host = urlsplit(url).hostname or ""
    if host in ("localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
