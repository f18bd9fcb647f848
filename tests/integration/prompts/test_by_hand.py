"""Texts written by hand, and builds that nobody changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed
from apps.ledger.models import Activity
from apps.productions.models import Shot
from apps.projects.roles import Role
from apps.prompts.models import FrozenBuildError, PromptBuild, PromptEdit
from apps.prompts.preview import previews
from apps.prompts.reader import Reader
from apps.prompts.services import build_prompt, build_prompts, drop_edit, edit_prompt, set_order
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    CinematicPresetFactory,
    LocationFactory,
    MembershipFactory,
    SequenceFactory,
    ShotCharacterFactory,
    ShotFactory,
    ShotPresetFactory,
)

pytestmark = pytest.mark.django_db
IMAGE = Reader("image", "flux")


def planner_of(shot: Shot, role: Role = Role.COORDINATOR) -> User:
    user: User = MembershipFactory.create(project=shot.project, role=role).user
    return user


def write(shot: Shot, positive: str | None = "By hand", **said: object) -> PromptEdit:
    told = {"user": planner_of(shot), "channel": "image", "negative": None, "positive": positive} | said
    return edit_prompt(shot, **told)  # type: ignore[arg-type]  # a test's own words


def test_a_text_by_hand_takes_the_composers_place_and_the_composers_is_kept_beside_it() -> None:
    shot = ShotFactory.create(negative="crowd")
    edit = write(shot)
    build = build_prompt(shot, IMAGE)
    assert (build.positive, build.by_hand) == ("By hand", True)
    assert build.negative.startswith("crowd, ")
    (hand,) = [one for one in build.segments if one["role"] == "positive"]
    assert (hand["source"], hand["source_id"], hand["label"]) == ("hand", str(edit.pk), edit.edited_by)
    assert build.composed["positive"] == shot.description
    assert build_prompt(shot, Reader("video")).by_hand is False


def test_a_dropped_text_gives_the_old_build_back() -> None:
    shot = ShotFactory.create()
    composed = build_prompt(shot, IMAGE)
    edit = write(shot)
    assert drop_edit(shot, user=planner_of(shot), channel="image", row_version=edit.row_version)
    assert build_prompt(shot, IMAGE) == composed
    assert not drop_edit(shot, user=planner_of(shot), channel="image", row_version=7)


def test_what_changed_since_is_told_by_subject_with_what_was_and_is() -> None:
    shot = ShotFactory.create(weather="snow")
    gerda = CharacterFactory.create(project=shot.project)
    casting = ShotCharacterFactory.create(shot=shot, character=gerda, costume_override="a sail")
    write(shot)
    assert previews([shot], IMAGE)[shot.pk].changes == ()
    casting.costume_override, gerda.age = "a net", "12"
    casting.save()
    gerda.save()
    shot.weather, shot.location = "fog", LocationFactory.create(project=shot.project)
    shot.save()
    ShotPresetFactory.create(shot=shot, preset=CinematicPresetFactory.create(prompt_fragment="wide"))
    changes = {change.aspect: change for change in previews([shot], IMAGE)[shot.pk].changes}
    assert changes.keys() == {"character", "costume", "weather", "location", "preset"}
    assert (changes["costume"].was, changes["costume"].now) == (("wearing a sail",), ("wearing a net",))
    assert changes["character"].told == "the cast changed since"


def test_a_movement_that_was_added_does_not_outdate_a_picture() -> None:
    shot = ShotFactory.create()
    write(shot)
    ShotPresetFactory.create(shot=shot, preset=CinematicPresetFactory.create(channel="video"))
    assert previews([shot], IMAGE)[shot.pk].changes == ()


def test_another_language_shows_the_composers_text_and_a_changed_one_is_told() -> None:
    shot = ShotFactory.create(description_ko="소녀가 걷는다")
    write(shot)
    korean = previews([shot], IMAGE, language="ko")[shot.pk]
    assert (korean.build.by_hand, korean.build.positive) == (False, "소녀가 걷는다")
    shot.project.prompt_language = "ko"
    shot.project.save()
    now = previews([shot], IMAGE)[shot.pk]
    assert (now.build.positive, now.build.language) == ("By hand", "en")
    assert [change.aspect for change in now.changes] == ["language"]


def test_trigger_words_that_the_text_by_hand_lacks_are_named() -> None:
    shot = ShotFactory.create()
    member = CharacterFactory.create(project=shot.project, use_lora=True)
    CharacterLoraFactory.create(character=member, trigger_words=["gerda_v2", "braided girl"])
    ShotCharacterFactory.create(shot=shot, character=member)
    write(shot, "a braided girl waits")
    assert previews([shot], IMAGE)[shot.pk].missing_triggers == ["gerda_v2"]


def test_what_is_typed_by_hand_keeps_its_lines() -> None:
    edit = write(ShotFactory.create(), "one  \r\n\r\ntwo,, three. ")
    assert edit.positive == "one\n\ntwo,, three."


def test_whoever_may_not_plan_writes_nothing() -> None:
    shot = ShotFactory.create()
    with pytest.raises(NotAllowed):
        write(shot, user=planner_of(shot, Role.CLIENT))
    artist = planner_of(shot, Role.ARTIST)
    with pytest.raises(NotAllowed):
        write(shot, user=artist)
    shot.assignees.add(artist)
    assert write(shot, user=artist).edited_by == artist.username


def test_the_ledger_remembers_who_wrote_what() -> None:
    shot = ShotFactory.create()
    user = planner_of(shot)
    edit = write(shot, user=user)
    write(shot, "Else", user=user, row_version=edit.row_version)
    drop_edit(shot, user=user, channel="image", row_version=2)
    rows = Activity.objects.filter(kind="prompt_edit").order_by("at", "pk")
    assert [row.verb for row in rows] == ["created", "changed", "deleted"]
    assert rows[1].changes["positive"] == ["By hand", "Else"]
    assert rows[1].label == f"{shot.full_code}_image"


def test_prompts_of_thirty_shots_take_the_queries_of_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    sequence = SequenceFactory.create()
    shots = ShotFactory.create_batch(30, sequence=sequence)
    for shot in shots[:3]:
        write(shot)
    build_prompts(shots, IMAGE)
    for some in (shots, shots[:1]):
        with django_assert_num_queries(7):  # settings, facts (4, nobody is cast), edits, builds
            build_prompts(some, IMAGE)


def test_no_door_changes_or_deletes_a_build() -> None:
    shot = ShotFactory.create()
    build = build_prompt(shot, IMAGE)
    build.positive = "else"
    for change in (
        build.save,
        build.delete,
        lambda: PromptBuild.objects.filter(pk=build.pk).update(positive="else"),
        lambda: PromptBuild.objects.bulk_update([build], ["positive"]),
        lambda: PromptBuild.objects.all().delete(),
    ):
        with pytest.raises(FrozenBuildError), transaction.atomic():
            change()
    with (
        pytest.raises(IntegrityError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as by,
    ):
        by.execute("UPDATE prompts_promptbuild SET positive = 'else'")
    assert PromptBuild.objects.get().positive == shot.description


def test_a_shot_that_goes_takes_its_builds_along() -> None:
    shot = ShotFactory.create()
    build_prompt(shot, IMAGE)
    shot.delete()
    assert not PromptBuild.objects.exists()


def test_a_projects_order_counts_and_two_settings_at_once_lose_none() -> None:
    shot = ShotFactory.create(negative="crowd")
    admin = planner_of(shot, Role.ADMIN)
    version = shot.project.row_version
    set_order(shot.project, {"negative": [{"segment": "shot"}]}, user=admin, row_version=version)
    assert build_prompt(shot, IMAGE).negative == "crowd"
    with pytest.raises(Conflict):
        set_order(shot.project, {}, user=admin, row_version=version)
    assert Activity.objects.filter(kind="project").latest("at").changes.keys() == {"composer"}


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_at_once_one_is_told() -> None:
    shot = ShotFactory.create()
    user, together = planner_of(shot), Barrier(2)

    def write_now(text: str) -> str:
        try:
            together.wait()
            edit_prompt(shot, user=user, channel="image", positive=text, negative=None)
        except Conflict:
            return "told"
        finally:
            connection.close()
        return text

    with ThreadPoolExecutor(2) as people:
        said = list(people.map(write_now, ("hers", "his")))
    assert sorted(said)[1:] == ["told"]
    assert PromptEdit.objects.get().positive == said[said[0] == "told"]
