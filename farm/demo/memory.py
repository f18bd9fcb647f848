"""How much memory process groups have held at most, read from /proc (Linux; elsewhere nothing)."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")


def peaks_mb(groups: set[int]) -> dict[int, float]:
    """Add up the peak resident memory (VmHWM, in MB) of the living processes of each group.

    A process that has already ended is not counted: ask often, keep the largest answer.
    """
    totals: dict[int, float] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            group = int(stat.read_text().rpartition(")")[2].split()[2])
            if group in groups:
                totals[group] = totals.get(group, 0.0) + _peak_mb(stat.with_name("status").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return totals


def _peak_mb(status: str) -> float:
    """Read VmHWM (kB) from a status file; a process that is ending has none."""
    kilobytes = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return int(kilobytes) / 1024
