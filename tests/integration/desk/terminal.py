"""A terminal: run ``manage.py farm``, keep what it wrote; and rows for it to tell of."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.renders.models import Attempt, Job, Lane
from apps.renders.states import AttemptState


class Told:
    """What a command wrote, and how it ended."""

    def __init__(self, out: str, err: str, code: int) -> None:
        self.out, self.err, self.code = out, err, code

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        (line,) = self.lines
        return json.loads(line)


def farm(*words: str) -> Told:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("farm", *words, stdout=out, stderr=err)
    except SystemExit as end:
        return Told(out.getvalue(), err.getvalue(), int(end.code or 0))
    return Told(out.getvalue(), err.getvalue(), 0)


def tool(*words: str) -> Any:
    return farm(*words, "--json").json


def waits_for(job: Job, code: str, facts: dict[str, Any], rows: list[dict[str, Any]] | None = None) -> None:
    Lane.objects.filter(jobs=job).update(
        wait_code=code, wait_params=facts, wait_nodes=rows or [], waits_since=timezone.now()
    )


def attempt_on(node: Node, job: Job, **facts: Any) -> Attempt:
    values = {"state": AttemptState.EXECUTING, "token": "t", "number": 1, "holds_slot": True} | facts
    made: Attempt = Attempt.objects.create(
        job=job, node=node, queue="vram.12", tier_gb=12, accept_by=timezone.now(), **values
    )
    return made


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def actors() -> set[str]:
    return set(StateEvent.objects.values_list("actor", flat=True))
