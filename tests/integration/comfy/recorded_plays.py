"""Each recording, heard through the client's own doors, and what came of it in words.

A play returns one line per thing the client learnt, such as
``OutOfMemory (OutOfMemoryError at #2 RecRaise) → out_of_memory``, and others below it for what it holds.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.integration.comfy.recorded_exchanges import DOORS, UNASKED, prompt, queue_told, queue_words
from tests.integration.comfy.recorded_server import CUT, Message, Script
from tests.integration.comfy.recorded_stage import (
    Recording,
    Stage,
    accepts,
    derived_entry,
    error_words,
    file_words,
    says,
)
from workers.comfy.client import ComfyClient
from workers.comfy.errors import UnsafePath
from workers.comfy.outputs import OutputFile, output_files
from workers.comfy.progress import parse_event
from workers.comfysim.versions import VERSIONS


def play(name: str, recorded: Recording, stage: Stage) -> list[str]:
    """Play one recording. What the client never asks for tells it nothing; KeyError for what is new."""
    return [line for told in _told(name, recorded, stage) for line in told.splitlines()]


def _told(name: str, recorded: Recording, stage: Stage) -> list[str]:
    if name in _OWN_WAY:
        return _OWN_WAY[name](recorded, stage)
    if "post" in recorded:
        return [prompt(recorded["post"], recorded.get("ws", []), recorded.get("history"), stage)]
    if "request" in recorded:
        path = urlsplit(recorded["request"]["path"]).path
        if not path.startswith("/api/jobs"):
            path = path.removeprefix("/api")
        method = recorded["request"]["method"]
        if method == "POST" or path not in UNASKED:
            return [DOORS[method, path.split("/")[1]](path, recorded, stage)]
    return []


def _cached_and_deleted(recorded: Recording, stage: Stage) -> list[str]:
    prompt_id, entry = next(iter(recorded["second"].items()))
    told = [f"second: {_lookup_entry(prompt_id, entry, stage)}"]
    for file in output_files(entry["outputs"]):
        stage.put_on(answers={"GET /view": [recorded["view"]]})
        told.append(stage.told(_read, stage.client, file))
    return told


def _cached_by_client(recorded: Recording, stage: Stage) -> list[str]:
    def entry(said: Recording) -> Recording:
        return {"outputs": said["outputs"], "status": {"status_str": said["status"]}}

    return [f"{who}: {_lookup_entry(str(uuid4()), entry(said), stage)}" for who, said in recorded.items()]


def _doubled(recorded: Recording, stage: Stage) -> list[str]:
    """The first answer is lost; only where the queue is the lookup it shows that the prompt is there."""
    prompt_id = recorded["first"]["body"]["prompt_id"]
    answers = {"POST /prompt": [CUT, recorded["second_while_running"]], "GET /queue": [recorded["queue"]]}
    stage.put_on(prompt_id="nobody", answers=answers)
    told = [stage.told(stage.client.submit, {}, prompt_id)]
    posts = stage.server.requests.count("POST /prompt")
    deletes = [body for body in stage.server.bodies if b"delete" in body]
    told.append(f"{posts} posts, {len(deletes)} taken back")
    for when in ("history_after_first", "history_after_second", "history_after_third"):
        entry = recorded[when]["body"][prompt_id]
        told.append(f"{when}: {_lookup_entry(prompt_id, entry, stage)}")
    return told


def _free(recorded: Recording, stage: Stage) -> list[str]:
    told = []
    for how, exchange in recorded.items():
        stage.put_on(answers={"POST /free": [exchange]})
        told.append(f"{how}: {stage.told(stage.client.free)}")
    return told


def _stalled(recorded: Recording, stage: Stage) -> list[str]:
    longest = max(stall["stall_ms"] for stall in recorded["http_stalls_over_30ms"])
    stage.put_on(stall_s=longest / 1000)
    return [f"a stall of {longest} ms is waited out: {queue_words(stage)}"]


def _evicted(recorded: Recording, stage: Stage) -> list[str]:
    """Which of the prompts history still has."""
    found = []
    for turn, prompt_id in enumerate(recorded["ids"]):
        kept = {"outputs": {}, "status": {"status_str": "success"}}
        stage.put_on(prompt_id=prompt_id)
        if turn in recorded["left"]:
            found.append(_lookup_entry(prompt_id, kept, stage))
        else:
            found.append(stage.told(stage.client.lookup, prompt_id))
    return [f"{turn}: {words}" for turn, words in enumerate(found)]


def _history_ops(recorded: Recording, stage: Stage) -> list[str]:
    told = [_lookup_entry(i, entry, stage) for i, entry in recorded["max2"]["body"].items()]
    for what in ("bad", "after_delete"):
        prompt_id = str(uuid4())
        stage.server.play(Script(answers={f"GET /history/{prompt_id}": [recorded[what]]}, has_jobs=False))
        told.append(f"{what}: {stage.told(stage.client.lookup, prompt_id)}")
    return told


def _signals(recorded: Recording, stage: Stage) -> list[str]:
    told = []
    for name in ("SIGTERM", "SIGINT", "SIGKILL"):
        tail = recorded[name]["ws_tail"]
        prompt_id = next(i for m in tail if (i := m.get("text", {}).get("data", {}).get("prompt_id")))
        stage.put_on(
            prompt_id=prompt_id,
            answers={"POST /prompt": [accepts(prompt_id)]},
            sockets=[tail, []],
            entry=derived_entry(tail),
            restarts=True,
        )
        told.append(f"{name}: {stage.told(stage.follow, prompt_id, {})}")
    return told


def _catalogue(recorded: Recording, stage: Stage) -> list[str]:
    """The whole catalogue, which the stand-in keeps, has what the summary says of it."""
    (classes,) = [told for v in VERSIONS.values() if len(told := v.classes()) == recorded["count"]]
    stage.put_on(answers={"GET /object_info": [says(classes)]})
    found = stage.client.object_info()
    assert sorted(found) == sorted(recorded["nodes"])
    outputs = [name for name, about in found.items() if about["output_node"]]
    assert sorted(outputs) == sorted(recorded["output_nodes"])
    return [f"{len(found)} classes, {len(outputs)} of them save or show"]


def _queue_ops(recorded: Recording, stage: Stage) -> list[str]:
    told = []
    for what in ("queue_running_pending", "queue_after_delete", "queue_after_clear", "queue_end"):
        told.append(f"{what}: {queue_told('', recorded[what], stage)}")
    running, *waiting = recorded["ids"]
    lookups = {
        "job_running": (running, "queue_running_pending", "history_of_running"),
        "job_pending": (waiting[0], "queue_running_pending", "history_of_pending"),
        "job_cancelled_running": (running, "queue_end", "history_cancelled_running"),
    }
    for what, (prompt_id, queue, history) in lookups.items():
        _ops(recorded, stage, prompt_id, job=what, queue=queue, history=history)
        told.append(f"{what}: {stage.told(stage.client.lookup, prompt_id)}")
    unknown = recorded["job_cancel_unknown"]["request"]["path"].split("/")[3]
    cancels = {
        "job_cancel_pending": (waiting[1], "queue_after_clear", "history_of_deleted"),
        "job_cancel_running": (running, "queue_after_clear", "history_of_running"),
        "job_cancel_unknown": (unknown, "queue_after_clear", "history_of_deleted"),
    }
    for what, (prompt_id, queue, history) in cancels.items():
        _ops(recorded, stage, prompt_id, cancel=what, queue=queue, history=history)
        asked = stage.client.cancel(prompt_id)
        how = [name for name in stage.server.requests if name.startswith("POST")]
        how = [name.replace(prompt_id, "ID") for name in how]
        told.append(f"{what}: {'gone' if asked else 'still there'} after {', '.join(how)}")
    return told


def _ops(recorded: Recording, stage: Stage, prompt_id: str, **parts: str) -> None:
    """Say the recorded answers about one prompt of ``queue_ops``."""
    answers = {
        "GET /queue": [recorded[parts["queue"]]],
        f"GET /history/{prompt_id}": [says(recorded[parts["history"]]["body"])],
    }
    if stage.has_jobs and "job" in parts:
        answers[f"GET /api/jobs/{prompt_id}"] = [recorded[parts["job"]]]
    if stage.has_jobs and "cancel" in parts:
        answers[f"POST /api/jobs/{prompt_id}/cancel"] = [recorded[parts["cancel"]]]
        job = "job_running" if parts["cancel"] == "job_cancel_running" else ""
        gone = says({"error": "Job not found"}, 404)
        answers[f"GET /api/jobs/{prompt_id}"] = [recorded[job] if job else gone]
    stage.put_on(prompt_id=prompt_id, answers=answers)


def _timing(recorded: Recording, stage: Stage) -> list[str]:
    trails_ms = recorded["history_after_ws_success_ms"]["max"]
    prompt_id = str(uuid4())
    success = {"text": {"type": "execution_success", "data": {"prompt_id": prompt_id}}}
    stage.put_on(
        prompt_id=prompt_id,
        answers={"POST /prompt": [accepts(prompt_id)]},
        sockets=[[success]],
        entry=derived_entry([success]),
        trails_s=trails_ms / 1000,
    )
    return [f"history that trails by {trails_ms:.0f} ms: {stage.told(stage.follow, prompt_id, {})}"]


def _uploads(recorded: Recording, stage: Stage) -> list[str]:
    told = []
    for what, exchange in recorded.items():
        request = exchange["request"]
        if request["path"] != "/upload/image":
            told.append(f"{what}: never asked: masks travel as pictures of their own")
            continue
        folder = request["fields"].get("subfolder", "")
        name = f"{folder}/{request['filename']}" if folder else request["filename"]
        stage.put_on(answers={"POST /upload/image": [exchange]})
        told.append(f"{what}: {stage.told(stage.client.upload, name, io.BytesIO(b''))}")
    return told


def _views(recorded: Recording, stage: Stage) -> list[str]:
    told = []
    for what, exchange in recorded.items():
        if what == "output_entry":
            told.append(f"{what}: {', '.join(map(file_words, output_files({'3': {'images': [exchange]}})))}")
            continue
        asked = {k: v[0] for k, v in parse_qs(urlsplit(exchange["request"]["path"]).query).items()}
        stage.put_on(answers={"GET /view": [exchange]})
        try:
            (file,) = output_files({"3": {"images": [{"filename": "", **asked}]}}, temp=True) or [
                OutputFile(
                    node_id="3",
                    listed_under="images",
                    filename=asked["filename"],
                    subfolder="",
                    folder="input",
                    kind="image",
                )
            ]
        except UnsafePath as refused:
            told.append(f"{what}: never asked: {error_words(refused)}")
            continue
        told.append(f"{what}: {stage.told(_read, stage.client, file)}")
    return told


def _dead_executor(recorded: Recording, stage: Stage) -> list[str]:
    told = prompt(recorded["post"], recorded["ws"], None, stage, hang_s=4.0, ends=False)
    return [told, f"queue: {queue_told('', recorded['queue_3s_later'], stage)}"]


def _without_client_id(recorded: Recording, stage: Stage) -> list[str]:
    return [f"event: {parse_event(recorded, str(uuid4()))}"]


def _reconnects(recorded: Recording, stage: Stage) -> list[str]:
    told = _followed(recorded["first"], [recorded["first"], recorded["second"]], recorded["second"], stage)
    return [told, f"{stage.server.connections} connections"]


def _two_sockets(recorded: Recording, stage: Stage) -> list[str]:
    """The older socket hears nothing of the prompt, the newer all."""
    heard = recorded["b"]
    return [f"{which}: {_followed(heard, [recorded[which]], heard, stage)}" for which in "ab"]


def _followed(
    shows_id: list[Message], sockets: list[list[Message]], ending: list[Message], stage: Stage
) -> str:
    prompt_id = next(i for m in shows_id if (i := m.get("text", {}).get("data", {}).get("prompt_id")))
    stage.put_on(
        prompt_id=prompt_id,
        answers={"POST /prompt": [accepts(prompt_id)]},
        sockets=sockets,
        entry=derived_entry(ending),
    )
    return stage.told(stage.follow, prompt_id, {})


def _lookup_entry(prompt_id: str, entry: Recording, stage: Stage) -> str:
    """Look up a prompt whose history is known, by job or by history."""
    if stage.has_jobs:
        job = {"id": prompt_id, "status": "completed", "outputs": entry["outputs"]}
        answers = {f"GET /api/jobs/{prompt_id}": {**job, "execution_status": entry["status"]}}
    else:
        answers = {f"GET /history/{prompt_id}": {prompt_id: entry}}
    said = {key: [says(body)] for key, body in answers.items()}
    stage.put_on(prompt_id=prompt_id, answers=said)
    return stage.told(stage.client.lookup, prompt_id)


def _read(client: ComfyClient, file: OutputFile) -> str:
    with client.open_output(file) as chunks:
        return f"{len(b''.join(chunks))} bytes read"


_OWN_WAY: Final[dict[str, Callable[[Recording, Stage], list[str]]]] = {
    "cached_output_file_deleted": _cached_and_deleted,
    "cached_outputs_client_id_matters": _cached_by_client,
    "duplicate_prompt_id": _doubled,
    "free": _free,
    "gc_stall": _stalled,
    "history_eviction_max5": _evicted,
    "history_ops": _history_ops,
    "lifecycle_signals": _signals,
    "object_info_summary": _catalogue,
    "queue_ops": _queue_ops,
    "timing": _timing,
    "upload": _uploads,
    "view": _views,
    "worker_thread_death_systemexit": _dead_executor,
    "ws_no_client_id": _without_client_id,
    "ws_reconnect_midrun": _reconnects,
    "ws_two_sockets_same_client_id": _two_sockets,
}
