"""Recordings of one request and its answer, and of one prompt from its POST to its end."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from tests.integration.comfy.recorded_server import Exchange, Message, Script
from tests.integration.comfy.recorded_stage import Recording, Stage, derived_entry, says
from workers.comfy.stats import read_stats

UNASKED: Final = {
    "/api/jobs": "a list of all jobs; the client asks for its own",
    "/embeddings": "one of the folders in /models",
    "/experiment/models": "where the folders lie on the server's disk",
    "/extensions": "scripts of the web page",
    "/internal/folder_paths": "where the folders lie on the server's disk",
    "/global_subgraphs": "building blocks of the web page",
    "/node_replacements": "for graphs in UI format",
    "/prompt": "the length of the queue, which /queue shows with its ids",
    "/users": "settings of the web page",
    "/view_metadata/checkpoints": "a model's description",
    "/workflow_templates": "examples of the web page",
}
"""What the client never gets, by path, and why."""


def prompt(
    post: Exchange,
    messages: list[Message],
    history: dict[str, Any] | None,
    stage: Stage,
    *,
    hang_s: float = 1e6,
    **script: Any,
) -> str:
    """A recorded POST, its messages and its end."""
    sent = post["request"]["json"] or {}
    prompt_id, before = _prompt_id(sent, post, stage)
    entry = next(iter(history.values())) if history else derived_entry(messages)
    stage.put_on(
        prompt_id=prompt_id,
        answers={"POST /prompt": [post]},
        entry=entry,
        **{"sockets": [messages], **script},
    )
    if post["status"] == 200 and history is None and not messages:
        return before + stage.told(stage.client.submit, sent.get("prompt"), prompt_id)
    return before + stage.told(stage.follow, prompt_id, sent.get("prompt"), hang_s=hang_s)


def _prompt_id(sent: Recording, post: Exchange, stage: Stage) -> tuple[str, str]:
    """The recorded id, or a fresh one where the client would never send that."""
    answered = post["body"].get("prompt_id") if isinstance(post["body"], dict) else None
    asked = sent.get("prompt_id") if isinstance(sent, dict) else None
    if asked is None or (asked == answered and _is_canonical(asked)):
        return str(answered if _is_canonical(answered) else uuid4()), ""
    stage.put_on()
    try:
        stage.client.submit({}, str(asked))
    except ValueError:
        assert stage.server.requests == []
    return str(uuid4()), "never sent; else: "


def _is_canonical(prompt_id: object) -> bool:
    """Tell whether the client itself could have minted this id."""
    try:
        return str(UUID(str(prompt_id))) == prompt_id
    except ValueError:
        return False


Door = Callable[[str, Exchange, Stage], str]


def _submit(path: str, recorded: Exchange, stage: Stage) -> str:
    prompt_id = str(uuid4())
    if isinstance(recorded["body"], dict) and "prompt_id" in recorded["body"]:
        prompt_id = recorded["body"]["prompt_id"]
    stage.put_on(answers={"POST /prompt": [recorded]})
    return stage.told(stage.client.submit, {}, prompt_id)


def _stats(path: str, recorded: Exchange, stage: Stage) -> str:
    stage.put_on(answers={"GET /system_stats": [recorded]})
    stats = read_stats(stage.client.system_stats())
    (device,) = stats.devices
    return f"ComfyUI {stats.system.comfyui_version} renders on {device.type}, index {device.index}"


def queue_told(path: str, recorded: Exchange, stage: Stage) -> str:
    stage.put_on(answers={"GET /queue": [recorded]})
    return queue_words(stage)


def queue_words(stage: Stage) -> str:
    queue = stage.client.queue()
    return f"{len(queue.running)} running, {len(queue.pending)} pending"


def _lookup(path: str, recorded: Exchange, stage: Stage) -> str:
    prompt_id = str(uuid4())
    key = f"GET /api/jobs/{prompt_id}" if path.startswith("/api/jobs") else f"GET /history/{prompt_id}"
    stage.put_on(prompt_id=prompt_id, answers={key: [recorded]})
    return stage.told(stage.client.lookup, prompt_id)


def _models(path: str, recorded: Exchange, stage: Stage) -> str:
    folder = path.removeprefix("/models").strip("/")
    answers = {f"GET {path}": [recorded]}
    names = [folder] if folder else recorded["body"]
    listed = says(names)
    nothing = says([])
    empty = {f"GET /models/{name}": [nothing] for name in names}
    stage.put_on(answers={**empty, "GET /models": [listed], **answers})
    models = stage.client.models()
    return f"{len(models)} folders" if not folder else f"{folder}: {models.get(folder, 'no such folder')}"


def _classes(path: str, recorded: Exchange, stage: Stage) -> str:
    stage.put_on(answers={f"GET {path}": [recorded]})
    found = stage.client.object_info(path.rpartition("/")[2])
    return f"classes: {', '.join(found) or 'none'}"


def _features(path: str, recorded: Exchange, stage: Stage) -> str:
    refused = says("Maximum request body size exceeded.", 413)
    stage.put_on(answers={"GET /features": [recorded], "POST /upload/image": [refused]})
    return stage.told(stage.client.upload, "a.png", io.BytesIO(b""))


def _interrupt(path: str, recorded: Exchange, stage: Stage) -> str:
    """Only a server without ``/api/jobs`` is asked by ``/interrupt``, and while that very prompt runs."""
    prompt_id = str(uuid4())
    running = says({"queue_running": [[0, prompt_id]], "queue_pending": []})
    answers = {"GET /queue": [running], "POST /interrupt": [recorded]}
    stage.server.play(Script(prompt_id=prompt_id, answers=answers, has_jobs=False))
    ended = stage.client.cancel(prompt_id)
    assert "POST /interrupt" in stage.server.requests
    return "ended at once" if ended else "asked to stop, still running"


DOORS: Final[dict[tuple[str, str], Door]] = {
    ("POST", "prompt"): _submit,
    ("GET", "system_stats"): _stats,
    ("GET", "queue"): queue_told,
    ("GET", "history"): _lookup,
    ("GET", "api"): _lookup,
    ("GET", "models"): _models,
    ("GET", "object_info"): _classes,
    ("GET", "features"): _features,
    ("POST", "interrupt"): _interrupt,
}
