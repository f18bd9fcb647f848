"""Two people at once: neither loses a word to the other, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections

from apps.accounts.models import User
from apps.common.collisions import again_after_collision
from apps.common.errors import Conflict, Stale
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import newest_batch
from apps.ledger.services.batching import open_batch
from apps.ledger.services.undoing import undo
from apps.presets.models import CinematicPreset
from apps.productions.bulk import change_shots, reorder_shots
from apps.productions.editing import update_shot
from apps.productions.importing import import_workbook
from apps.productions.models import Shot
from apps.productions.preset_apply import Mode, apply_presets
from apps.projects.models import Project
from tests.factories import ShotFactory, UserFactory
from tests.integration.productions.conftest import saved, small_production

ROUNDS = 3


@pytest.fixture
def root() -> User:
    return UserFactory.create(is_superuser=True)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do these together, each over its own connection; what each returned or raised."""
    start = threading.Barrier(len(works))
    ends: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            ends[place] = again_after_collision(work)()
        except Exception as exc:  # noqa: BLE001 - carried over to the test's thread
            ends[place] = exc
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one, daemon=True) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "they wait for each other"
    return ends


@pytest.mark.django_db
def test_what_somebody_saves_while_an_import_is_written_is_not_written_over(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_workbook(saved(small_production()), user=root)
    shot = Shot.objects.get(code="SH0020")
    sheets = small_production()
    sheets["Shots"][2][2] = "Three on the roof"

    def meanwhile(**told: Any) -> Batch:
        update_shot(shot, user=root, row_version=shot.row_version, description="Nobody on the roof")
        return open_batch(**told)

    monkeypatch.setattr("apps.productions.importing.apply.open_batch", meanwhile)
    with pytest.raises(Conflict, match="SQ010_SH0020”: Somebody changed this"):
        import_workbook(saved(sheets), user=root)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody waits crosswise")
def test_two_coordinators_at_once_lose_nothing_and_wait_for_each_other_never(root: User) -> None:
    import_workbook(saved(small_production()), user=root)
    film = Project.objects.get()
    first, second = Shot.objects.order_by("code")
    third = ShotFactory.create(sequence=first.sequence, code="SH0300")
    sequence = first.sequence
    look = list(CinematicPreset.objects.filter(slug="tense", project=None).select_related("category"))
    orders = [[first.pk, second.pk, third.pk], [third.pk, second.pk, first.pk]]

    for turn in range(ROUNDS):
        # Two put the same sequence in order: one of the orders stands whole.
        told = at_once(*(partial(reorder_shots, sequence, keys, user=root) for keys in orders))
        assert not failed(told), told
        stands = list(Shot.objects.filter(sequence=sequence).order_by("order").values_list("pk", "order"))
        assert [key for key, _order in stands] in orders
        assert [order for _key, order in stands] == [10, 20, 30]

        # Two bring the same list: it is written once, and the other finds it so.
        sheets = small_production()
        sheets["Shots"][1][2] = f"Roofs, {turn}"
        sheets["Shots"].append(["SQ010", f"SH09{turn}0", "New", 24, None, None, None, None])
        told = at_once(*(partial(import_workbook, saved(sheets), user=root) for _ in range(2)))
        assert not failed(told), told
        assert sorted(one.created for one in told) == [0, 1]

        # Two take it back: one does, the other hears of it.
        batch = newest_batch(film.pk)
        assert batch is not None
        told = at_once(*[partial(undo, batch, user=root)] * 2)
        assert sorted(type(one).__name__ for one in told) == ["Conflict", "Undone"]

        # A look is given to shots while two write in them: all stands, or whoever read too early is told.
        shots, seen = list(Shot.objects.all()), Shot.objects.get(pk=first.pk)
        told = at_once(
            partial(apply_presets, shots, look, mode=Mode.ADD, user=root),
            partial(update_shot, seen, user=root, row_version=seen.row_version, notes=f"turn {turn}"),
            partial(change_shots, film, {second.pk: None}, {"dialogue": f"turn {turn}"}, user=root),
        )
        assert not failed([one for one in told if not isinstance(one, Stale)]), told
        assert {shot.presets.filter(pk=look[0].pk).count() for shot in shots} == {1}
        written = Shot.objects.get(pk=first.pk).notes == f"turn {turn}"
        assert written is not isinstance(told[1], Stale)
        assert Shot.objects.get(pk=second.pk).dialogue == f"turn {turn}"
        apply_presets(shots, look, mode=Mode.REMOVE, user=root)

    versions = Activity.objects.filter(kind="shot", object_id=str(first.pk)).values_list("version", flat=True)
    assert len(versions) == len(set(versions)), "each change is a version of its own"


def failed(told: list[Any]) -> list[Any]:
    return [one for one in told if isinstance(one, Exception)]
