"""A server that says what one recording of a real ComfyUI says, so that the client itself can hear it.

Recorded answers are given word for word. Between them stands what every ComfyUI does: a submitted prompt
runs until the last recorded message is out, then history has it; a restarted one knows nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSCloseCode, web

Exchange = dict[str, Any]
Message = dict[str, Any]

CUT: Final[Exchange] = {"cut": True}
"""In place of a recorded answer: the connection ends without one."""

TERMINAL: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})
_START_S: Final = 20
_DROPS: Final = 1006


@dataclass(kw_only=True)
class Script:
    """What is said.

    ``answers``: recorded exchanges by "METHOD /path", in order, the last one for ever. ``sockets``: the
    messages of each connection; the last connection's end is the prompt's end, after which ``entry`` is
    its history, ``trails_s`` later. ``has_jobs``: whether ``/api/jobs`` exists.
    """

    prompt_id: str = ""
    answers: dict[str, list[Exchange]] = field(default_factory=dict)
    sockets: list[list[Message]] = field(default_factory=list)
    entry: dict[str, Any] | None = None
    has_jobs: bool = True
    ends: bool = True
    restarts: bool = False
    trails_s: float = 0.002
    stall_s: float = 0.0


class RecordedComfy:
    """One server for many scripts: ``play(script)`` puts the next one on."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._ready = threading.Event()
        self.port = 0
        self.heard: set[str] = set()
        self._submitted = asyncio.Event()
        self.play(Script())
        self._thread = threading.Thread(target=self._run, name="recorded-comfy", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise TimeoutError(f"the recorded server did not start within {_START_S} s")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def play(self, script: Script) -> None:
        """Forget everything and follow another script."""
        waited_for, self._submitted = self._submitted, asyncio.Event()
        self._loop.call_soon_threadsafe(waited_for.set)
        self.script = script
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self._told = asyncio.Event()
        self.connections = 0
        self._ended = False

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(_START_S)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_get("/ws", self._socket)
        app.router.add_route("*", "/{path:.*}", self._http)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    async def _http(self, request: web.Request) -> web.Response:
        name = f"{request.method} {request.path}"
        body = await request.read()
        self.heard.add(name)
        self.requests.append(name)
        self.bodies.append(body)
        await asyncio.sleep(self.script.stall_s)
        recorded = self._recorded(name)
        if recorded is None:
            return self._usual(request)
        if recorded is CUT:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if name == "POST /prompt" and recorded["status"] == 200:
            self._submitted.set()
        return _response(recorded)

    def _recorded(self, name: str) -> Exchange | None:
        answers = self.script.answers.get(name)
        if not answers:
            return None
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _usual(self, request: web.Request) -> web.Response:
        """What a ComfyUI of either version says of the script's prompt."""
        script = self.script
        runs = self._submitted.is_set() and not self._ended
        of_prompt = request.path.endswith(script.prompt_id)
        if request.path.startswith("/api/jobs/"):
            if not script.has_jobs:
                status = 404 if request.method == "GET" else 405
                return web.Response(status=status, content_type="application/octet-stream")
            if request.method == "POST":
                return web.json_response({"cancelled": True})
            job = self._job(runs=runs) if of_prompt else None
            return web.json_response(job or {"error": "Job not found"}, status=200 if job else 404)
        if request.path == "/queue" and request.method == "GET":
            item = [0, script.prompt_id, {}, {}, []]
            return web.json_response({"queue_running": [item] if runs else [], "queue_pending": []})
        if request.path.startswith("/history/"):
            known = self._ended and of_prompt and script.entry is not None
            if known:
                self._told.set()
            return web.json_response({script.prompt_id: script.entry} if known else {})
        return web.Response(status=200 if request.method == "POST" else 404)

    def _job(self, *, runs: bool) -> dict[str, Any] | None:
        """As ``queue_ops`` has recorded it."""
        job: dict[str, Any] = {"id": self.script.prompt_id}
        if runs:
            return {**job, "status": "in_progress"}
        if not self._ended or (entry := self.script.entry) is None:
            return None
        self._told.set()
        done = "completed" if entry["status"]["status_str"] == "success" else "failed"
        return {**job, "status": done, "outputs": entry["outputs"], "execution_status": entry["status"]}

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        script, turn = self.script, self.connections
        self.connections += 1
        last = turn >= len(script.sockets) - 1
        messages = script.sockets[min(turn, len(script.sockets) - 1)] if script.sockets else []
        greeted = turn == 0 and bool(messages) and "sid" in str(messages[0])
        if greeted:
            await self._say(socket, messages[0])
        await self._submitted.wait()
        for message in messages[greeted:] if script is self.script else ():
            if message.get("closed") == _DROPS:
                await self._die(socket)
            elif "closed" not in message:
                await self._say(socket, message)
            elif not last:
                await socket.close()
        if last and script.ends and self._submitted.is_set():
            await asyncio.sleep(script.trails_s)
            self._ended = script is self.script
        async for _ in socket:
            pass
        return socket

    async def _say(self, socket: web.WebSocketResponse, message: Message) -> None:
        text = message.get("text")
        if text is None:
            await socket.send_bytes(_binary(message["binary"]))
            return
        await socket.send_json(text)
        self._ended = self._ended or (self.script.restarts and text["type"] in TERMINAL)

    async def _die(self, socket: web.WebSocketResponse) -> None:
        """Go down and come up knowing nothing; what had ended before was there to be asked for."""
        if self._ended:
            await self._told.wait()
        self._submitted, self._ended = asyncio.Event(), False
        await socket.close(code=WSCloseCode.GOING_AWAY)


def _response(recorded: Exchange) -> web.Response:
    body = recorded["body"]
    content_type = recorded["headers"].get("Content-Type", "application/octet-stream").partition(";")[0]
    if not isinstance(body, str):
        return web.json_response(body, status=recorded["status"])
    return web.Response(status=recorded["status"], body=body.encode(), content_type=content_type)


def _binary(recorded: dict[str, Any]) -> bytes:
    """A preview of the recorded kind; its picture is not in the recording."""
    kind: int = recorded.get("event_type", 1)
    return kind.to_bytes(4, "big") + (2).to_bytes(4, "big") + b"\x89PNG"


@contextmanager
def recorded_comfy() -> Iterator[RecordedComfy]:
    server = RecordedComfy()
    try:
        yield server
    finally:
        server.stop()
