"""A shot continues another of its film: never itself, never in a circle, whoever tries at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import User
from apps.common.collisions import again_after_collision
from apps.common.errors import Refused
from apps.productions.continuity import candidates, shots_before, shots_behind
from apps.productions.editing import update_shot
from apps.productions.models import Sequence, Shot
from tests.factories import MembershipFactory, SequenceFactory, ShotFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sequence() -> Sequence:
    made: Sequence = SequenceFactory.create(code="SQ010")
    return made


@pytest.fixture
def planner(sequence: Sequence) -> User:
    user: User = MembershipFactory.create(project=sequence.project).user
    return user


def chain(sequence: Sequence, length: int) -> list[Shot]:
    shots: list[Shot] = []
    for number in range(length):
        before = shots[-1] if shots else None
        code = f"SH{(number + 1) * 10:04}"
        shots.append(ShotFactory.create(sequence=sequence, code=code, continuity_from=before))
    return shots


def continue_(shot: Shot, other: Shot | None, user: User, **more: Any) -> None:
    version = Shot.objects.values_list("row_version", flat=True).get(pk=shot.pk)
    update_shot(shot, user=user, row_version=version, continuity_from=other, **more)


def test_a_chain_is_read_in_both_directions_with_one_query_each(
    sequence: Sequence, django_assert_num_queries: Any
) -> None:
    shots = chain(sequence, 120)
    with django_assert_num_queries(2):
        assert [one.pk for one in shots_before(shots[-1].pk)] == [one.pk for one in reversed(shots)]
        assert [one.pk for one in shots_behind(shots[0].pk)] == [one.pk for one in shots]


def test_a_circle_is_refused_and_the_way_round_named(sequence: Sequence, planner: User) -> None:
    first, _second, third = chain(sequence, 3)
    with pytest.raises(Refused, match="SQ010_SH0010 ← SQ010_SH0020 ← SQ010_SH0030 ← SQ010_SH0010"):
        continue_(first, third, planner)
    with pytest.raises(Refused, match="circle"):
        continue_(first, first, planner)
    assert Shot.objects.get(pk=first.pk).continuity_from is None


def test_a_shot_of_another_film_is_refused(sequence: Sequence, planner: User) -> None:
    shot, stranger = ShotFactory.create(sequence=sequence), ShotFactory.create()
    with pytest.raises(Refused, match="another project"):
        continue_(shot, stranger, planner)


def test_a_shot_may_keep_latents_of_the_one_it_continues(sequence: Sequence, planner: User) -> None:
    first, second = ShotFactory.create(sequence=sequence), ShotFactory.create(sequence=sequence)
    continue_(second, first, planner, continuity_keep="latents")
    assert Shot.objects.get(pk=second.pk).continuity_keep == "latents"


def test_the_database_refuses_itself(sequence: Sequence) -> None:
    shot = ShotFactory.create(sequence=sequence)
    with pytest.raises(IntegrityError), transaction.atomic():
        Shot.objects.filter(pk=shot.pk).update(continuity_from=shot)


def test_offered_is_what_may_be_continued(sequence: Sequence) -> None:
    first, second, third = chain(sequence, 3)
    assert candidates(second) == [first.full_code]
    assert candidates(third) == [first.full_code, second.full_code]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one writer at a time")
def test_two_who_would_close_a_circle_at_once_do_not(sequence: Sequence, planner: User) -> None:
    first, second = ShotFactory.create(sequence=sequence), ShotFactory.create(sequence=sequence)
    together = threading.Barrier(2)
    refused: list[Refused] = []

    def press(shot: Shot, other: Shot) -> None:
        try:
            together.wait(10)
            again_after_collision(continue_)(shot, other, planner)
        except Refused as exc:
            refused.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 1
    assert Shot.objects.exclude(continuity_from=None).count() == 1
