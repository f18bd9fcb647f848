"""The newer view of queue and history: `/api/jobs`, one summary per prompt."""

from __future__ import annotations

from typing import Any

from workers.comfysim.promptqueue import Item, PromptQueue

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
_TERMINAL = ("execution_success", "execution_error", "execution_interrupted")

Job = dict[str, Any]


class BadQueryError(ValueError):
    """A query value `/api/jobs` refuses; its text is the answer."""


def wanted_statuses(text: str | None) -> set[str]:
    """`failed,cancelled` as a set, all when empty; raises BadQueryError on an unknown one."""
    if not text:
        return set(STATUSES)
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in STATUSES]
    if unknown:
        raise BadQueryError(
            f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(STATUSES)}",
        )
    return set(names)


def number_from(name: str, text: str | None, *, least: int) -> int | None:
    """A query's whole number of at least `least`, None when absent; raises BadQueryError otherwise."""
    if text is None:
        return None
    try:
        value = int(text)
    except ValueError:
        raise BadQueryError(f"{name} must be an integer") from None
    if value < least:
        raise BadQueryError(f"{name} must be at least {least}")
    return value


def page(
    queue: PromptQueue, *, statuses: set[str], limit: int | None, offset: int, ascending: bool
) -> dict[str, Any]:
    """One page of jobs, newest first unless `ascending`."""
    running, pending = queue.open_items()
    every = [_open_job(item, "pending") for item in pending]
    every += [_open_job(item, "in_progress") for item in running]
    every += [_closed_job(entry) for entry in queue.history_page(max_items=None, offset=0).values()]
    chosen = [job for job in every if job["status"] in statuses]
    chosen.sort(key=lambda job: job["create_time"], reverse=not ascending)
    end = None if limit is None else offset + limit
    shown = chosen[offset:end]
    pagination = {
        "offset": offset,
        "limit": limit,
        "total": len(chosen),
        "has_more": offset + len(shown) < len(chosen),
    }
    return {"jobs": shown, "pagination": pagination}


def detail(queue: PromptQueue, prompt_id: str) -> Job | None:
    """One job with its outputs and workflow if it is over; None if nobody knows it."""
    running, pending = queue.open_items()
    for item in running:
        if item.prompt_id == prompt_id:
            return _open_job(item, "in_progress")
    for item in pending:
        if item.prompt_id == prompt_id:
            return _open_job(item, "pending")
    entry = queue.history_entry(prompt_id)
    if entry is None:
        return None
    _, _, prompt, extra_data, _ = entry["prompt"]
    return _closed_job(entry) | {
        "outputs": entry["outputs"],
        "execution_status": entry["status"],
        "workflow": {"prompt": prompt, "extra_data": extra_data},
    }


def _open_job(item: Item, status: str) -> Job:
    return {
        "id": item.prompt_id,
        "status": status,
        "priority": item.number,
        "create_time": item.extra_data.get("create_time"),
        "outputs_count": 0,
    }


def _closed_job(entry: dict[str, Any]) -> Job:
    number, prompt_id, _, extra_data, _ = entry["prompt"]
    messages: dict[str, Any] = dict(entry["status"]["messages"])
    last = next((name for name in reversed(messages) if name in _TERMINAL), None)
    names = {"execution_success": "completed", "execution_interrupted": "cancelled"}
    job: Job = {
        "id": prompt_id,
        "status": names.get(last or "", "failed"),
        "priority": number,
        "create_time": extra_data.get("create_time"),
    }
    if "execution_start" in messages:
        job["execution_start_time"] = messages["execution_start"]["timestamp"]
    if last:
        job["execution_end_time"] = messages[last]["timestamp"]
    if last == "execution_error":
        job["execution_error"] = messages[last]
    files = _files(entry["outputs"])
    job["outputs_count"] = len(files)
    if files:
        job["preview_output"] = next((file for file in files if file["type"] == "output"), files[0])
    return job


def _files(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**entry, "nodeId": node_id, "mediaType": media_type}
        for node_id, output in outputs.items()
        for media_type, entries in output.items()
        for entry in entries
        if isinstance(entry, dict)
    ]
