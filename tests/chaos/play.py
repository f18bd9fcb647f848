"""How each scenario goes: work stands at an edge, a fault strikes and is proven, work goes on."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from apps.nodes.models import Node
from apps.renders.models import Attempt
from apps.renders.states import AttemptState
from farm.tiers import node_queue
from tests.acceptance.farm_fixture import Farm
from tests.chaos import edges, verdict
from tests.chaos.plan import Scenario
from tests.chaos.poison import ITEMS
from tests.chaos.studio import Overdue, Studio
from tests.chaos.verdict import LONGEST_RECOVERY_S, Verdict

AWAY_S: Final = 60.0
TRIES: Final = 3
"""Edges that are not held are quick: a strike that came too late is tried again, and never counts."""


class Missed(AssertionError):
    """The job did not stand at the edge when the fault struck."""


@dataclass
class Course:
    """One scenario while it runs."""

    studio: Studio
    scenario: Scenario
    jobs: list[UUID] = field(default_factory=list)
    faults: int = 0
    recovery_s: float | None = None
    misses: int = 0

    def missed(self) -> None:
        """The fault struck beside the edge: wait until it is overcome, so that it can be tried again."""
        self.misses += 1
        self.studio.let_go()
        for job in self.jobs:
            self.studio.until(partial(self.studio.is_done, job), "a missed strike is overcome", patience_s=60)
        for child in self.studio.farm.supervisor.children.values():
            child.deaths.clear()
        self.studio.until(self.studio.all_serve, "every node serves")

    def work_goes_on(self, since: float) -> None:
        """Wait for what was struck and for a fresh job; the slower of both is the recovery."""
        self.jobs += self.studio.submit(1)
        for job in self.jobs:
            self.studio.until(partial(self.studio.is_done, job), "the jobs are done", patience_s=120)
        self.recovery_s = round(time.monotonic() - since, 1)

    def verdict(self, trouble: str) -> Verdict:
        """Count, and say what was wrong on stderr."""
        rerendered = verdict.rerendered(self.studio, self.jobs)
        lost, doubled = verdict.lost(self.jobs), verdict.doubled(self.jobs)
        wrong = [trouble] if trouble else []
        if not self.faults:
            wrong.append("no fault was proven")
        if lost or doubled:
            wrong.append(f"{lost} jobs lost, {doubled} doubled")
        if rerendered > (most := self.scenario.may_rerender * (1 + self.misses)):
            wrong.append(f"{rerendered} prompts executed again, at most {most} expected")
        if self.recovery_s is None or self.recovery_s >= LONGEST_RECOVERY_S:
            wrong.append(f"recovery took {self.recovery_s} s, below {LONGEST_RECOVERY_S:g} s expected")
        for sentence in wrong:
            say(f"{self.scenario.name}: {sentence}")
        return Verdict(
            scenario=self.scenario.name,
            faults_injected=self.faults,
            jobs=len(self.jobs),
            lost=lost,
            doubled=doubled,
            rerendered=rerendered,
            recovery_s_max=self.recovery_s,
            ok=not wrong,
        )


def say(words: str) -> None:
    """Tell the person at the terminal; stdout is for verdicts."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")


def play_all(farm: Farm, scenarios: Iterable[Scenario]) -> int:
    """Open the farm and play scenarios one after another, a line for each; return how many were ok."""
    studio = Studio(farm)
    studio.open()
    good = 0
    for scenario in scenarios:
        told = play(studio, scenario)
        sys.stdout.write(told.line + "\n")
        sys.stdout.flush()
        good += told.ok
    return good


def play(studio: Studio, scenario: Scenario) -> Verdict:
    """Play one scenario and judge it."""
    course = Course(studio, scenario)
    trouble = ""
    say(f"{scenario.name} …")
    try:
        studio.until(studio.all_serve, "every node serves")
        _PLAYS[scenario.play](course)
        _settle(studio)
    except AssertionError as exc:
        trouble = str(exc)
    finally:
        studio.let_go()
    return course.verdict(trouble)


def _settle(studio: Studio) -> None:
    """Nothing may be left behind; confirmations and cancels need a moment."""
    try:
        studio.until(lambda: not verdict.leftovers(studio), "nothing is left behind", patience_s=20)
    except Overdue as exc:
        raise Overdue(f"{exc}: {'; '.join(verdict.leftovers(studio))}") from exc


def _strike(course: Course, bring: Callable[[], edges.Standing], fault: Callable[[], None]) -> float:
    """Inject a fault while jobs stand at an edge, before and after; return when."""
    for _ in range(TRIES):
        standing = bring()
        course.jobs += standing.jobs
        if not standing.still():
            course.studio.let_go()
            continue
        since = time.monotonic()
        fault()
        if standing.still():
            return since
        course.missed()
    raise Missed(f"no job stood at {course.scenario.edge} when the fault struck, {TRIES} times")


def _kill(course: Course) -> None:
    studio, victim = course.studio, course.scenario.target
    pids: list[int | None] = []

    def fault() -> None:
        pids.append(studio.pid(victim))
        studio.kill(victim)

    since = _strike(course, lambda: edges.bring(studio, course.scenario.edge), fault)
    course.faults = _prove_death(studio, victim, pids[-1])
    studio.let_go()
    course.work_goes_on(since)
    studio.until(lambda: studio.pid(victim) not in (None, pids[-1]), f"another {victim} lives")
    if victim == "web":
        studio.until(studio.web_answers, "the web server answers", patience_s=30)
        course.recovery_s = round(max(course.recovery_s or 0, time.monotonic() - since), 1)


