"""ComfyUI's websocket messages as typed events of one prompt."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import websocket

from workers.comfy.client import ComfyClient
from workers.comfy.errors import Unreachable
from workers.comfy.text import clean_json

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 5.0
CLOSE_TIMEOUT_S: Final = 1
BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
MOST_STEPS: Final = 1e9
PING_AFTER_S: Final = 15.0
"""Silence after which the socket itself is tried; twice that without an answer, and it is opened anew."""


@dataclass(frozen=True)
class Started:
    """The prompt left the queue and executes."""


@dataclass(frozen=True)
class Cached:
    """These nodes are taken from ComfyUI's cache."""

    nodes: tuple[str, ...]


@dataclass(frozen=True)
class NodeProgress:
    """How far one node is. ``display_node`` is the graph's node that a node made at run time belongs to."""

    value: float
    maximum: float
    finished: bool
    display_node: str


@dataclass(frozen=True)
class Nodes:
    """Every node begun so far."""

    nodes: Mapping[str, NodeProgress]


@dataclass(frozen=True)
class Executing:
    """This node is at work."""

    node: str


@dataclass(frozen=True)
class Step:
    """A node's own progress bar. Values may be skipped."""

    node: str
    value: float
    maximum: float


@dataclass(frozen=True)
class Executed:
    """This node is done and has shown its output."""

    node: str


@dataclass(frozen=True)
class Ended:
    """The prompt ended, in success or not. History may trail by some milliseconds and tells which."""


@dataclass(frozen=True)
class Reconnected:
    """The socket was away and is back; what happened meanwhile is not replayed."""


Event = Started | Cached | Nodes | Executing | Step | Executed | Ended | Reconnected

_ENDINGS: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})


def parse_event(message: object, prompt_id: str) -> Event | None:
    """Return the event in a decoded message, or None for other prompts, other kinds and odd shapes.

    The ``executing`` that opens a reconnection carries no prompt id, so it tells nothing for sure.
    """
    if not isinstance(message, dict) or not isinstance(data := message.get("data"), dict):
        return None
    if data.get("prompt_id") != prompt_id:
        return None
    kind = message.get("type")
    if kind in _ENDINGS:
        return Ended()
    return _ongoing(kind, data)


def _ongoing(kind: object, data: dict[str, Any]) -> Event | None:
    node = str(data.get("node") or "")
    event: Event | None = None
    match kind:
        case "execution_start":
            event = Started()
        case "execution_cached" if isinstance(data.get("nodes"), list):
            event = Cached(tuple(str(node) for node in data["nodes"]))
        case "progress_state" if isinstance(nodes := data.get("nodes"), dict):
            entries = {str(name): entry for name, entry in nodes.items() if isinstance(entry, dict)}
            event = Nodes({name: _node_progress(name, entry) for name, entry in entries.items()})
        case "progress" if node:
            event = Step(node, _number(data.get("value")), _number(data.get("max")))
        case "executing" if node:
            event = Executing(node)
        case "executed" if node:
            event = Executed(node)
    return event


def _node_progress(name: str, entry: dict[str, Any]) -> NodeProgress:
    return NodeProgress(
        value=_number(entry.get("value")),
        maximum=_number(entry.get("max")),
        finished=entry.get("state") == "finished",
        display_node=str(entry.get("display_node_id") or name),
    )


