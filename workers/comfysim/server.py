"""One stand-in server: its parts put together, and the aiohttp application in front of them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from workers.comfysim import routes_files, routes_info, routes_prompts, routes_simulated
from workers.comfysim.catalogue import DEFAULT_MODELS, Catalogue
from workers.comfysim.events import Hub
from workers.comfysim.executor import Executor
from workers.comfysim.faults import Faults
from workers.comfysim.files import Folders
from workers.comfysim.knobs import Knobs
from workers.comfysim.parts import PARTS, Parts
from workers.comfysim.promptqueue import PromptQueue
from workers.comfysim.vram import ModelPool

MAX_BODY_BYTES = 100 * 1024**2
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def assemble(knobs: Knobs) -> Parts:
    folders = Folders(knobs.base_dir)
    journal = folders.base / "simulated_faults.jsonl"
    faults = Faults(knobs.faults, may_crash=knobs.may_crash, journal=journal)
    answers = knobs.version.recorded()
    known = answers["model_folders"]
    models = knobs.models or {folder: names for folder, names in DEFAULT_MODELS.items() if folder in known}
    catalogue = Catalogue(models, folders, knobs.version, test_nodes=knobs.test_nodes)
    pool = ModelPool(knobs.vram_bytes)
    hub = Hub(answers["features"], lambda: queue.remaining, faults)
    queue = PromptQueue(hub.send_status, knobs.max_history)
    executor = Executor(
        knobs=knobs, faults=faults, folders=folders, catalogue=catalogue, pool=pool, hub=hub, queue=queue
    )
    return Parts(knobs, faults, folders, catalogue, pool, hub, queue, executor, answers)


def create_app(knobs: Knobs) -> web.Application:
    """The whole server as an aiohttp application; its executor thread lives as long as it runs."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[misbehave, refuse_foreign_origin])
    app[PARTS] = assemble(knobs)
    tables = [routes_prompts.routes, routes_info.routes, routes_files.routes]
    if knobs.version.has_jobs:
        tables.append(routes_info.newer_routes)
        app.add_routes(routes_prompts.job_routes)
    for routes in tables:
        app.add_routes(routes)
        app.add_routes(
            [web.route(r.method, f"/api{r.path}", r.handler) for r in routes if isinstance(r, web.RouteDef)]
        )
    app.add_routes(routes_simulated.routes)
    app.router.add_get("/{path:.*}", routes_files.web_page)
    app.cleanup_ctx.append(_work)
    app.on_shutdown.append(_drop_sockets)
    return app


async def _work(app: web.Application) -> AsyncIterator[None]:
    parts = app[PARTS]
    publisher = asyncio.create_task(parts.hub.publish())
    threading.Thread(target=parts.executor.run, name="executor", daemon=True).start()
    yield
    parts.faults.arm()
    parts.executor.interrupt()
    parts.queue.close()
    publisher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await publisher


async def _drop_sockets(app: web.Application) -> None:
    """Before aiohttp waits for whoever is still served: a websocket would be, for ever."""
    app[PARTS].hub.close()


@web.middleware
async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The faults of the HTTP side: a slow answer, a frozen server, a connection cut before or after."""
    if request.path.startswith("/simulated/"):
        return await handler(request)
    faults = request.app[PARTS].faults
    asked = f"{request.method} {request.path.removeprefix('/api')}"
    if slow := faults.act("slow", path=asked):
        await asyncio.sleep(slow.ms / 1000)
    if freeze := faults.act("freeze", path=asked):
        time.sleep(freeze.ms / 1000)  # the event loop stands still, and the websockets with it
    if faults.act("cut", "before", path=asked):
        return _cut(request)
    response = await handler(request)
    return _cut(request) if faults.act("cut", "after", path=asked) else response


def _cut(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()  # goes nowhere


@web.middleware
async def refuse_foreign_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for a page of another site that calls a server on this machine (ComfyUI's own guard)."""
    careful = request.app[PARTS].knobs.version.refuses_cross_site
    if careful and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(status=403)
    origin = request.headers.get("Origin")
    if origin and request.host:
        here, there = urlsplit(f"//{request.host}"), urlsplit(origin)
        foreign = (here.hostname, here.port or 80) != (there.hostname, there.port or 80)
        if here.hostname in _LOOPBACK and foreign:
            return web.Response(status=403)
    return await handler(request)
