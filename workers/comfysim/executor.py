"""Runs prompts one at a time in a thread of its own, and tells the story as ComfyUI tells it."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from workers.comfysim.catalogue import FILE_INPUTS, Catalogue
from workers.comfysim.events import Hub
from workers.comfysim.faults import Faults
from workers.comfysim.files import Folders, sha256
from workers.comfysim.graph import RunOrder, signatures
from workers.comfysim.knobs import Knobs
from workers.comfysim.noderun import NodeRun
from workers.comfysim.nodes import Shown, node_function
from workers.comfysim.promptqueue import Item, Outcome, PromptQueue
from workers.comfysim.tampering import spoil_files, spoil_inputs
from workers.comfysim.values import plain
from workers.comfysim.vram import OOM_TIPS, ModelPool, OutOfMemoryError

logger = logging.getLogger(__name__)


class PromptInterruptedError(Exception):
    """The running prompt was asked to stop."""


@dataclass(frozen=True)
class Result:
    """What a node returned: its values by slot, and what it showed."""

    values: tuple[Any, ...]
    ui: dict[str, Any] | None


class Executor:
    """The one executor of a server. `run` is the body of its thread."""

    def __init__(
        self,
        *,
        knobs: Knobs,
        faults: Faults,
        folders: Folders,
        catalogue: Catalogue,
        pool: ModelPool,
        hub: Hub,
        queue: PromptQueue,
    ) -> None:
        self.knobs = knobs
        self.faults = faults
        self.folders = folders
        self.catalogue = catalogue
        self.pool = pool
        self.hub = hub
        self.queue = queue
        self.cache: dict[str, Result] = {}
        # Which node runs, by id and class, and which of them does not hear.
        self.node: tuple[str, str] = ("", "")
        self._deaf: tuple[str, str] | None = None
        self._interrupt = threading.Event()

    def interrupt(self) -> None:
        """Stop the running prompt at its next check."""
        node = self.node
        if self.faults.act("ignore-interrupt"):
            return
        if self.faults.act("deaf", node=node[1]):
            self._deaf = node
        self._interrupt.set()

    def check_interrupt(self) -> None:
        if self._interrupt.is_set() and self._deaf != self.node:
            self._interrupt.clear()
            raise PromptInterruptedError

    def run(self) -> None:
        """Work until the queue closes. A node that raises SystemExit ends the thread, as in ComfyUI."""
        while not self.queue.closed:
            if self.queue.wait():
                self.faults.reach("start")
            item = self.queue.next()
            if item is not None:
                outcome = self._execute(item)
                self.faults.reach("history")
                self.queue.finish(item, outcome)
                if item.client_id is not None:
                    self.hub.send("executing", {"node": None, "prompt_id": item.prompt_id}, item.client_id)
            wishes = self.queue.take_wishes()
            if wishes.unload_models or wishes.free_memory:
                self.pool.unload()
            if wishes.free_memory:
                self.cache.clear()

    def _execute(self, item: Item) -> Outcome:
        self._interrupt.clear()
        self._deaf = None
        self.hub.client_id, self.hub.node_id = item.client_id, None
        execution = Execution(self, item)
        try:
            return execution.perform()
        finally:
            self.hub.client_id = self.hub.node_id = None
            self.node = ("", "")

    def fingerprint(self, node: dict[str, Any]) -> str:
        """The bytes of the file a loader reads; nothing for other nodes."""
        file_input = FILE_INPUTS.get(node["class_type"])
        name = node["inputs"].get(file_input) if file_input else None
        path = self.folders.annotated(name) if isinstance(name, str) else None
        return sha256(path) if path and path.is_file() else ""


@dataclass
class Execution:
    """One prompt's run: its messages, its progress table and its outputs."""

    executor: Executor
    item: Item
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    table: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)

    def perform(self) -> Outcome:
        prompt, executor = self.item.prompt, self.executor
        self._record("execution_start", {})
        keys = signatures(prompt, executor.fingerprint)
        # Like ComfyUI's default cache: what the present prompt does not contain is forgotten.
        executor.cache = {key: executor.cache[key] for key in keys.values() if key in executor.cache}
        cached = [node_id for node_id in prompt if keys[node_id] in executor.cache]
        self.results = {node_id: executor.cache[keys[node_id]] for node_id in cached}
        self._record("execution_cached", {"nodes": cached})
        order = RunOrder(prompt, self.item.outputs, is_output=self._is_output, done=cached)
        while (node_id := order.next()) is not None:
            if node_id in self.results:
                self._show_cached(node_id)
            elif failure := self._attempt(node_id):
                self._record(*failure)
                return self._outcome(success=False)
            else:
                executor.cache[keys[node_id]] = self.results[node_id]
            order.finished(node_id)
        self._record("execution_success", {})
        return self._outcome(success=True)

    def _outcome(self, *, success: bool) -> Outcome:
        return Outcome(self.outputs, self.meta, self.messages, success)

    def _is_output(self, node_id: str) -> bool:
        return self.executor.catalogue.is_output(self.item.prompt[node_id]["class_type"])

    def _record(self, event: str, data: dict[str, Any]) -> None:
        """Send an event and keep it for history."""
        full = {"prompt_id": self.item.prompt_id} | data
        if event == "execution_cached":
            full = data | {"prompt_id": self.item.prompt_id}
        full["timestamp"] = int(time.time() * 1000)
        self.messages.append((event, full))
        self.send(event, full)

    def send(self, event: str, data: dict[str, Any]) -> None:
        if self.item.client_id is not None:
            self.executor.hub.send(event, data, self.item.client_id)

    def report(self, node_id: str, state: str, value: float, total: float) -> None:
        """Enter a node's progress in the table and send the whole table."""
        self.table[node_id] = {
            "value": value,
            "max": total,
            "state": state,
            "node_id": node_id,
            "prompt_id": self.item.prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        nodes = {key: dict(row) for key, row in self.table.items()}
        self.send("progress_state", {"prompt_id": self.item.prompt_id, "nodes": nodes})

    def _show_cached(self, node_id: str) -> None:
        # Without a client, newer ComfyUI does not list what a cached output showed before: outputs stay {}.
        if self.item.client_id is not None or not self.executor.knobs.version.hides_cached_outputs:
            self._show(node_id, self.results[node_id].ui)
        self.report(node_id, "finished", 1, 1)

    def _show(self, node_id: str, ui: dict[str, Any] | None) -> None:
        if ui is None:
            return
        self.outputs[node_id] = ui
        self.meta[node_id] = {
            "node_id": node_id,
            "display_node": node_id,
            "parent_node": None,
            "real_node_id": node_id,
        }
        shown = {"node": node_id, "display_node": node_id, "output": ui, "prompt_id": self.item.prompt_id}
        self.send("executed", shown)

    def _attempt(self, node_id: str) -> tuple[str, dict[str, Any]] | None:
        """Run a node; return the event that ends the prompt if it failed or was interrupted."""
        node = self.item.prompt[node_id]
        where = {"node_id": node_id, "node_type": node["class_type"], "executed": self.executed}
        inputs: dict[str, Any] = {}
        try:
            self._run_node(node_id, node, inputs)
        except PromptInterruptedError:
            return "execution_interrupted", where
        except Exception as exc:  # noqa: BLE001  # the edge: whatever a node raises becomes an execution_error
            logger.warning(
                "node failed", extra={"node": node_id, "class": node["class_type"], "error": str(exc)}
            )
            return "execution_error", where | self._failure(exc, inputs)
        return None

    def _run_node(self, node_id: str, node: dict[str, Any], inputs: dict[str, Any]) -> None:
        """Announce, run and record one node."""
        executor, class_type = self.executor, node["class_type"]
        executor.node = (node_id, class_type)
        self.report(node_id, "running", 0.0, 1.0)
        self.executor.hub.node_id = node_id
        self.send("executing", {"node": node_id, "display_node": node_id, "prompt_id": self.item.prompt_id})
        inputs.update({name: self._resolve(value) for name, value in node["inputs"].items()})
        inputs.update(self._hidden(executor.catalogue[class_type]))
        run = NodeRun(self, node_id)
        executor.check_interrupt()
        executor.faults.reach("node", node=class_type)
        if self._is_output(node_id):
            spoil_inputs(executor.faults, class_type, inputs)
        returned = node_function(class_type, executor.catalogue[class_type])(run, inputs)
        shown = returned.ui if isinstance(returned, Shown) else None
        self.results[node_id] = Result(returned.values if isinstance(returned, Shown) else returned, shown)
        self.executed.append(node_id)
        if shown is not None:
            spoil_files(executor.faults, class_type, shown, executor.folders)
            self._show(node_id, shown)
            executor.faults.reach("shown", node=class_type)
        row = self.table[node_id]
        self.report(node_id, "finished", row["max"], row["max"])

    def _hidden(self, info: dict[str, Any]) -> dict[str, Any]:
        """The inputs a class asks of the server itself."""
        known = {"PROMPT": self.item.prompt, "EXTRA_PNGINFO": self.item.extra_data.get("extra_pnginfo")}
        hidden = info["input"].get("hidden", {})
        return {name: known[kind] for name, kind in hidden.items() if isinstance(kind, str) and kind in known}

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2:
            return self.results[str(value[0])].values[value[1]]
        return value

    def _failure(self, exc: Exception, inputs: dict[str, Any]) -> dict[str, Any]:
        tips = ""
        if isinstance(exc, OutOfMemoryError):
            tips = OOM_TIPS
            self.executor.pool.unload()
        kind = type(exc)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        frames = traceback.extract_tb(exc.__traceback__)
        return {
            "exception_message": f"{exc}\n{tips}",
            "exception_type": name,
            "traceback": [
                f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n' for frame in frames
            ],
            "current_inputs": {key: [plain(value)] for key, value in inputs.items()},
            "current_outputs": list(self.item.prompt),
        }
