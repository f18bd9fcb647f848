"""Going back: one object to an earlier version, a whole batch at once, and forth again."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.characters.models import Character, Costume
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import history_of, newest_batch
from apps.ledger.services.restoring import restore
from apps.ledger.services.undoing import undo
from apps.productions.editing import Part, update_shot
from apps.productions.importing import import_workbook
from apps.productions.locking import lock_shot
from apps.productions.models import Location, Sequence, Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from tests.factories import (
    CostumeFactory,
    MembershipFactory,
    ShotFactory,
    TakeFactory,
    UserFactory,
)
from tests.integration.productions.conftest import saved, small_production

pytestmark = pytest.mark.django_db


def planner(shot: Shot) -> User:
    return MembershipFactory.create(project=shot.project, role=Role.COORDINATOR).user


def change(shot: Shot, user: User, **fields: object) -> Activity:
    shot.refresh_from_db()
    update_shot(shot, user=user, row_version=shot.row_version, **fields)  # type: ignore[arg-type]
    told = Activity.objects.first()
    assert told is not None
    return told


def test_a_shot_goes_back_to_an_earlier_version_with_its_cast() -> None:
    shot = ShotFactory.create()
    alice = planner(shot)
    costume = CostumeFactory.create(character__project=shot.project, name="Cloak")
    part = Part(character=costume.character.code, action="waves", costume="Cloak")
    wanted = change(shot, alice, description="Snow falls", casting=[part])
    change(shot, alice, description="Rain", casting=[], notes="hm")

    assert restore(wanted, user=alice) == 3
    shot.refresh_from_db()
    assert (shot.description, shot.notes) == ("Snow falls", "")
    cast = shot.casting.get()
    assert (cast.action, cast.costume) == ("waves", costume)
    newest = history_of(Shot, shot.pk)[0]
    assert (newest.verb, newest.actor) == ("restored", alice.username)
    assert newest.changes["description"] == ["Rain", "Snow falls"]


def test_what_no_longer_exists_is_named_and_nothing_is_restored() -> None:
    shot = ShotFactory.create()
    alice = planner(shot)
    costume = CostumeFactory.create(character__project=shot.project, name="Cloak")
    wanted = change(
        shot, alice, description="Snow", casting=[Part(character=costume.character.code, costume="Cloak")]
    )
    change(shot, alice, description="Rain", casting=[])
    costume.delete()
    with pytest.raises(Refused, match=r"casting\[0\]\.costume “Cloak”: there is none of this name"):
        restore(wanted, user=alice)
    shot.refresh_from_db()
    assert shot.description == "Rain"


def test_who_may_not_plan_restores_nothing_and_a_locked_shot_stays() -> None:
    shot = ShotFactory.create()
    alice = planner(shot)
    wanted = change(shot, alice, description="Snow")
    change(shot, alice, description="Rain")
    client = MembershipFactory.create(project=shot.project, role=Role.CLIENT).user
    with pytest.raises(NotAllowed):
        restore(wanted, user=client)
    lock_shot(shot, user=alice)
    with pytest.raises(Refused, match="locked this shot"):
        restore(wanted, user=alice)


def test_a_costume_that_is_there_before_and_after_stays_the_row_it_is() -> None:
    """Shots point at costumes: putting a character back must not undress them."""
    old = CostumeFactory.create(name="Cloak", prompt="a red cloak")
    character, project = old.character, old.character.project
    cast = ShotFactory.create(sequence__project=project).casting.create(character=character, costume=old)
    admin = MembershipFactory.create(project=project, role=Role.ADMIN).user
    from apps.ledger.services.recording import changing

    with changing(Character, [character.pk], actor=admin):
        Character.objects.filter(pk=character.pk).update(name="Anna", default_costume=old)
    first = history_of(Character, character.pk)[0]
    with changing(Character, [character.pk], actor=admin):
        Costume.objects.filter(pk=old.pk).update(prompt="a grey cloak")
        Costume.objects.create(character=character, name="Boots", prompt="boots")
        Character.objects.filter(pk=character.pk).update(default_costume=None)
    restore(first, user=admin)
    character.refresh_from_db()
    cast.refresh_from_db()
    assert [(one.pk, one.prompt) for one in character.costumes.all()] == [(old.pk, "a red cloak")]
    assert (cast.costume, character.default_costume) == (old, old)


@pytest.fixture
def film(root: User) -> Project:
    import_workbook(saved(small_production()), user=root)
    return Project.objects.get()


@pytest.fixture
def root() -> User:
    return UserFactory.create(is_superuser=True)


def second_import(root: User) -> Batch:
    sheets = small_production()
    sheets["Shots"][1][3] = 120
    sheets["Shots"][2][2] = "Three on the roof"
    sheets["Sequences"].append(["SQ020", "The cellar", None])
    sheets["Characters"].append(["CH0002", "Kay", "no", None])
    sheets["Shots"].append(["SQ020", "SH0010", "Dark", 24, None, None, None, None])
    sheets["Casting"].append(["SQ020_SH0010", "CH0002", "hides", None])
    sheets["Casting"].append(["SQ010_SH0010", "CH0002", "looks", None])
    import_workbook(saved(sheets), user=root)
    batch = newest_batch(Project.objects.get().pk)
    assert batch is not None
    return batch


def everything() -> list[object]:
    return [
        sorted(Sequence.objects.values_list("code", flat=True)),
        sorted(Character.objects.values_list("code", flat=True)),
        sorted(Shot.objects.values_list("sequence__code", "code", "frames", "description")),
        sorted(Shot.objects.values_list("code", "casting__character__code", "casting__action")),
    ]


def test_an_import_is_taken_back_and_brought_again(film: Project, root: User) -> None:
    before = everything()
    batch = second_import(root)
    after = everything()
    keys = set(Shot.objects.values_list("pk", flat=True))

    undone = undo(batch, user=root)
    assert everything() == before
    assert undone.left == ()
    assert undone.batch.undoes == batch
    with pytest.raises(Conflict, match="has taken this back already"):
        undo(batch, user=root)

    redone = undo(undone.batch, user=root)
    assert everything() == after
    assert set(Shot.objects.values_list("pk", flat=True)) == keys  # the same shots, not others like them
    assert redone.left == ()
    undo(batch, user=root)
    assert everything() == before


def test_what_somebody_changed_since_is_named_and_left_alone(film: Project, root: User) -> None:
    batch = second_import(root)
    one, two = Shot.objects.get(code="SH0010", sequence__code="SQ010"), Shot.objects.get(code="SH0020")
    change(one, root, frames=60)
    change(two, root, notes="ask")  # another field than the import changed

    undone = undo(batch, user=root)
    assert [(left.label, left.fields) for left in undone.left] == [("SQ010_SH0010", ("frames",))]
    one.refresh_from_db()
    two.refresh_from_db()
    assert one.frames == 60
    assert (two.description, two.notes) == ("Two on the roof", "ask")


def test_it_is_overwritten_if_that_is_asked_for(film: Project, root: User) -> None:
    batch = second_import(root)
    one = Shot.objects.get(code="SH0010", sequence__code="SQ010")
    change(one, root, frames=60)
    assert undo(batch, user=root, overwrite=True).left == ()
    one.refresh_from_db()
    assert one.frames == 96


def test_a_shot_of_which_something_was_made_stays_and_so_does_what_it_stands_in(
    film: Project, root: User
) -> None:
    batch = second_import(root)
    dark = Shot.objects.get(sequence__code="SQ020")
    TakeFactory.create(shot=dark)
    undone = undo(batch, user=root)
    told = {left.label: left.why for left in undone.left}
    assert set(told) == {"SQ020_SH0010", "SQ020", "CH0002"}
    assert "take" in told["SQ020_SH0010"]
    assert Shot.objects.filter(pk=dark.pk).exists()
    assert not Location.objects.filter(code="SQ020").exists()
