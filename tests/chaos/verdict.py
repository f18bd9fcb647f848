"""What became of the jobs of a scenario, and what it left behind."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from apps.common.models import StateEvent
from apps.renders.models import Attempt, Job
from apps.renders.states import JobState
from apps.review.models import Take
from tests.chaos.studio import Studio


def lost(jobs: Iterable[UUID]) -> int:
    """Count the jobs that are not finished, or finished without a take."""
    with_take = set(Take.objects.filter(job_id__in=jobs).values_list("job_id", flat=True))
    done = Job.objects.filter(pk__in=jobs, state=JobState.SUCCEEDED).values_list("pk", flat=True)
    return len(set(jobs) - (with_take & set(done)))


def doubled(jobs: Iterable[UUID]) -> int:
    """Count the jobs with more than one take, and those that succeeded more than once."""
    takes = Counter(Take.objects.filter(job_id__in=jobs).values_list("job_id", flat=True))
    succeeded = StateEvent.objects.filter(machine="job", subject__in=jobs, to_state=JobState.SUCCEEDED)
    recorded = Counter(succeeded.values_list("subject", flat=True))
    return sum(takes[job] > 1 or recorded[job] > 1 for job in jobs)


def rerendered(studio: Studio, jobs: Iterable[UUID]) -> int:
    """Count the prompts that executed beyond the first of each job.

    ComfyUI's history tells, by the client's id, which is the attempt's; a ComfyUI that was restarted has
    forgotten it, so an attempt that was seen executing counts as one prompt at least.
    """
    prompts = Counter(
        str(entry["prompt"][3].get("client_id"))
        for index in range(len(studio.nodes))
        for entry in studio.farm.comfyui(index, "/history").values()
        if any(message[0] == "execution_start" for message in entry["status"]["messages"])
    )
    executed: Counter[UUID] = Counter()
    for attempt in Attempt.objects.filter(job__in=jobs):
        executed[attempt.job_id] += max(prompts[str(attempt.pk)], int(attempt.executing_at is not None))
    return sum(max(0, count - 1) for count in executed.values())


def leftovers(studio: Studio) -> list[str]:
    """Say what is still held, queued or alive that nobody needs."""
    found = [f"{slot} holds a slot" for slot in Attempt.objects.filter(holds_slot=True)]
    for index, node in enumerate(studio.nodes):
        queue = studio.farm.comfyui(index, "/queue")
        found += [f"a prompt is {place} at {node}" for place, prompts in queue.items() if prompts]
    spool = studio.farm.home.folder / "spool"
    found += [f"{file.name} is {file.parent.name}" for file in spool.glob("*/*/*.json")]
    broker = studio.farm.redis
    queues = [*broker.scan_iter("vram.*"), *broker.scan_iter("node.*")]
    found += [f"{queue} holds {broker.llen(queue)}" for queue in queues if broker.type(queue) == "list"]
    return found + [f"process {pid} is nobody's" for pid in strangers(studio)]


def strangers(studio: Studio) -> list[int]:
    """Find the processes that name this farm's folder but belong to no child of the supervisor."""
    children = {child.process.pid for child in studio.farm.supervisor.children.values() if child.process}
    mark = os.fsencode(studio.farm.home.folder)
    return [pid for pid in _naming(mark) if pid != os.getpid() and _group(pid) not in children]


def _naming(mark: bytes) -> list[int]:
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = mark in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or is somebody else's
        if named:
            pids.append(int(process.name))
    return pids


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
