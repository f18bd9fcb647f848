"""A shot's status: moved by people, by rendering and by verdicts; only as its table says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from apps.common.errors import Refused
from apps.productions import states, verdicts
from apps.productions.models import Shot
from apps.productions.rendering import shot_has_take, shots_are_rendering
from apps.productions.services import create_shot, move_shot_status
from tests.event_chain import EventChain
from tests.factories import SequenceFactory
from tests.machines import play, seeds

pytestmark = pytest.mark.django_db

LEFT_ALONE = {states.FINAL, states.ON_HOLD, states.OMITTED}
"""What somebody signed off or put aside, the farm does not move."""
BY_ITSELF: dict[str, Callable[[Shot], object]] = {
    "a render is submitted": lambda shot: shots_are_rendering([shot], actor="farm"),
    "a take comes back": lambda shot: shot_has_take(shot, actor="farm"),
    "a take is approved": lambda shot: verdicts.shot_is_approved(shot, actor="farm", reason=""),
    "a retake is asked for": lambda shot: verdicts.shot_needs_retake(shot, actor="farm", reason=""),
    "an approval is taken back": lambda shot: verdicts.shot_lost_approval(shot, actor="farm", reason=""),
}


class ShotMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.chain = EventChain()
        self.page = self.shot = create_shot(sequence=SequenceFactory.create(), user=None)

    def now(self) -> Shot:
        return Shot.objects.get(pk=self.shot.pk)

    @rule()
    def somebody_opens_its_page(self) -> None:
        self.page = self.now()

    @rule(to=st.sampled_from(sorted(states.SHOT.states)))
    def somebody_moves_it_from_that_page(self, to: str) -> None:
        before = self.now().status_id
        try:
            moved = move_shot_status(self.page, to=to, user=None)
        except Refused:
            assert to not in states.SHOT.moves[str(self.page.status_id)]
            moved = False
        assert moved == (self.page.status_id == before and to in states.SHOT.moves[str(before)])
        assert self.now().status_id == (to if moved else before)

    @rule(what=st.sampled_from(sorted(BY_ITSELF)))
    def something_happens_on_the_farm(self, what: str) -> None:
        before = self.now().status_id
        BY_ITSELF[what](self.page)
        assert before not in LEFT_ALONE or self.now().status_id == before

    @invariant()
    def its_events_tell_the_whole_way(self) -> None:
        self.chain.check()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)


@seeds(2)
def test_a_shot_moves_only_as_its_table_says(db: None, beginning: int) -> None:
    play(ShotMachine, beginning=beginning, examples=5, steps=30)
