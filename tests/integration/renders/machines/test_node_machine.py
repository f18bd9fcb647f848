"""A node: what it says of itself, what its silence means, what is desired of it; life after life."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.nodes.services import set_desired
from apps.nodes.states import Desired, Observed
from apps.renders.services.farmclock import leases_may_expire
from apps.renders.services.reports import answer
from apps.renders.services.sweep import sweep
from farm.contracts import NodeReport, NodeState
from tests.integration.renders.machines.road import Road, World, pick
from tests.machines import play, seeds

pytestmark = pytest.mark.django_db

NAME = "gpu24"


class NodeMachine(RuleBasedStateMachine):
    """Plays one node of a farm whose other nodes go on reporting."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.road, self.world = Road(world), world
        self.hand = self.road.hands[NAME]
        self.letters: list[NodeReport] = []
        self.former: set[str] = set()

    def now(self) -> Node:
        return Node.objects.get(name=NAME)

    @rule(state=st.sampled_from(NodeState))
    def it_reports(self, state: NodeState) -> None:
        was_offline = self.now().observed == Observed.OFFLINE
        told = self.hand.reports(state=state)
        assert told.new_epoch == was_offline, "only a node that was given up begins anew"
        node = self.now()
        assert node.observed == (Observed.OFFLINE if was_offline else str(state))
        assert told.serve == (not was_offline and serving().filter(pk=node.pk).exists())
        if told.new_epoch:
            self._begins_a_new_life()

    @rule()
    def it_is_started_anew(self) -> None:
        self._begins_a_new_life()

    def _begins_a_new_life(self) -> None:
        self.former.add(self.hand.epoch)
        self.road.restarts(self.hand)
        assert (self.now().epoch, self.now().observed) == (self.hand.epoch, Observed.IDLE)

    @rule()
    def a_report_of_it_is_delayed(self) -> None:
        self.letters.append(self.hand.writes())

    @precondition(lambda self: self.letters)
    @rule(which=st.integers(0, 5))
    def a_delayed_report_arrives(self, which: int) -> None:
        letter, before = pick(self.letters, which), self.now()
        told = answer(letter)
        if letter.epoch == before.former_epoch:
            assert told.new_epoch
            assert (self.now().epoch, self.now().observed) == (before.epoch, before.observed)

    @rule(desired=st.sampled_from(Desired.values))
    def somebody_wishes_something_of_it(self, desired: str) -> None:
        before = self.now().desired
        assert set_desired(self.now(), desired, user=self.world.operator) == (before != desired)
        assert self.now().desired == desired

    @rule(seconds=st.sampled_from([1, 8, 16, 31, 70]))
    def it_is_silent_while_others_report(self, seconds: int) -> None:
        self.world.time.passes(seconds)
        self.road.hands["twin24"].reports()

    @rule()
    def sweep_has_its_turn(self) -> None:
        before, judged = self.now(), leases_may_expire(self.world.time())
        sweep()
        reported = before.reported_at
        assert reported is not None
        silent = (self.world.time() - reported).total_seconds() > 30
        gone = before.observed == Observed.OFFLINE or (judged and silent)
        assert self.now().observed == (Observed.OFFLINE if gone else before.observed)

    @invariant()
    def its_events_tell_the_whole_way(self) -> None:
        self.road.chain.check()

    @invariant()
    def only_who_is_here_and_wanted_serves(self) -> None:
        node = self.now()
        here = node.observed in (Observed.IDLE, Observed.BUSY) and node.desired == Desired.ACTIVE
        assert serving().filter(pk=node.pk).exists() == here

    def teardown(self) -> None:
        self.road.forget()


@seeds(2)
def test_a_node_moves_only_as_its_tables_say(world: World, beginning: int) -> None:
    play(lambda: NodeMachine(world), beginning=beginning, examples=4, steps=30)
