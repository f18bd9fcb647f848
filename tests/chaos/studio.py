"""A farm of real processes and one person in it, who breaks things and looks what becomes of them.

Imported when Django speaks to this farm's database (:mod:`tests.chaos.__main__`).
"""

from __future__ import annotations

import itertools
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.productions.models import Shot
from apps.renders.models import Attempt, Job
from apps.renders.services.submit import Step, submit
from apps.renders.states import OPEN, AttemptState, JobState
from apps.review.models import Take
from farm.contracts import MANIFEST_NAME
from farm.demo.supervisor import FIRST_PAUSE_S
from tests.acceptance.farm_fixture import Farm

LOOK_S: Final = 0.05
TEMPLATE: Final = "sd15_t2i"


class Overdue(AssertionError):
    """Something did not become true in time."""


class Studio:
    """Everything a scenario does to a farm and asks of it."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.holds = farm.home.folder / "holds"
        self.nodes = tuple(node.name for node in farm.plan.nodes)
        self._numbers = itertools.count(1)

    # Doing

    def open(self) -> None:
        """Start everything but Flower and who tells of news; return when every node may be given work."""
        self.holds.mkdir()
        self.farm.start(*(self.farm.supervisor.children.keys() - {"flower", "notices"}))
        self.until(self.all_serve, "every node serves", patience_s=90)

    def submit(self, count: int) -> list[UUID]:
        """Order so many keyframes; return their jobs, in the order they were asked for.

        Each order has a seed of its own: what ComfyUI has in its cache would be done in no time.
        """
        number = next(self._numbers)
        shots = list(Shot.objects.filter(sequence__code="SQ010").order_by("code")[:count])
        batch = submit(
            user=User.objects.get(username="admin"),
            project=shots[0].project,
            shots=shots,
            steps=[Step(template=TEMPLATE, width=512, height=288, seed=number * 1000)],
            idempotency_key=f"chaos {number}",
        ).batch
        return list(batch.jobs.order_by("code").values_list("pk", flat=True))

    def pid(self, program: str) -> int | None:
        """The process that now plays this part, None between two."""
        process = self.farm.supervisor.children[program].process
        return process.pid if process else None

    def send(self, program: str, number: signal.Signals) -> None:
        """Send a signal to a process."""
        self.farm.supervisor.signal(program, number)

    def kill(self, program: str) -> None:
        """SIGKILL: an accident of its own, so the supervisor does not take it for one of a crash loop."""
        self.farm.supervisor.children[program].pause = FIRST_PAUSE_S
        self.send(program, signal.SIGKILL)

    def take_away(self, program: str) -> None:
        """SIGKILL, and nobody starts it again before ``farm.start``."""
        self.kill(program)
        child = self.farm.supervisor.children[program]
        self.until(lambda: child.process is None, f"{program} is dead")
        child.restart_at = None

    def forget_deaths(self) -> None:
        """What has died so far is accounted for."""
        for child in self.farm.supervisor.children.values():
            child.deaths.clear()

    def hold(self, edge: str) -> None:
        """Let attempts stand at this edge (:mod:`tests.chaos.held_node`)."""
        (self.holds / edge).mkdir()

    def let_go(self) -> None:
        """Nothing stands still any more."""
        for wish in self.holds.iterdir():
            shutil.rmtree(wish)
        for program in self.farm.supervisor.children:
            self.send(program, signal.SIGCONT)

    def until(self, condition: Callable[[], Any], what: str, *, patience_s: float = 60.0) -> Any:
        """Wait for something to become true and return it. Raises Overdue."""
        deadline = time.monotonic() + patience_s
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise Overdue(f"waited {patience_s:.0f} s in vain until {what}")
            self.farm.supervisor.tend()
            time.sleep(LOOK_S)
        return found

    # Asking

    def all_serve(self) -> bool:
        """Whether every node has told what it can do and waits for work or works."""
        ready = Node.objects.filter(observed__in=("idle", "busy")).exclude(capabilities_of="")
        return ready.count() == len(self.nodes)

    def is_calm(self) -> bool:
        """Whether every node serves, and none has anything to do or to tell from an earlier scenario."""
        told = not any((self.farm.home.folder / "spool").glob("*/finished/*.json"))
        return told and self.all_serve() and not Job.objects.filter(state__in=OPEN).exists()

    def attempt(self, job: UUID) -> Attempt | None:
        """The newest attempt at a job."""
        return Attempt.objects.select_related("node").filter(job=job).order_by("-number").first()

    def stands(self, job: UUID, state: AttemptState) -> bool:
        """Whether the newest attempt is in this state."""
        attempt = self.attempt(job)
        return attempt is not None and attempt.state == state

    def is_held(self, edge: str, job: UUID) -> bool:
        """Whether the newest attempt stands at a held edge."""
        attempt = self.attempt(job)
        return attempt is not None and (self.holds / edge / str(attempt.pk)).exists()

    def has_take(self, job: UUID) -> bool:
        return Take.objects.filter(job_id=job).exists()

    def is_done(self, job: UUID) -> bool:
        """The take stands, and no node is left with a report that nobody confirmed."""
        return (
            self.has_take(job)
            and Job.objects.get(pk=job).state == JobState.SUCCEEDED
            and not any(self.unconfirmed(job))
        )

    def unconfirmed(self, job: UUID) -> Iterable[Path]:
        """The reports on this job that its nodes still keep."""
        attempts = Attempt.objects.filter(job=job).values_list("pk", flat=True)
        spool = self.farm.home.folder / "spool"
        return (file for attempt in attempts for file in spool.glob(f"*/finished/{attempt}.json"))

    def manifest(self, attempt: Attempt) -> Path:
        """Where an attempt's manifest stands once it is whole."""
        folder = f"attempts/{attempt.job.project.code}/{attempt.pk}"
        return self.farm.home.artifacts / folder / MANIFEST_NAME

    def result(self, attempt: Attempt) -> str:
        """What the result backend holds for an attempt, "" for nothing."""
        return str(self.farm.redis.get(f"celery-task-meta-{attempt.pk}") or "")

    def web_answers(self) -> bool:
        """Whether the web server lives and reaches what it needs."""
        try:
            return bool(self.farm.get(f"{self.farm.plan.web_url}/readyz")["status"] == "ok")
        except OSError:
            return False
