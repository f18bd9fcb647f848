"""Remote control, heard while both slots are busy."""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command

from farm.contracts import CONTROL_CANCEL
from workers import station


@control_command(name=CONTROL_CANCEL, args=[("attempt_id", str)], signature="<attempt_id>")
def cancel(_state: Any, attempt_id: str = "") -> dict[str, Any]:
    """Stop an attempt that this node has in hand; elsewhere nothing happens."""
    return {"ok": {"attempt_id": attempt_id, "in_hand": station.current().node.hand.cancel(attempt_id)}}
