"""Submit, follow, cancel: /prompt, /queue, /history, /interrupt, /free, /ws and /api/jobs."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

from aiohttp import web

from workers.comfysim import jobs
from workers.comfysim.parts import PARTS, Parts, body_of, trouble
from workers.comfysim.validation import error, is_canonical_id, validate
from workers.comfysim.versions import Version

routes = web.RouteTableDef()
job_routes = web.RouteTableDef()

_ID_RULE = (
    "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
    "omit it to let the server generate one"
)


def _refused(reason: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": reason, "node_errors": node_errors or {}}, status=400)


@routes.get("/prompt")
async def open_prompts(request: web.Request) -> web.Response:
    return web.json_response({"exec_info": {"queue_remaining": request.app[PARTS].queue.remaining}})


@routes.post("/prompt")
async def submit(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    body = await body_of(request)
    number = _number(body, parts)
    if "prompt" not in body:
        return _refused(error("no_prompt", "No prompt provided", "No prompt provided"))
    version = parts.knobs.version
    prompt_id = _prompt_id(body, version)
    if version.checks_prompt_ids and not is_canonical_id(prompt_id):
        return _refused(error("invalid_prompt_id", "prompt_id must be a valid UUID", _ID_RULE))
    try:
        targets = body.get("partial_execution_targets")
        verdict = validate(body["prompt"], parts.catalogue, parts.folders, targets)
    except (TypeError, ValueError, AttributeError, KeyError) as exc:
        raise trouble() from exc
    if verdict.error:
        return _refused(verdict.error, verdict.node_errors)
    extra_data = _extra_data(body, version)
    secrets: dict[str, str] = {name: str(extra_data.pop(name)) for name in SECRET if name in extra_data}
    item = parts.queue.put(
        prompt_id,
        body["prompt"],
        extra_data,
        verdict.outputs,
        number,
        secrets,
    )
    parts.faults.reach("submit")
    answer = {"prompt_id": prompt_id, "number": item.number, "node_errors": verdict.node_errors}
    return web.json_response(answer)


SECRET: Final = ("auth_token_comfy_org", "api_key_comfy_org")
"""Of what comes beside a prompt, what ComfyUI 0.27 keeps to itself."""


def _number(body: Any, parts: Parts) -> float:
    if "number" not in body:
        return parts.queue.take_number(front="front" in body and bool(body["front"]))
    try:
        return float(body["number"])
    except (TypeError, ValueError) as exc:
        raise trouble() from exc


def _prompt_id(body: dict[str, Any], version: Version) -> Any:
    if version.checks_prompt_ids:
        return body.get("prompt_id") or str(uuid.uuid4())
    return str(body["prompt_id"] if "prompt_id" in body else uuid.uuid4())


def _extra_data(body: dict[str, Any], version: Version) -> dict[str, Any]:
    extra_data = dict(body.get("extra_data") or {})
    if "client_id" in body:
        extra_data["client_id"] = body["client_id"]
    if version.stamps_prompts:
        extra_data["create_time"] = int(time.time() * 1000)
    return extra_data


@routes.get("/queue")
async def queue(request: web.Request) -> web.Response:
    running, pending = request.app[PARTS].queue.open_items()
    lists = {
        "queue_running": [item.as_list() for item in running],
        "queue_pending": [item.as_list() for item in pending],
    }
    return web.json_response(lists)


@routes.post("/queue")
async def change_queue(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    body = await body_of(request)
    if body.get("clear"):
        parts.queue.drop_pending(None)
    for prompt_id in body.get("delete", ()):
        parts.queue.drop_pending({prompt_id})
    return web.Response()


@routes.get("/history")
async def history(request: web.Request) -> web.Response:
    try:
        max_items = int(request.query["max_items"]) if "max_items" in request.query else None
        offset = int(request.query["offset"]) if "offset" in request.query else -1
    except ValueError as exc:
        raise trouble() from exc
    return web.json_response(request.app[PARTS].queue.history_page(max_items=max_items, offset=offset))


@routes.get("/history/{prompt_id}")
async def history_entry(request: web.Request) -> web.Response:
    """200 with {} for whatever is not in history: unknown, waiting, running or deleted."""
    prompt_id = request.match_info["prompt_id"]
    entry = request.app[PARTS].queue.history_entry(prompt_id)
    return web.json_response({} if entry is None else {prompt_id: entry})


@routes.post("/history")
async def change_history(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    body = await body_of(request)
    if body.get("clear"):
        parts.queue.forget(None)
    parts.queue.forget(body.get("delete", ()))
    return web.Response()


@routes.post("/interrupt")
async def interrupt(request: web.Request) -> web.Response:
    """Always 200. With a prompt id only that prompt, if it runs; without one whatever runs."""
    parts = request.app[PARTS]
    try:
        body = await request.json()
    except ValueError:
        body = {}
    prompt_id = body.get("prompt_id") if isinstance(body, dict) else None
    if prompt_id is None or _runs(parts, prompt_id):
        parts.executor.interrupt()
    return web.Response()


def _runs(parts: Parts, prompt_id: str) -> bool:
    return any(item.prompt_id == prompt_id for item in parts.queue.open_items()[0])


@routes.post("/free")
async def free(request: web.Request) -> web.Response:
    body = await body_of(request)
    request.app[PARTS].queue.wish(
        unload_models=bool(body.get("unload_models")), free_memory=bool(body.get("free_memory"))
    )
    return web.Response()


@routes.get("/ws")
async def websocket(request: web.Request) -> web.WebSocketResponse:
    client_id = request.query.get("clientId") or uuid.uuid4().hex
    if request.app[PARTS].faults.act("socket-refuse"):
        raise web.HTTPServiceUnavailable
    return await request.app[PARTS].hub.serve(request, client_id)


@job_routes.get("/api/jobs")
async def list_jobs(request: web.Request) -> web.Response:
    query = request.query
    try:
        answer = jobs.page(
            request.app[PARTS].queue,
            statuses=jobs.wanted_statuses(query.get("status")),
            limit=jobs.number_from("limit", query.get("limit"), least=1),
            offset=jobs.number_from("offset", query.get("offset"), least=0) or 0,
            ascending=query.get("sort_order", "desc").lower() == "asc",
        )
    except jobs.BadQueryError as exc:
        return web.json_response({"error": str(exc)}, status=400)
    return web.json_response(answer)


@job_routes.get("/api/jobs/{prompt_id}")
async def one_job(request: web.Request) -> web.Response:
    job = jobs.detail(request.app[PARTS].queue, request.match_info["prompt_id"])
    if job is None:
        return web.json_response({"error": "Job not found"}, status=404)
    return web.json_response(job)


@job_routes.post("/api/jobs/cancel")
async def cancel_jobs(request: web.Request) -> web.Response:
    """`cancelled` is true if any of the jobs was open."""
    body = await body_of(request)
    prompt_ids = body.get("job_ids") or []
    invalid = [prompt_id for prompt_id in prompt_ids if not is_canonical_id(prompt_id)]
    if invalid:
        refusal = {"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}
        return web.json_response(refusal, status=400)
    cancelled = [_cancel(request.app[PARTS], prompt_id) for prompt_id in prompt_ids]
    return web.json_response({"cancelled": any(cancelled)})


@job_routes.post("/api/jobs/{prompt_id}/cancel")
async def cancel_job(request: web.Request) -> web.Response:
    cancelled = _cancel(request.app[PARTS], request.match_info["prompt_id"])
    return web.json_response({"cancelled": cancelled})


def _cancel(parts: Parts, prompt_id: str) -> bool:
    if parts.queue.drop_pending({prompt_id}):
        return True
    if _runs(parts, prompt_id):
        parts.executor.interrupt()
        return True
    return False
