"""What a node sees of the server while it runs, and what the client hears of its progress."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PIL.Image import Image

from workers.comfysim.files import Folders
from workers.comfysim.knobs import Knobs
from workers.comfysim.vram import ModelPool

if TYPE_CHECKING:
    from workers.comfysim.executor import Execution

_PROGRESS_INTERVAL_S = 0.1  # newer ComfyUI skips progress messages that follow closer
_NO_PREVIEWS = (None, "none", "default")


class NodeRun:
    """What a running node sees of the server (`nodes.registry.Run`)."""

    def __init__(self, execution: Execution, node_id: str) -> None:
        executor, item = execution.executor, execution.item
        self.folders: Folders = executor.folders
        self.knobs: Knobs = executor.knobs
        self.pool: ModelPool = executor.pool
        self.prompt: dict[str, Any] = item.prompt
        self.extra_data: dict[str, Any] = item.extra_data
        self.secrets: Mapping[str, str] = item.secrets
        self.wants_preview: bool = (
            item.client_id is not None and item.extra_data.get("preview_method") not in _NO_PREVIEWS
        )
        self._execution = execution
        self._node_id = node_id
        self._last_sent = 0.0

    def progress(self, value: int, total: int, preview: Image | None = None) -> None:
        executor = self._execution.executor
        executor.check_interrupt()
        executor.faults.reach("step", node=executor.node[1])
        now = time.monotonic()
        early = executor.knobs.version.skips_progress and now - self._last_sent < _PROGRESS_INTERVAL_S
        if preview is None and value < total and early:
            return
        self._last_sent = now
        execution, prompt_id = self._execution, self._execution.item.prompt_id
        execution.report(self._node_id, "running", value, total)
        message = {"value": value, "max": total, "prompt_id": prompt_id, "node": self._node_id}
        client_id = execution.item.client_id
        if preview is None or client_id is None:
            execution.send("progress", message)
            return
        hub = executor.hub
        row = execution.table[self._node_id]
        metadata = {
            key: row[key]
            for key in ("node_id", "prompt_id", "display_node_id", "parent_node_id", "real_node_id")
        }
        # Recorded: with metadata the picture comes before the number, without it after.
        if hub.wants_metadata(client_id):
            hub.send_preview(preview, metadata, client_id)
            execution.send("progress", message)
        else:
            execution.send("progress", message)
            hub.send_preview(preview, metadata, client_id)