def _prove_death(studio: Studio, victim: str, pid: int | None) -> int:
    child = studio.farm.supervisor.children[victim]
    studio.until(lambda: child.deaths, f"{victim} is dead")
    assert pid is not None, f"there was no {victim} to kill"
    assert child.deaths == ["was killed by SIGKILL"], f"{victim}: {child.deaths}"
    child.deaths.clear()
    return 1


def _flush(course: Course) -> None:
    studio, edge = course.studio, course.scenario.edge
    broker = studio.farm.redis
    keys: list[int] = []

    def bring() -> edges.Standing:
        return edges.bring_into_the_queue(studio) if edge == "dispatched" else edges.bring(studio, edge)

    def fault() -> None:
        broker.set("chaos", "a key")
        keys.append(broker.dbsize())
        broker.flushall()
        assert not broker.exists("chaos"), "the key is still there"

    since = _strike(course, bring, fault)
    assert keys[-1] > 1, "Redis held nothing to lose"
    course.faults = 1
    studio.farm.start(studio.nodes[0])
    studio.let_go()
    course.work_goes_on(since)


def _stop_and_resume_early(course: Course) -> None:
    _stop(course, lambda job, node: _executes_elsewhere(course.studio, job, node), "it executes elsewhere")


def _stop_and_resume_late(course: Course) -> None:
    _stop(course, lambda job, _node: course.studio.has_take(job), "another node has finished it")


def _stop(course: Course, resume: Callable[[UUID, str], bool], what: str) -> None:
    """A worker stands still past its lease, while ComfyUI renders on, and then wakes."""
    studio = course.studio
    worker: list[str] = []

    def fault() -> None:
        attempt = studio.attempt(job_of[-1])
        assert attempt is not None and attempt.node is not None
        worker.append(attempt.node.name)
        studio.send(worker[-1], signal.SIGSTOP)

    job_of: list[UUID] = []

    def bring() -> edges.Standing:
        standing = edges.bring(studio, "executing")
        job_of.extend(standing.jobs)
        return standing

    since = _strike(course, bring, fault)
    job, pid = job_of[-1], studio.pid(worker[-1])
    first = Attempt.objects.filter(job=job).earliest("number")
    studio.until(
        lambda: Attempt.objects.filter(pk=first.pk, state=AttemptState.LOST).exists(), "its lease is over"
    )
    studio.until(lambda: resume(job, worker[-1]), what)
    assert studio.pid(worker[-1]) == pid, "the worker was replaced, not resumed"
    course.faults = 1
    studio.let_go()
    course.work_goes_on(since)


def _executes_elsewhere(studio: Studio, job: UUID, node: str) -> bool:
    attempt = studio.attempt(job)
    return (
        attempt is not None
        and attempt.state == AttemptState.EXECUTING
        and attempt.node is not None
        and attempt.node.name != node
    )


def _broker_away(course: Course) -> None:
    """Every seat of the farm is taken when the broker goes, and more work waits."""
    studio = course.studio
    course.jobs = studio.submit(6)
    executing = Attempt.objects.filter(job__in=course.jobs, state=AttemptState.EXECUTING)
    studio.until(lambda: executing.count() == len(studio.nodes), "both nodes render", patience_s=30)
    studio.take_away("broker")
    assert executing.exists(), "nothing executed when the broker went"
    went = time.monotonic()
    studio.until(lambda: time.monotonic() - went > AWAY_S, "a minute is over", patience_s=AWAY_S + 5)
    assert studio.pid("broker") is None, "somebody brought the broker back"
    studio.farm.supervisor.children["broker"].deaths.clear()
    course.faults = 1
    studio.farm.start("broker")
    course.work_goes_on(time.monotonic())
    gone = Attempt.objects.filter(job__in=course.jobs, state=AttemptState.LOST).count()
    assert not gone, f"{gone} attempts were given up while the broker was away"


def _poison(course: Course) -> None:
    """What is no message is taken in by its reader, and nobody dies of it."""
    studio, queue = course.studio, course.scenario.target
    if queue == "node":
        attempt_node = studio.nodes[0]
        queue = node_queue(attempt_node, _epoch(attempt_node))
    deaths = {name: len(child.deaths) for name, child in studio.farm.supervisor.children.items()}
    since = time.monotonic()
    studio.farm.redis.rpush(queue, *ITEMS)
    assert len(ITEMS) > 0
    studio.until(lambda: not studio.farm.redis.llen(queue), f"{queue} is read empty")
    course.faults = len(ITEMS)
    course.work_goes_on(since)
    died = [
        name for name, child in studio.farm.supervisor.children.items() if len(child.deaths) > deaths[name]
    ]
    assert not died, f"{', '.join(died)} died of it"


def _epoch(name: str) -> str:
    return Node.objects.get(name=name).epoch


_PLAYS: dict[str, Callable[[Course], None]] = {
    "kill": _kill,
    "flush": _flush,
    "stop_and_resume_early": _stop_and_resume_early,
    "stop_and_resume_late": _stop_and_resume_late,
    "broker_away": _broker_away,
    "poison": _poison,
}
