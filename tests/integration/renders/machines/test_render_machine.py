"""No losses, repeats and reorderings of messages make a second take, a lost job or an illegal move.

Hypothesis plays the farm: people press and cancel, nodes render, fall silent and return, every message
may be lost, repeated, or come late. The services, the database and the broker are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial, wraps
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Refused
from apps.nodes.models import Node
from apps.nodes.services import set_desired
from apps.nodes.states import Desired
from apps.renders.models import Job, Priority
from apps.renders.services import control
from apps.renders.services.record import Recorded, record
from apps.renders.services.reports import answer
from apps.renders.services.submit import submit
from apps.renders.services.sweep import sweep
from apps.renders.tasks import hear_bells
from farm import contracts
from farm.celery import app
from farm.contracts import FailureClass, NodeState, Outcome, Stage
from tests.integration.renders.machines.invariants import what_stands
from tests.integration.renders.machines.road import TIERS, WISHES, Road, World, pick
from tests.machines import play, seeds

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]


def set_a_deadline(job: Job, *, user: User) -> None:
    """Let it be late already in a while, so that its rank is raised."""
    deadline = database_now() + timedelta(minutes=1)
    control.change_jobs(Job.objects.filter(pk=job.pk), {"deadline": deadline}, user=user)


ON_JOBS: dict[str, Callable[..., object]] = {
    "cancel": control.cancel,
    "requeue": control.requeue,
    "pause": partial(control.pause, paused=True),
    "go on": partial(control.pause, paused=False),
    "hurry": partial(control.prioritise, priority=Priority.URGENT),
    "let wait": partial(control.prioritise, priority=Priority.LOW),
    "date": set_a_deadline,
}
ON_BATCHES: dict[str, Callable[..., object]] = {
    "cancel": control.cancel_batch,
    "pause": partial(control.pause_batch, paused=True),
    "go on": partial(control.pause_batch, paused=False),
    "hurry": partial(control.change_batch, wishes={"priority": Priority.HIGH}),
}

wishes = st.sampled_from(sorted(WISHES))
nodes = st.sampled_from(sorted(TIERS))
which = st.integers(0, 5)
Rule = Callable[..., None]


def step(**drawn: st.SearchStrategy[Any]) -> Callable[[Rule], Rule]:
    """A rule; after it every invariant is checked."""
    anything: Any = rule  # its overloads do not know drawn values by any name

    def as_rule(act: Rule) -> Rule:
        @wraps(act)
        def whole(self: RenderMachine, **values: Any) -> None:
            with self.road.step():
                act(self, **values)

        made: Rule = anything(**drawn)(whole)
        return made

    return as_rule


orders_exist = precondition(lambda self: self.road.orders)
something_renders = precondition(lambda self: self.road.in_hand())
words_exist = precondition(lambda self: self.road.words)
jobs_exist = precondition(lambda self: self.pressed)


class RenderMachine(RuleBasedStateMachine):
    """Every rule is something that happens on a farm; :class:`Road` remembers what was said."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.road, self.world = Road(world), world
        self.pressed: list[dict[str, Any]] = []
        self.late = False  # whether every report comes once more at the end

    # People

    @initialize(late=st.booleans())
    def two_nodes_render_already(self, late: bool) -> None:
        self.late = late
        with self.road.step():
            self._press("keyframe and clip", 0)
            self._press("a keyframe", 1)
            self.road.tick()
            for hand in (self.road.hands["gpu8"], self.road.hands["gpu24"]):
                order = self.road.hears(hand)
                assert order is not None
                self.road.claims(hand, order)

    @precondition(lambda self: len(self.pressed) < 4)
    @step(wish=wishes, shot=which)
    def somebody_presses_render(self, wish: str, shot: int) -> None:
        self._press(wish, shot)

    def _press(self, wish: str, shot: int) -> None:
        shots = list(self.world.film.shots.order_by("code"))
        press: dict[str, Any] = {
            "shots": [pick(shots, shot)],
            "steps": WISHES[wish],
            "idempotency_key": f"{len(self.pressed)}",
        }
        try:
            assert submit(user=self.world.coordinator, project=self.world.film, **press).created
        except Refused:
            assert wish == "a clip", "only a clip may lack something to start from"
        else:
            self.pressed.append(press)

    @jobs_exist
    @step(press=which)
    def the_same_is_pressed_again(self, press: int) -> None:
        jobs = Job.objects.count()
        again = submit(user=self.world.coordinator, project=self.world.film, **pick(self.pressed, press))
        assert (again.created, Job.objects.count()) == (False, jobs)

    @jobs_exist
    @step(job=which, act=st.sampled_from(sorted(ON_JOBS)))
    def somebody_changes_a_job(self, job: int, act: str) -> None:
        ON_JOBS[act](pick(self.road.jobs(), job), user=self.world.coordinator)

    @jobs_exist
    @step(batch=which, act=st.sampled_from(sorted(ON_BATCHES)))
    def somebody_changes_a_batch(self, batch: int, act: str) -> None:
        ON_BATCHES[act](pick(self.road.batches(), batch), user=self.world.coordinator)

    @step(node=nodes, desired=st.sampled_from(Desired.values))
    def a_node_is_steered(self, node: str, desired: str) -> None:
        for row in Node.objects.filter(name=node):
            set_desired(row, desired, user=self.world.operator)

    # The coordinator, the broker, time

    @jobs_exist
    @step()
    def the_ticker_ticks(self) -> None:
        self.road.tick()

    @jobs_exist
    @step()
    def only_sweep_has_its_turn(self) -> None:
        sweep()

    @step(seconds=st.sampled_from([1, 5, 12, 31, 61, 130]))
    def time_passes(self, seconds: int) -> None:
        self.world.time.passes(seconds)

    @jobs_exist
    @step()
    def the_broker_loses_everything(self) -> None:
        self.world.broker.lose_everything()

    # Orders and claims

    @jobs_exist
    @step(node=nodes)
    def the_farm_ticks_and_a_node_claims_what_it_gets(self, node: str) -> None:
        self.road.tick()
        hand = self.road.hands[node]
        order = self.road.hears(hand)
        if order is not None:
            self.road.claims(hand, order)

    @jobs_exist
    @step(node=nodes)
    def a_node_takes_an_order_and_forgets_it(self, node: str) -> None:
        self.road.hears(self.road.hands[node])

    @orders_exist
    @step(order=which, node=nodes, answered=st.booleans())
    def an_old_order_arrives_again(self, order: int, node: str, answered: bool) -> None:
        _, old = pick(self.road.orders, order)
        hand = self.road.hands[node]
        stale = not Job.objects.filter(pk=old.job_id, token=old.token).exists()
        before = what_stands(old.job_id)
        if not self.road.written(node, old):
            self.road.orders.append((node, old))
            self.road.claims(hand, old, answered=answered)
        if stale:
            assert what_stands(old.job_id) == before, "a stale claim changed something"

    # Rendering

    @orders_exist
    @step(order=which, stage=st.sampled_from(Stage), heard=st.booleans())
    def a_node_says_how_far_it_is(self, order: int, stage: Stage, heard: bool) -> None:
        node, one = pick(self.road.orders, order)
        hand = self.road.hands[node]
        if one.attempt_id in hand.running:
            hand.works_on(one, stage, progress=0.5)
        if heard:
            self.road.obeys(hand, hand.reports())

    @step(node=nodes, state=st.sampled_from(NodeState))
    def a_node_reports(self, node: str, state: NodeState) -> None:
        hand = self.road.hands[node]
        self.road.obeys(hand, hand.reports(state=state))

    @step(node=nodes)
    def a_report_of_a_node_is_delayed(self, node: str) -> None:
        self.road.letters.append(self.road.hands[node].writes())

    @precondition(lambda self: self.road.letters)
    @step(letter=which)
    def a_delayed_report_arrives(self, letter: int) -> None:
        answer(pick(self.road.letters, letter))

    @step(node=nodes)
    def a_node_is_started_anew(self, node: str) -> None:
        self.road.restarts(self.road.hands[node])

    # Outcomes: written once by the node, heard by any road, any number of times, or never

    @something_renders
    @step(order=which, stored=st.booleans(), manifest=st.booleans(), files=st.booleans())
    def a_render_ends_well(self, order: int, stored: bool, manifest: bool, files: bool) -> None:
        node, one = pick(self.road.in_hand(), order)
        hand = self.road.hands[node]
        hand.running.pop(one.attempt_id, None)
        report = hand.writes_manifest(one) if manifest else hand.success(one, store=files)
        if files or manifest:
            self.road.genuine.add(one.attempt_id)
        if manifest:
            self.road.manifests.add(one.attempt_id)
        self._written(node, report, stored=stored)

    @something_renders
    @step(order=which, failure=st.sampled_from(FailureClass), stored=st.booleans())
    def a_render_fails(self, order: int, failure: FailureClass, stored: bool) -> None:
        node, one = pick(self.road.in_hand(), order)
        hand = self.road.hands[node]
        hand.running.pop(one.attempt_id, None)
        self._written(node, hand.failure(one, failure), stored=stored)

    def _written(self, node: str, report: contracts.RenderReport, *, stored: bool) -> None:
        self.road.words.append((node, report))
        if stored:
            app.backend.store_result(report.attempt_id, contracts.to_json(report), "SUCCESS")

    @words_exist
    @step(word=which)
    def the_bell_rings(self, word: int) -> None:
        _, report = pick(self.road.words, word)
        hear_bells([{"attempt_id": report.attempt_id}])

    @words_exist
    @step(word=which)
    def a_node_repeats_its_report(self, word: int) -> None:
        node, report = pick(self.road.words, word)
        self.road.repeats(node, report)

    @words_exist
    @step(word=which, how=st.sampled_from(["another key", "other words", "no signature", "another token"]))
    def somebody_forges_a_report(self, word: int, how: str) -> None:
        _, report = pick(self.road.words, word)
        forged = {
            "another key": replace(report, signature="").signed("0" * 64),
            "other words": replace(report, outcome=Outcome.CANCELLED, reason="let it be"),
            "no signature": replace(report, signature=""),
            "another token": replace(report, token="another"),
        }[how]
        before = what_stands(report.job_id)
        assert record(forged) is Recorded.FORGED
        assert what_stands(report.job_id) == before, "a forged report changed something"

    def teardown(self) -> None:
        try:
            if self.road.sound:
                self.road.goes_quiet(late=self.late)
        finally:
            self.road.forget()


@seeds(4)
def test_no_sequence_of_messages_doubles_or_loses_a_take_or_moves_illegally(
    world: World, beginning: int
) -> None:
    play(lambda: RenderMachine(world), beginning=beginning, examples=3, steps=50)
