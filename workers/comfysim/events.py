"""The websocket side: one socket per client id, fed in order from any thread."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import struct
from collections.abc import Callable
from typing import Any

from aiohttp import web
from PIL.Image import Image

from workers.comfysim.faults import Faults

logger = logging.getLogger(__name__)

Message = tuple[str | bytes, str | None]
"""(what to send, client id or None for everyone)."""

_PREVIEW_IMAGE = 1
_PREVIEW_IMAGE_WITH_METADATA = 4
_JPEG = 1
_PREVIEW_MAX_PIXELS = 512
_CLOSE_S = 1.0


class Hub:
    """Sends events to the sockets that are open; nothing is kept for those that are not."""

    def __init__(self, features: dict[str, Any], remaining: Callable[[], int], faults: Faults) -> None:
        self._features = features
        self._remaining = remaining
        self._faults = faults
        self._sockets: dict[str, Socket] = {}
        self._client_flags: dict[str, dict[str, Any]] = {}
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Whose prompt runs and at which node: told to that client when it comes back.
        self.client_id: str | None = None
        self.node_id: str | None = None

    async def publish(self) -> None:
        """Deliver messages until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            content, client_id = await self._outbox.get()
            targets = list(self._sockets.values()) if client_id is None else [self._sockets.get(client_id)]
            for socket in targets:
                if socket is not None:
                    await socket.deliver(content)

    def _post(self, message: Message) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._outbox.put_nowait, message)

    def send(self, event: str, data: dict[str, Any], client_id: str | None) -> None:
        """Queue an event for one client, or for all with None. Callable from any thread."""
        self._post((json.dumps({"type": event, "data": data}), client_id))

    def send_status(self) -> None:
        self.send("status", self._status(), None)

    def _status(self) -> dict[str, Any]:
        return {"status": {"exec_info": {"queue_remaining": self._remaining()}}}

    def wants_metadata(self, client_id: str) -> bool:
        return bool(self._client_flags.get(client_id, {}).get("supports_preview_metadata"))

    def send_preview(self, picture: Image, metadata: dict[str, Any], client_id: str) -> None:
        """Queue a JPEG preview, with its JSON header for clients that declared they understand it."""
        small = picture.convert("RGB")
        small.thumbnail((_PREVIEW_MAX_PIXELS, _PREVIEW_MAX_PIXELS))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=90)
        if self.wants_metadata(client_id):
            header = json.dumps(metadata | {"image_type": "image/jpeg"}).encode()
            head = struct.pack(">II", _PREVIEW_IMAGE_WITH_METADATA, len(header)) + header
        else:
            head = struct.pack(">II", _PREVIEW_IMAGE, _JPEG)
        self._post((head + buffer.getvalue(), client_id))

    async def serve(self, request: web.Request, client_id: str) -> web.WebSocketResponse:
        """Hold one client's socket until it closes. A newer socket with the same id takes its place."""
        response = web.WebSocketResponse(timeout=_CLOSE_S)
        await response.prepare(request)
        socket = Socket(response, request, self._faults)
        self._sockets[client_id] = socket
        self._client_flags.pop(client_id, None)
        await socket.deliver(json.dumps({"type": "status", "data": {**self._status(), "sid": client_id}}))
        if client_id == self.client_id and self.node_id is not None:
            await socket.deliver(json.dumps({"type": "executing", "data": {"node": self.node_id}}))
        first = True
        async for message in response:
            if first and message.type is web.WSMsgType.TEXT:
                await self._greet(client_id, socket, message.data)
            first = False
        if self._sockets.get(client_id) is socket:
            del self._sockets[client_id]
        return response

    async def _greet(self, client_id: str, socket: Socket, text: str) -> None:
        try:
            greeting = json.loads(text)
        except ValueError:
            logger.warning("websocket greeting is not JSON", extra={"client_id": client_id})
            return
        if isinstance(greeting, dict) and greeting.get("type") == "feature_flags":
            self._client_flags[client_id] = greeting.get("data") or {}
            await socket.deliver(json.dumps({"type": "feature_flags", "data": self._features}))

    def close(self) -> None:
        """Drop every socket without a word: clients see 1006, as when ComfyUI ends."""
        for socket in self._sockets.values():
            socket.drop()


class Socket:
    """One open websocket, and what befalls it."""

    def __init__(self, response: web.WebSocketResponse, request: web.Request, faults: Faults) -> None:
        self._response = response
        self._request = request
        self._faults = faults
        self._sent = 0
        self._silent = False

    def drop(self) -> None:
        if self._request.transport:
            self._request.transport.abort()

    async def deliver(self, content: str | bytes) -> None:
        """Send a message, unless the socket fell silent or is dropped now."""
        if self._silent:
            return
        if self._faults.act("socket-silent", seen=self._sent):
            self._silent = True
            return
        if self._faults.act("socket-drop", seen=self._sent):
            self.drop()
            return
        self._sent += 1
        try:
            if isinstance(content, str):
                await self._response.send_str(content)
            else:
                await self._response.send_bytes(content)
        except (ConnectionError, RuntimeError) as exc:
            logger.info("websocket is gone", extra={"reason": str(exc)})
