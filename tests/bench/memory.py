"""How much memory a process and its children hold now (Linux)."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")


def held_mb(group: int) -> float:
    """Resident memory in MB (VmRSS) of the living processes of a process group."""
    kilobytes = 0
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[2]) == group:
                kilobytes += _resident_kb(stat.with_name("status").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return kilobytes / 1024


def _resident_kb(status: str) -> int:
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
