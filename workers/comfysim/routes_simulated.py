"""What no real ComfyUI has: the faults of this SIMULATED server, read and armed while it runs.

They are 404 unless the server was started with `--faults` or a `--fault`: nobody tampers with a demo.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from workers.comfysim.faults import KINDS, Fault
from workers.comfysim.parts import PARTS, Parts

routes = web.RouteTableDef()


def _opened(request: web.Request) -> Parts:
    parts = request.app[PARTS]
    if not parts.knobs.faults_open:
        raise web.HTTPNotFound
    return parts


@routes.get("/simulated/faults")
async def acted(request: web.Request) -> web.Response:
    """How often each fault has acted, `{"crash": 0, "hang": 1, …}`."""
    counts = _opened(request).faults.acted()
    return web.json_response({kind: counts.get(kind, 0) for kind in KINDS})


@routes.get("/simulated/knobs")
async def armed(request: web.Request) -> web.Response:
    return web.json_response(_state(_opened(request)))


@routes.post("/simulated/knobs")
async def arm(request: web.Request) -> web.Response:
    """`{"faults": […]}` replaces what is armed, `{"add": […]}` joins it; a 400 names what is wrong."""
    parts = _opened(request)
    try:
        body = await request.json()
        given, keep = _given(body)
        parts.faults.arm(*map(Fault.read, given), keep=keep)
    except ValueError as exc:
        return web.json_response({"error": str(exc)}, status=400)
    return web.json_response(_state(parts))


def _given(body: object) -> tuple[list[Any], bool]:
    if isinstance(body, dict) and len(body) == 1:
        name, given = next(iter(body.items()))
        if name in ("faults", "add") and isinstance(given, list):
            return given, name == "add"
    raise ValueError(f'knobs: body is {body!r}; it must be {{"faults": […]}} or {{"add": […]}}')


def _state(parts: Parts) -> dict[str, Any]:
    return {"simulated": True, "faults": parts.faults.armed()}
