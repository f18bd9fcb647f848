"""Who changed what: every change of a tracked object leaves one row, with before and after."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.characters.models import Character
from apps.characters.services import create_character
from apps.common.errors import Refused
from apps.ledger.documents import documents
from apps.ledger.models import Activity
from apps.ledger.services.recording import changing
from apps.presets.models import CinematicPreset
from apps.productions.editing import Part, update_shot
from apps.productions.models import Location, Shot
from apps.productions.services import create_shot, move_shot_status
from apps.projects.members import add_member
from apps.projects.roles import Role
from farm.logs import bound
from tests.factories import LocationFactory, MembershipFactory, SequenceFactory, ShotFactory, UserFactory

pytestmark = pytest.mark.django_db


def newest() -> Activity:
    found = Activity.objects.first()
    assert found is not None
    return found


def test_a_new_shot_is_remembered_with_what_it_says_and_who_made_it() -> None:
    sequence = SequenceFactory.create(code="SQ010")
    alice = MembershipFactory.create(project=sequence.project).user
    with bound(request="request-7"):
        shot = create_shot(sequence=sequence, user=alice, description="Snow falls", frames=30)
    told = Activity.objects.get(kind="shot")
    assert (told.verb, told.actor, told.label) == ("created", alice.username, "SQ010_SH0010")
    assert (told.project, told.object_id) == (sequence.project_id, str(shot.pk))
    assert told.request_id == "request-7"
    assert told.changes["description"] == [None, "Snow falls"]
    assert told.changes["frames"] == [None, 30]
    assert told.changes["sequence"] == [None, "SQ010"]
    assert "notes" not in told.changes


def test_a_changed_shot_leaves_one_row_with_its_cast_and_presets_in_words() -> None:
    shot = ShotFactory.create(description="Snow falls")
    alice = MembershipFactory.create(project=shot.project).user
    elsa = create_character(project=shot.project, name="Elsa", user=None)
    preset = CinematicPreset.objects.select_related("category").first()
    assert preset is not None
    ref = f"{preset.category.slug}/{preset.slug}"
    place = LocationFactory.create(project=shot.project, code="FJORD")
    before = Activity.objects.count()
    update_shot(
        shot,
        user=alice,
        row_version=0,
        casting=[Part(character=elsa.code, action="waves")],
        presets=[ref],
        location=place,
        description="Snow falls",
    )
    assert Activity.objects.count() == before + 1
    told = newest()
    assert (told.verb, told.actor) == ("changed", alice.username)
    assert told.changes["location"] == [None, "FJORD"]
    assert told.changes["presets"] == [[], [ref]]
    was, cast = told.changes["casting"]
    assert was == []
    assert (cast[0]["character"], cast[0]["action"]) == (elsa.code, "waves")
    assert set(told.changes) == {"location", "presets", "casting"}


def test_what_is_refused_or_changes_nothing_leaves_no_row() -> None:
    shot = ShotFactory.create(description="Snow falls")
    alice = MembershipFactory.create(project=shot.project).user
    update_shot(shot, user=alice, row_version=0, description="Snow falls")
    with pytest.raises(Refused):
        update_shot(shot, user=alice, row_version=1, description="Rain", casting=[Part(character="NOBODY")])
    assert not Activity.objects.exists()


def test_a_status_moved_by_a_person_and_a_role_given_are_remembered() -> None:
    shot = ShotFactory.create(status_id="draft")
    admin = MembershipFactory.create(project=shot.project, role=Role.ADMIN).user
    move_shot_status(shot, to="ready", user=admin)
    assert (newest().verb, newest().changes) == ("status", {"status": ["draft", "ready"]})
    bob = UserFactory.create()
    add_member(project=shot.project, member=bob, role=Role.ARTIST, user=admin)
    was, members = newest().changes["members"]
    assert {member["user"] for member in members} - {member["user"] for member in was} == {bob.username}


def test_a_deleted_object_is_remembered_as_it_was() -> None:
    place = LocationFactory.create(code="FJORD", prompt="a cold fjord")
    with changing(Location, [place.pk], actor="farm"):
        place.delete()
    assert (newest().verb, newest().label) == ("deleted", "FJORD")
    assert newest().changes["prompt"] == ["a cold fjord", None]


def test_a_service_that_calls_another_writes_one_row_of_the_outer_one() -> None:
    shot = ShotFactory.create()
    with changing(Shot, actor="alice", verb="tidied"):
        with changing(Shot, [shot.pk], actor="farm"):
            Shot.objects.filter(pk=shot.pk).update(notes="one")
        with changing(Shot, [str(shot.pk)], actor="farm"):
            Shot.objects.filter(pk=shot.pk).update(notes="two")
    told = Activity.objects.get()
    assert (told.actor, told.verb, told.changes) == ("alice", "tidied", {"notes": ["", "two"]})


def test_many_objects_take_as_many_queries_as_one() -> None:
    sequence = SequenceFactory.create()
    shots = [ShotFactory.create(sequence=sequence) for _n in range(12)]

    def queries(some: list[Any]) -> int:
        with (
            CaptureQueriesContext(
                connection,
            ) as asked,
            changing(Shot, [s.pk for s in some], actor="farm"),
        ):
            Shot.objects.filter(pk__in=[shot.pk for shot in some]).update(notes=f"{len(some)} of them")
        return len(asked)

    assert queries(shots[:1]) == queries(shots)
    assert Activity.objects.count() == 1 + 12


def test_every_column_of_a_tracked_object_can_be_read() -> None:
    """A foreign key that a later column adds has no words yet: then this fails, and tracked.py says them."""
    for document in documents():
        assert document.read([]) == {}
        assert document.names
        for children in document.children.values():
            assert set(children.key) <= set(children.row.fields)
    character = Character.objects.create(project=SequenceFactory.create().project, code="CH0001", name="Elsa")
    kinds = {document.kind: document for document in documents()}
    assert kinds["character"].read([character.pk])[character.pk].label == "CH0001"


def test_a_change_of_a_list_alone_is_another_version_of_the_object() -> None:
    """Whoever has the project's form open while somebody else adds a member shall hear of it."""
    admin = MembershipFactory.create(role=Role.ADMIN)
    add_member(project=admin.project, member=UserFactory.create(), role=Role.ARTIST, user=admin.user)
    admin.project.refresh_from_db()
    assert (admin.project.row_version, newest().version) == (1, 1)
