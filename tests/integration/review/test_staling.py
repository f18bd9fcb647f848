"""What is made of a take is stale when another goes on, and fresh again when it returns."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.productions.models import Sequence, Shot
from apps.projects.stages import Stage
from apps.review.models import Take, TakeParent, Unjudged, to_be_judged
from apps.review.services import review_take, staling
from apps.review.services.selecting import select_take, unselect_take
from apps.review.services.staling import judge_missed, judge_stage, judge_take
from apps.review.stale import stale_shots, why_stale
from apps.review.states import Media, Review
from tests.factories import SequenceFactory, ShotFactory, TakeFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sequence() -> Sequence:
    made: Sequence = SequenceFactory.create(code="SQ010")
    return made


def take_of(shot: Shot, kind: str = "clip", *, of: Take | None = None, selected: bool = False) -> Take:
    at = timezone.now() if selected else None
    made: Take = TakeFactory.create(shot=shot, kind=kind, selected=selected, selected_at=at)
    if of is not None:
        TakeParent.objects.create(child=made, parent=of, role="first_frame")
    return made


def select(take: Take) -> None:
    rows = Take.objects.filter(shot=take.shot_id, stage=take.stage)
    rows.update(selected=False, selected_at=None)
    rows.filter(pk=take.pk).update(selected=True, selected_at=timezone.now())
    judge_stage(take.shot_id, take.stage)


def stale(*takes: Take) -> list[bool]:
    now = dict(Take.objects.values_list("pk", "stale_since"))
    return [now[take.pk] is not None for take in takes]


def why(take: Take) -> str:
    return why_stale(Take.objects.get(pk=take.pk))


def film_of(sequence: Sequence, shots: int) -> tuple[list[Shot], list[Take]]:
    """A chain of shots, each clip made of the selected one before."""
    chain: list[Shot] = []
    clips: list[Take] = []
    for number in range(shots):
        shot = ShotFactory.create(
            sequence=sequence,
            code=f"SH{(number + 1) * 10:04}",
            continuity_from=chain[-1] if chain else None,
        )
        chain.append(shot)
        clips.append(take_of(shot, of=clips[-1] if clips else None, selected=True))
    return chain, clips


def test_what_is_made_of_a_take_is_stale_when_another_is_selected_and_fresh_when_it_returns(
    sequence: Sequence,
) -> None:
    shot = ShotFactory.create(sequence=sequence, code="SH0010")
    first, second = take_of(shot, "keyframe", selected=True), take_of(shot, "keyframe")
    clip = take_of(shot, of=first, selected=True)
    finished = take_of(shot, "frames", of=clip)
    select(second)
    assert stale(clip, finished) == [True, True]
    assert f"keyframe take {second.number} now" in why(clip)
    assert "stale itself" in why(finished)
    since = Take.objects.get(pk=clip.pk).stale_since
    judge_stage(shot.pk, Stage.KEYFRAME)
    assert Take.objects.get(pk=clip.pk).stale_since == since
    select(first)
    assert stale(clip, finished) == [False, False]


def test_a_chain_of_shots_is_judged_to_its_end_with_a_bounded_number_of_queries(
    sequence: Sequence, django_assert_max_num_queries: Any
) -> None:
    chain, clips = film_of(sequence, 120)
    other = take_of(chain[0])
    with django_assert_max_num_queries(14):
        select(other)
    assert stale(*clips) == [False] + [True] * 119
    assert set(stale_shots(Shot.objects.all())) == set(chain[1:])
    with django_assert_max_num_queries(14):
        select(clips[0])
    assert not any(stale(*clips))


def test_a_take_that_was_turned_down_makes_stale_what_was_made_of_it(sequence: Sequence) -> None:
    shot = ShotFactory.create(sequence=sequence)
    keyframe = take_of(shot, "keyframe")
    clip = take_of(shot, of=keyframe)
    Take.objects.filter(pk=keyframe.pk).update(review_state=Review.REJECTED)
    judge_stage(shot.pk, Stage.KEYFRAME)
    assert "turned down" in why(clip)
    Take.objects.filter(pk=keyframe.pk).update(review_state=Review.PENDING)
    judge_stage(shot.pk, Stage.KEYFRAME)
    assert stale(clip) == [False]


def test_a_take_born_of_what_was_exchanged_meanwhile_is_stale_at_once(sequence: Sequence) -> None:
    shot = ShotFactory.create(sequence=sequence)
    first, second = take_of(shot, "keyframe"), take_of(shot, "keyframe")
    select(second)
    late = take_of(shot, of=first)
    assert judge_take(late.pk) == 1
    assert stale(late) == [True]


def test_what_a_process_that_died_left_unjudged_is_judged_by_the_leader(sequence: Sequence) -> None:
    """Nothing is heard here: tests end their transaction without a commit, as a process that dies before."""
    chain, clips = film_of(sequence, 3)
    root = UserFactory.create(is_superuser=True)
    other = take_of(chain[0])
    Take.objects.update(media_state=Media.READY)
    other.refresh_from_db()

    assert select_take(other, root)
    assert stale(*clips) == [False, False, False]
    assert judge_missed() == 2
    assert stale(*clips) == [False, True, True]
    assert judge_missed() == 0

    assert unselect_take(other, root)
    assert review_take(Take.objects.get(pk=clips[0].pk), to=Review.REJECTED, user=root)
    assert judge_missed() == 1  # for another reason now, and what is behind it stays stale
    assert "turned down" in why(clips[1])
    assert not Unjudged.objects.exists()


def test_what_changed_while_something_was_judged_is_judged_again(
    sequence: Sequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = ShotFactory.create(sequence=sequence)
    first = take_of(shot, "keyframe", selected=True)
    take_of(shot, of=first)
    to_be_judged(first)
    real = staling._judge

    def meanwhile(*args: Any) -> int:
        to_be_judged(first)
        return real(*args)

    monkeypatch.setattr(staling, "_judge", meanwhile)
    judge_stage(shot.pk, "keyframe")
    assert Unjudged.objects.count() == 1


def test_only_the_take_that_stands_makes_its_shot_stale(sequence: Sequence) -> None:
    shot = ShotFactory.create(sequence=sequence)
    first, second = take_of(shot, "keyframe", selected=True), take_of(shot, "keyframe")
    old = take_of(shot, of=first)
    select(second)
    assert list(stale_shots(Shot.objects.all())) == [shot]
    new = take_of(shot, of=second)  # newer, and nobody has selected one
    assert not stale_shots(Shot.objects.all()).exists()
    select(old)
    assert list(stale_shots(Shot.objects.all())) == [shot]
    select(new)
    assert not stale_shots(Shot.objects.all()).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one writer at a time")
def test_two_selections_at_once_leave_no_wrong_flag(sequence: Sequence) -> None:
    chain, clips = film_of(sequence, 3)
    others = [take_of(chain[0]), take_of(chain[1], of=clips[0])]
    together = threading.Barrier(2)

    def press(take: Take) -> None:
        together.wait(10)
        try:
            select(take)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(take,)) for take in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert stale(*clips, *others) == [False, True, True, False, True]