def _number(value: object) -> float:
    """Return a count of steps; what is none counts as none done."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= MOST_STEPS else 0.0


class ProgressSocket:
    """The events of one prompt. Open it before the prompt is submitted, so that nothing is missed.

    ::

        with ProgressSocket(client, prompt_id) as socket:
            client.submit(graph, prompt_id)
            finished = follow(client, prompt_id, socket=socket, …)
    """

    def __init__(self, client: ComfyClient, prompt_id: str) -> None:
        parts = urlsplit(client.wire.base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._url = f"{scheme}://{parts.netloc}{parts.path}/ws?clientId={quote(client.client_id, safe='')}"
        self._place = client.wire.place
        self._prompt_id = prompt_id
        self._socket: websocket.WebSocket | None = None
        self._heard = self._tried = time.monotonic()
        self._failures = 0
        self._pinged = False
        self.unbroken = False
        """Whether ComfyUI has been on the line ever since it was opened: so it was not restarted."""

    def __enter__(self) -> Self:
        """Connect. Where that fails it is tried again: a prompt needs no socket, only its progress does."""
        try:
            self._connect()
            self.unbroken = True
        except Unreachable as exc:
            self._failures += 1
            said = {"prompt": self._prompt_id, "error": exc.message}
            logger.warning("no progress without a socket", extra=said)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    @property
    def is_open(self) -> bool:
        """Whether events could be heard now."""
        return self._socket is not None

    def renew(self) -> None:
        """Open the connection anew: ComfyUI speaks to the newest socket of a client id, maybe not to this.

        This one says goodbye first: whichever closes last takes the id's place out of ComfyUI's list.
        """
        if self._socket is not None:
            self._socket.close(timeout=CLOSE_TIMEOUT_S)  # whatever comes of it
        self._drop()
        self._failures = 0
        self._tried = float("-inf")

    def next(self, timeout_s: float) -> Event | None:
        """Return the next event, or None if there is none within ``timeout_s`` seconds.

        A lost connection is opened again with growing pauses (0.2 to 5 s); that may take 5 s longer.
        """
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            if self._socket is None:
                if self._reconnects(left):
                    return Reconnected()
                continue
            message = self._receive(self._socket, left)
            if message is not None and (event := parse_event(message, self._prompt_id)):
                return event
        return None

    def _connect(self) -> None:
        self._tried = time.monotonic()
        try:
            self._socket = websocket.create_connection(
                self._url, timeout=CONNECT_TIMEOUT_S, suppress_origin=True, http_no_proxy=["*"]
            )
        except (OSError, websocket.WebSocketException) as exc:
            raise Unreachable(f"ComfyUI's websocket at {self._place}/ws cannot be opened: {exc}") from exc
        self._heard, self._failures, self._pinged = time.monotonic(), 0, False

    def _reconnects(self, left_s: float) -> bool:
        pause = self._tried + BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)] - time.monotonic()
        if pause > 0:
            time.sleep(min(pause, left_s))
            return False
        try:
            self._connect()
        except Unreachable as exc:
            self._failures += 1
            logger.debug("websocket still away", extra={"prompt": self._prompt_id, "error": exc.message})
            return False
        return True

    def _receive(self, socket: websocket.WebSocket, left_s: float) -> object:
        """Return one decoded text message, or None: nothing came, or a frame that is none of ours."""
        try:
            self._try_a_silent(socket)
            socket.settimeout(left_s)
            opcode, data = socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return None
        except (OSError, websocket.WebSocketException) as exc:
            logger.info("websocket lost", extra={"prompt": self._prompt_id, "error": str(exc)})
            self._lose()
            return None
        self._heard, self._pinged = time.monotonic(), False
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self._lose()
        if opcode != websocket.ABNF.OPCODE_TEXT:
            return None
        try:
            message = clean_json(json.loads(data))
        except (ValueError, RecursionError):
            logger.warning("websocket message is no JSON", extra={"prompt": self._prompt_id})
            return None
        return message

    def _try_a_silent(self, socket: websocket.WebSocket) -> None:
        """A half-open connection is silent for ever, which would look like a hang of ComfyUI."""
        silence = time.monotonic() - self._heard
        if silence > 2 * PING_AFTER_S:
            raise websocket.WebSocketConnectionClosedException("no answer to a ping")
        if silence > PING_AFTER_S and not self._pinged:
            self._pinged = True
            socket.ping()

    def _lose(self) -> None:
        self.unbroken = False
        self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            self._socket = None
