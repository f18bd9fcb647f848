"""How each kind of scenario goes. Every fault is proven before it counts."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import pytest
from redis.exceptions import OutOfMemoryError

from apps.nodes.models import Node
from apps.renders.models import Attempt
from apps.renders.states import ON_NODE, AttemptState
from apps.review.models import Take
from apps.review.states import Media
from farm.tiers import node_queue
from tests.acceptance.farm_fixture import Farm
from tests.chaos import edges
from tests.chaos.course import Course, say
from tests.chaos.edges import Standing
from tests.chaos.line import Verdict
from tests.chaos.plan import Scenario
from tests.chaos.poison import ITEMS
from tests.chaos.studio import Studio
from tests.chaos.verdict import strangers

logger = logging.getLogger(__name__)

AWAY_S: Final = 60.0
PEERS: Final = ("coordinator", "ticker", "media", "gpu8-sim")
"""Who has a connection to the broker at all times."""


def play_all(farm: Farm, scenarios: Sequence[Scenario]) -> int:
    """Open the farm, play scenarios one after another and close it; print a line for each.

    Return how many were ok. A farm that breaks altogether fails the scenarios it has not told of.
    """
    studio = Studio(farm)
    verdicts: list[Verdict] = []
    try:
        studio.open()
        for scenario in scenarios:
            verdicts.append(play(studio, scenario))
            _tell(verdicts[-1])
        _close(studio)
    except Exception:  # the outermost edge of a farm: what it has not told counts as failed
        logger.exception("a farm broke, after %d of %d scenarios", len(verdicts), len(scenarios))
        for scenario in scenarios[len(verdicts) :]:
            _tell(Verdict.of_nothing(scenario.name))
        return 0
    return sum(verdict.ok for verdict in verdicts)


def play(studio: Studio, scenario: Scenario) -> Verdict:
    """Play one scenario and judge it."""
    course = Course(studio, scenario)
    trouble = ""
    say(f"{scenario.name} …")
    try:
        studio.until(studio.is_calm, "the farm is calm", patience_s=120)
        _PLAYS[scenario.play](course)
        course.nothing_is_left()
    except AssertionError as exc:
        trouble = str(exc)
    finally:
        studio.let_go()
        studio.forget_deaths()
    return course.judged(trouble)


def _tell(verdict: Verdict) -> None:
    sys.stdout.write(verdict.line + "\n")
    sys.stdout.flush()


def _close(studio: Studio) -> None:
    """Every take can be looked at, and with the farm all its processes end."""
    takes = Take.objects.exclude(media_state=Media.READY)
    studio.until(lambda: not takes.exists(), "every take has its thumbnail and proxy", patience_s=90)
    studio.farm.rest()
    left = strangers(studio)
    assert not left, f"processes {left} outlive their farm"


def _kill(course: Course) -> None:
    """SIGKILL: the process dies, another one takes its place."""
    studio, victim = course.studio, course.scenario.target
    killed: list[int | None] = []

    def fault() -> None:
        killed.append(studio.pid(victim))
        studio.kill(victim)

    course.strike(lambda: edges.bring(studio, course.scenario.edge), fault)
    course.faults = _prove_death(studio, victim, killed[-1])
    studio.let_go()
    if victim == "web":
        studio.until(studio.web_answers, "the web server answers")
        course.moves()  # recovery counts until then: no job waits for web
    course.work_goes_on()
    studio.until(lambda: studio.pid(victim) not in (None, killed[-1]), f"another {victim} lives")


def _prove_death(studio: Studio, victim: str, pid: int | None) -> int:
    child = studio.farm.supervisor.children[victim]
    studio.until(lambda: child.deaths, f"{victim} is dead")
    assert pid is not None, f"there was no {victim} to kill"
    assert child.deaths == ["was killed by SIGKILL"], f"{victim}: {child.deaths}"
    return 1


def _flush(course: Course) -> None:
    """FLUSHALL: the broker forgets queues, results and subscriptions."""
    studio, edge = course.studio, course.scenario.edge
    broker = studio.farm.redis
    keys: list[int] = []

    def bring() -> Standing:
        return edges.bring_into_the_queue(studio) if edge == "dispatched" else edges.bring(studio, edge)

    def fault() -> None:
        broker.set("chaos", "a key")
        keys.append(broker.dbsize())
        broker.flushall()
        assert not broker.exists("chaos"), "the key is still there"

    course.strike(bring, fault)
    assert keys[-1] > 1, "Redis held nothing to lose"
    course.faults = 1
    studio.farm.start(studio.nodes[0])
    studio.let_go()
    course.work_goes_on()


def _stop_and_resume_early(course: Course) -> None:
    """The worker wakes while another one renders: the first to finish makes the take."""
    _stop(course, resume_when=lambda _job: True)


def _stop_and_resume_late(course: Course) -> None:
    """The worker wakes when another one has finished: what it brings is too late."""
    _stop(course, resume_when=course.studio.has_take)


def _stop(course: Course, *, resume_when: Callable[[UUID], bool]) -> None:
    """A worker stands still past its lease, while its ComfyUI renders on, and wakes."""
    studio = course.studio
    stopped: list[Attempt] = []

    def fault() -> None:
        attempt = studio.attempt(course.jobs[-1])
        assert attempt is not None and attempt.node is not None
        stopped.append(attempt)
        studio.send(attempt.node.name, signal.SIGSTOP)

    course.strike(lambda: edges.bring(studio, "executing"), fault)
    attempt, job = stopped[-1], course.jobs[-1]
    assert attempt.node is not None
    pid = studio.pid(attempt.node.name)
    lost = Attempt.objects.filter(pk=attempt.pk, state=AttemptState.LOST)
    studio.until(lost.exists, "its lease is over")
    course.moves()
    studio.until(lambda: resume_when(job), "it is time to resume")
    assert studio.pid(attempt.node.name) == pid, "the worker was replaced, not resumed"
    course.faults = 1
    studio.let_go()
    course.work_goes_on()


def _broker_away(course: Course) -> None:
    """A minute without a broker: every place of the farm is taken when it goes, and more work waits."""
    studio = course.studio
    course.jobs = studio.submit(6)
    executing = Attempt.objects.filter(job__in=course.jobs, state=AttemptState.EXECUTING)
    studio.until(lambda: executing.count() == len(studio.nodes), "both nodes render", patience_s=30)
    studio.take_away("broker")
    assert executing.exists(), "nothing executed when the broker went"
    went = time.monotonic()
    studio.until(lambda: time.monotonic() - went > AWAY_S, "a minute is over", patience_s=AWAY_S + 5)
    assert studio.pid("broker") is None, "somebody brought the broker back"
    course.faults = 1
    course.is_struck()  # work can go on from the broker's return
    studio.farm.start("broker")
    course.work_goes_on()
    gone = Attempt.objects.filter(job__in=course.jobs, state=AttemptState.LOST).count()
    assert not gone, f"{gone} attempts were given up while the broker was away"
    _fill_every_place(course)


def _fill_broker(course: Course) -> None:
    """Redis takes nothing more while a render ends: neither its result nor its bell, nor any report."""
    studio, broker = course.studio, course.studio.farm.redis
    pids = _pids(studio)

    def fault() -> None:
        broker.config_set("maxmemory-policy", "noeviction")
        broker.config_set("maxmemory", "1")
        with pytest.raises(OutOfMemoryError):
            broker.set("chaos", "a key")

    try:
        course.strike(lambda: edges.bring(studio, course.scenario.edge), fault)
        attempt = studio.attempt(course.jobs[-1])
        assert attempt is not None
        studio.until(lambda: studio.manifest(attempt).exists(), "it is rendered and stored", patience_s=30)
        assert not studio.result(attempt), "the result was taken in"
        assert not studio.has_take(course.jobs[-1])
    finally:
        broker.config_set("maxmemory", "0")
    course.faults = 1
    course.is_struck()  # work can go on from now
    course.work_goes_on()
    _fill_every_place(course)
    _nobody_died(studio, pids)


def _cut_connections(course: Course) -> None:
    """Every TCP connection to the broker is reset."""
    studio = course.studio
    pids = _pids(studio)
    cut: list[int] = []

    def fault() -> None:
        kinds = ("normal", "pubsub")
        cut.append(sum(int(studio.farm.redis.client_kill_filter(_type=kind)) for kind in kinds))

    course.strike(lambda: edges.bring(studio, course.scenario.edge), fault)
    assert cut[-1] >= len(PEERS), f"only {cut[-1]} connections were there to cut"
    course.faults = 1
    course.work_goes_on()
    _fill_every_place(course)
    _nobody_died(studio, pids)


def _fill_every_place(course: Course) -> None:
    """Each node still has one render on its GPU and one staged behind it."""
    studio = course.studio
    course.jobs += studio.submit(3 * len(studio.nodes))
    held = Attempt.objects.filter(job__in=course.jobs, state__in=ON_NODE)
    studio.until(lambda: held.count() == 2 * len(studio.nodes), "every place is taken", patience_s=30)
    for job in course.jobs:
        studio.until(partial(studio.is_done, job), "the jobs are done")


def _poison(course: Course) -> None:
    """What is no message is read by whoever reads that queue, and nobody dies of it."""
    studio, queue = course.studio, course.scenario.target
    if queue == "node":
        node = Node.objects.get(name=studio.nodes[0])
        queue = node_queue(node.name, node.epoch)
    pids = _pids(studio)
    course.is_struck()
    studio.farm.redis.rpush(queue, *ITEMS)
    studio.until(lambda: not studio.farm.redis.llen(queue), f"{queue} is read empty")
    course.faults = len(ITEMS)
    course.work_goes_on()
    _nobody_died(studio, pids)


def _pids(studio: Studio) -> dict[str, int | None]:
    return {name: studio.pid(name) for name in studio.farm.supervisor.children}


def _nobody_died(studio: Studio, pids: Mapping[str, int | None]) -> None:
    died = [name for name, pid in pids.items() if studio.pid(name) != pid]
    assert not died, f"{', '.join(died)} died of it"


_PLAYS: dict[str, Callable[[Course], None]] = {
    "kill": _kill,
    "flush": _flush,
    "stop_and_resume_early": _stop_and_resume_early,
    "stop_and_resume_late": _stop_and_resume_late,
    "broker_away": _broker_away,
    "poison": _poison,
    "fill_broker": _fill_broker,
    "cut_connections": _cut_connections,
}
