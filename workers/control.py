"""Remote control, heard while both slots are busy."""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command

from farm.contracts import CONTROL_CANCEL, CONTROL_UNSTAGE
from workers import station


@control_command(name=CONTROL_CANCEL, args=[("attempt_id", str)], signature="<attempt_id>")
def cancel(_state: Any, attempt_id: str = "") -> dict[str, Any]:
    """Stop an attempt that this node has in hand; elsewhere nothing happens."""
    return {"ok": {"attempt_id": attempt_id, "in_hand": station.current().node.hand.cancel(attempt_id)}}


@control_command(name=CONTROL_UNSTAGE, args=[("attempt_id", str)], signature="<attempt_id>")
def unstage(_state: Any, attempt_id: str = "") -> dict[str, Any]:
    """Give an attempt up that waits here, for urgent work; one that executes goes on."""
    return {"ok": {"attempt_id": attempt_id, "waits": station.current().node.hand.unstage(attempt_id)}}
