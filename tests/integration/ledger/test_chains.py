"""Shots that continue each other go, come again and go back as a chain, never as a circle."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import newest_batch
from apps.ledger.services.restoring import restore
from apps.ledger.services.undoing import undo
from apps.productions.editing import update_shot
from apps.productions.importing import import_workbook
from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from tests.factories import ShotFactory, UserFactory
from tests.integration.productions.conftest import saved, small_production

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return UserFactory.create(is_superuser=True)


def brought(root: User, shots: int) -> Batch:
    """Import a chain: each shot of SQ020 continues the one before."""
    import_workbook(saved(small_production()), user=root)
    sheets = small_production()
    sheets["Sequences"].append(["SQ020", "The cellar", None])
    sheets["Shots"][0].append("continuity_from")
    codes = [f"SH{10 * number:04}" for number in range(1, shots + 1)]
    for code, before in zip(codes, [None, *codes[:-1]], strict=True):
        continues = f"SQ020_{before}" if before else None
        sheets["Shots"].append(["SQ020", code, "Dark", 24, None, None, None, None, continues])
    import_workbook(saved(sheets), user=root)
    batch = newest_batch(Project.objects.get().pk)
    assert batch is not None
    return batch


def chain() -> list[tuple[str, str | None]]:
    rows = Shot.objects.filter(sequence__code="SQ020").order_by("code")
    return list(rows.values_list("code", "continuity_from__code"))


def test_a_chain_goes_as_a_whole_and_comes_again_linked_as_it_was(root: User) -> None:
    batch = brought(root, 3)
    there = chain()
    assert there == [("SH0010", None), ("SH0020", "SH0010"), ("SH0030", "SH0020")]
    keys = set(Shot.objects.values_list("pk", flat=True))

    undone = undo(batch, user=root)
    assert undone.left == ()
    assert not Sequence.objects.filter(code="SQ020").exists()

    redone = undo(undone.batch, user=root)
    assert redone.left == ()
    assert chain() == there
    assert set(Shot.objects.values_list("pk", flat=True)) == keys
    assert undo(redone.batch, user=root).left == ()
    assert chain() == []


def test_a_long_chain_goes_in_as_many_queries_as_a_short_one(root: User) -> None:
    counts = []
    for length in (3, 12):
        batch = brought(root, length)
        with CaptureQueriesContext(connection) as asked:
            undo(batch, user=root)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_shot_that_another_one_continues_stays_with_what_it_stands_in(root: User) -> None:
    batch = brought(root, 2)
    last = Shot.objects.get(sequence__code="SQ020", code="SH0020")
    roof = Sequence.objects.get(code="SQ010")
    outside = ShotFactory.create(sequence=roof, code="SH0500", continuity_from=last)
    undone = undo(batch, user=root)
    assert {left.label for left in undone.left} == {"SQ020", "SQ020_SH0010", "SQ020_SH0020"}
    outside.refresh_from_db()
    assert outside.continuity_from == last
    assert chain() == [("SH0010", None), ("SH0020", "SH0010")]


def link(shot: Shot, to: Shot | None, user: User) -> Activity:
    shot.refresh_from_db()
    update_shot(shot, user=user, row_version=shot.row_version, continuity_from=to)
    told = Activity.objects.first()
    assert told is not None
    return told


def test_going_back_closes_no_circle(root: User) -> None:
    one = ShotFactory.create(code="SH0010")
    two = ShotFactory.create(sequence=one.sequence, code="SH0020")
    linked = link(one, two, root)
    link(one, None, root)
    link(two, one, root)
    with pytest.raises(Refused, match="circle"):
        restore(linked, user=root)
    one.refresh_from_db()
    assert one.continuity_from is None
