"""A node's own machine: an order is taken, claimed, staged, executed, stored, told and confirmed.

Meanwhile prompts fail, people cancel, urgent work asks for places, disks, store, ComfyUI and coordinator come
and go, and the worker is killed between any two of its steps.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farm.contracts import (
    MANIFEST_NAME,
    STORE_MARKER,
    UNSTAGED,
    OrderOutput,
    Outcome,
    RenderOrder,
    RenderReport,
    Stage,
    from_json,
    pack_graph,
)
from tests.integration.workers.machine.comfy import SIZE, FakeComfy, FakeSocket
from tests.integration.workers.machine.life import BEGINNING, ENDING, TALKING, Life
from tests.integration.workers.machine.office import KEY, Office
from tests.integration.workers.machine.turns import give_way
from tests.machines import play, seeds
from workers import outputs, recover, render
from workers.comfy import follow
from workers.comfy.errors import ExecutionFailed
from workers.queues import SLOTS

LONG_S = 1e6
TROUBLES = (
    "ComfyUI is restarted",
    "ComfyUI is away",
    "ComfyUI hears no interrupt",
    "the coordinator is away",
    "the node is given up",
    "the spool's disk is full",
    "the store is away",
)

TURNS = 4
"""How often a thread looks before it has surely noticed."""


def somewhere(edges: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    """Where the worker is killed on the way that follows; None: it goes on living."""
    return st.sampled_from((None, None, None, *edges))


def order_of(number: int) -> RenderOrder:
    attempt_id = f"a{number}"
    return RenderOrder(
        attempt_id=attempt_id,
        job_id=f"j{number}",
        token=f"t{number}",
        label="",
        template="plain",
        tier_gb=8,
        need_gb=4.0,
        graph_z=pack_graph({"2": {"class_type": "SaveImage", "inputs": {}}}),
        inputs=(),
        outputs=(OrderOutput(node="2", kind="image", width=SIZE[0], height=SIZE[1], frames=1),),
        artifact_folder=f"attempts/{attempt_id}",
        report_key=KEY,
        execution_timeout_s=LONG_S,
        hang_s=LONG_S,
    )


class NodeLifeMachine(RuleBasedStateMachine):
    """Plays one node through many lives beside one ComfyUI."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="node-life-")
        self.folder = Path(self._folder.name)
        (self.folder / "store").mkdir()
        (self.folder / "store" / STORE_MARKER).write_text("")
        self.comfy, self.office = FakeComfy(), Office()
        self.numbers = count()
        self.orders: list[RenderOrder] = []
        self.dead: set[str] = set()  # epochs whose life is over
        self.life = Life(self.folder, self.comfy, self.office)

    # What happens

    def settle(self, *, before_the_next_life: Callable[[], None] = lambda: None) -> None:
        """Let every thread notice what has happened; if the worker has died of it, it is started anew."""
        for _ in range(TURNS):
            self.life.mortality.go_on()
        if self.life.mortality.dead:
            event(f"died {self.life.mortality.dies_at}")
            self._next_life(before_the_next_life)

    def _next_life(self, before: Callable[[], None] = lambda: None) -> None:
        self.life.dies()
        before()
        self.dead.add(self.life.node.epoch)
        full, away = self.life.journal.full, self.life.artifacts.away
        self.life = Life(self.folder, self.comfy, self.office)
        self.life.journal.full, self.life.artifacts.away = full, away

    @precondition(lambda self: self.life.node.hand.count() < SLOTS)
    @rule(begins=st.booleans(), dies=somewhere(BEGINNING))
    def an_order_comes(self, begins: bool, dies: str | None) -> None:
        self.orders.append(order_of(next(self.numbers)))
        self.life.mortality.dies_at = dies
        assert self.life.takes(self.orders[-1]), "a new order is taken"
        if begins:
            self.comfy.starts_the_next()
        self.settle()

    @precondition(lambda self: self.orders and self.life.node.hand.count() < SLOTS)
    @rule(which=st.integers(0, 9))
    def an_order_comes_again(self, which: int) -> None:
        self.life.takes(self.orders[which % len(self.orders)])
        self.settle()

    @rule()
    def comfyui_begins_the_next(self) -> None:
        self.comfy.starts_the_next()
        self.settle()

    @precondition(lambda self: self.comfy.running)
    @rule(
        how=st.sampled_from(["renders", "renders", "fails", "memory"]),
        dies=somewhere(ENDING),
        comfyui_too=st.booleans(),
    )
    def comfyui_ends_what_runs(self, how: str, dies: str | None, comfyui_too: bool) -> None:
        """And the worker may die of it on its way to a report, or the whole machine."""
        self.life.mortality.dies_at = dies
        if how == "renders":
            self.comfy.ends()
        elif how == "fails":
            self.comfy.ends(ExecutionFailed("a node raised"))
        else:
            self.comfy.runs_out_of_memory()
        self.settle(before_the_next_life=self.comfy.is_restarted if comfyui_too else lambda: None)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 9), at_once=st.booleans())
    def somebody_cancels(self, which: int, at_once: bool) -> None:
        attempt_id = self.orders[which % len(self.orders)].attempt_id
        self.office.cancelled.add(attempt_id)
        if at_once:
            self.life.node.hand.cancel(attempt_id)
        self.settle()

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 9), at_once=st.booleans())
    def urgent_work_asks_for_a_place(self, which: int, at_once: bool) -> None:
        attempt_id = self.orders[which % len(self.orders)].attempt_id
        if at_once:
            waits = self.life.node.hand.unstage(attempt_id)
            assert not (waits and self._stage(attempt_id) is Stage.EXECUTING)
        else:
            self.office.unstaged.add(attempt_id)
        self.settle()

    @rule(dies=somewhere(TALKING))
    def it_reports(self, dies: str | None) -> None:
        self.life.mortality.dies_at = dies
        self.life.talks()
        self.settle()

    @rule(trouble=st.sampled_from(TROUBLES))
    def something_goes_wrong(self, trouble: str) -> None:
        if trouble == "ComfyUI is restarted":
            self.comfy.is_restarted()
        elif trouble == "ComfyUI is away":
            self.comfy.away = True
        elif trouble == "ComfyUI hears no interrupt":
            self.comfy.deaf = True
        elif trouble == "the coordinator is away":
            self.office.away = True
        elif trouble == "the node is given up":
            self.office.given_up.add(self.life.node.epoch)
        elif trouble == "the spool's disk is full":
            self.life.journal.full = True
        elif trouble == "the store is away":
            self.life.artifacts.away = True
        self.settle()

    @rule()
    def it_passes(self) -> None:
        self.comfy.deaf = self.comfy.away = self.office.away = False
        self.life.journal.full = self.life.artifacts.away = False
        self.settle()

    @rule(comfyui=st.sampled_from(["stays", "is restarted", "is away"]), again=st.booleans())
    def it_is_killed(self, comfyui: str, again: bool) -> None:
        """And the broker may deliver once more what the dead one had taken."""
        had = [order for order in self.orders if self.life.node.hand.holds(order.attempt_id)]

        def meanwhile() -> None:
            if comfyui == "is restarted":
                self.comfy.is_restarted()
            self.comfy.away = comfyui == "is away"

        self._next_life(meanwhile)
        for order in had if again else ():
            self.life.takes(order)
        self.settle()

    # What always holds

    def _stage(self, attempt_id: str) -> Stage | None:
        running = {item.attempt_id: item.stage for item in self.life.node.hand.running()}
        return running.get(attempt_id)

    @invariant()
    def no_attempt_is_in_comfyui_twice(self) -> None:
        for order in self.orders:
            assert len(self.comfy.has(order.attempt_id)) <= 1

    @invariant()
    def no_attempt_is_rendered_twice(self) -> None:
        assert all(times <= 1 for times in self.comfy.rendered.values()), self.comfy.rendered

    @invariant()
    def what_comfyui_has_somebody_waits_for(self) -> None:
        """Either it is in hand, or the journal knows it, so that the next life will settle it."""
        if self.life.mortality.dies_at is not None:
            return
        for prompt_id in (self.comfy.running, *self.comfy.queue):
            attempt_id = self.comfy.of.get(prompt_id, "")
            assert not attempt_id or self.life.knows(attempt_id), f"{attempt_id} renders for nobody"

    @invariant()
    def where_a_manifest_stands_the_files_do(self) -> None:
        for manifest in (self.folder / "store").rglob(MANIFEST_NAME):
            report = from_json(RenderReport, json.loads(manifest.read_bytes()))
            assert report.outcome is Outcome.SUCCEEDED
            assert report.is_signed_with(KEY)
            for fact in report.artifacts:
                assert (manifest.parent / fact.path).stat().st_size == fact.bytes

    def teardown(self) -> None:
        try:
            self._everything_passes()
            self._nothing_is_lost()
        finally:
            self.life.dies()
            self._folder.cleanup()

    def _everything_passes(self) -> None:
        """Every disk, ComfyUI and coordinator is there again; let it come to an end."""
        self.life.mortality.dies_at = None
        self.it_passes()
        for _ in range(100):
            self.settle()
            self.comfy.starts_the_next()
            self.settle()
            if self.comfy.running:
                self.comfy.ends()
            self.settle()
            self.life.talks()
            self.settle()
            if not (self.life.mortality.actors or self.comfy.queue or self.comfy.running):
                return
        pytest.fail(f"it comes to no end: {[actor.ended for actor in self.life.mortality.actors]}")

    def _nothing_is_lost(self) -> None:
        self.life.talks()
        assert (self.life.spool.started(), self.life.spool.finished()) == ((), ())
        assert self.life.node.hand.count() == 0
        for attempt_id, epoch in self.office.granted.items():
            if attempt_id not in self.office.ends:
                assert epoch in self.dead, f"{attempt_id} was granted to a life that goes on, and never ended"
                assert not self.comfy.rendered[attempt_id] or self._was_restarted_away(attempt_id)
        for attempt_id, report in self.office.ends.items():
            whole = (self.folder / f"store/attempts/{attempt_id}" / MANIFEST_NAME).exists()
            assert whole == (report.outcome is Outcome.SUCCEEDED), f"{attempt_id} ended as {report.outcome}"
            if report.reason == UNSTAGED:
                assert not self.comfy.rendered[attempt_id], "what executes does not make way"

    def _was_restarted_away(self, attempt_id: str) -> bool:
        """Whether ComfyUI has forgotten what it rendered of this attempt."""
        return not any(self.comfy.of[prompt] == attempt_id for prompt in self.comfy.done)


@pytest.fixture(autouse=True)
def stand_still(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wherever the node would wait it gives others their turn; it looks at once instead of after silence."""
    monkeypatch.setattr(follow, "QUIET_S", 0)
    monkeypatch.setattr(follow, "RACE_S", 0)
    monkeypatch.setattr(render, "ProgressSocket", lambda *_: FakeSocket())
    for module in (recover, outputs):
        clock = SimpleNamespace(monotonic=module.time.monotonic, sleep=give_way)
        monkeypatch.setattr(module, "time", clock)
    yield


@seeds(2, without_database=True)
def test_no_order_is_lost_or_rendered_twice_through_all_the_lives_of_its_node(beginning: int) -> None:
    play(NodeLifeMachine, beginning=beginning, examples=50, steps=20)
