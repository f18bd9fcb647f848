"""Presets and looks on shots: hard rules, reasons, and many shots at once."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.ledger.models import Batch
from apps.ledger.services.undoing import undo
from apps.presets.models import CinematicPreset, Look
from apps.presets.services.looks import create_look
from apps.productions.bulk import change_shots
from apps.productions.editing import update_shot
from apps.productions.models import Shot
from apps.productions.preset_apply import (
    Mode,
    apply_presets,
    combined,
    in_order,
    plan_presets,
    presets_of_look,
)
from apps.projects.models import Project
from tests.factories import MembershipFactory, SequenceFactory, ShotFactory, ShotPresetFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return SequenceFactory.create(project__code="FROST").project


@pytest.fixture
def planner(project: Project) -> User:
    return MembershipFactory.create(project=project).user


@pytest.fixture
def shots(project: Project) -> list[Shot]:
    sequence = project.sequences.get()
    return [ShotFactory.create(sequence=sequence) for _ in range(3)]


def named(*refs: str) -> list[CinematicPreset]:
    found = {preset.ref: preset for preset in CinematicPreset.objects.select_related("category")}
    return [found[ref] for ref in refs]


def give(shot: Shot, *refs: str) -> None:
    for order, preset in enumerate(named(*refs)):
        ShotPresetFactory.create(shot=shot, preset=preset, order=order)


def presets_of(shot: Shot) -> list[str]:
    rows = shot.shot_presets.select_related("preset__category").order_by("order")
    return [row.preset.ref for row in rows]


@pytest.mark.parametrize(
    ("mode", "after"),
    (
        (Mode.ADD, ["mood/tense", "shot_size/wide-shot", "mood/epic", "era/1980s"]),
        (Mode.FILL, ["shot_size/close-up", "mood/tense", "era/1980s"]),
        (Mode.REPLACE, ["shot_size/wide-shot", "mood/epic", "era/1980s"]),
        (Mode.REMOVE, ["shot_size/close-up", "mood/tense"]),
    ),
)
def test_what_becomes_of_the_presets_of_a_shot(mode: str, after: list[str]) -> None:
    there = named("shot_size/close-up", "mood/tense")
    given = named("shot_size/wide-shot", "mood/epic", "era/1980s")
    assert [preset.ref for preset in combined(there, given, mode)] == after


def test_a_look_goes_to_many_shots_at_once_and_each_change_is_shown_before(
    shots: list[Shot], planner: User
) -> None:
    give(shots[0], "colour_palette/pastel", "mood/serene")
    noir = presets_of_look(Look.objects.get(slug="film-noir"))
    plan = plan_presets(in_order([one.pk for one in shots]), noir, mode=Mode.ADD, user=planner)
    first = plan.rows[0]
    assert [preset.ref for preset in first.lost] == ["colour_palette/pastel"]
    assert [one.rule.slug for one in first.broken] == ["calm-and-threat"]
    assert presets_of(shots[0]) == ["colour_palette/pastel", "mood/serene"]

    done = apply_presets(shots, noir, mode=Mode.ADD, user=planner, token=plan.token)
    assert done.changed == 3
    assert presets_of(shots[0])[0] == "mood/serene"
    assert all(set(presets_of(shot)) >= {preset.ref for preset in noir} for shot in shots)
    assert {shot.row_version for shot in Shot.objects.all()} == {1}


def test_nothing_is_given_to_any_shot_if_one_would_break_a_hard_rule(
    shots: list[Shot], planner: User
) -> None:
    Shot.objects.filter(pk=shots[2].pk).update(time_of_day="night")
    sun = named("lighting_style/hard-sun")
    with pytest.raises(Refused) as refused:
        apply_presets(shots, sun, mode=Mode.ADD, user=planner)
    (problem,) = refused.value.problems
    assert problem.field == f"{shots[2].full_code} presets"
    assert "There is no sun at night" in str(problem.message)
    assert not any(presets_of(shot) for shot in shots)

    apply_presets(shots, sun, mode=Mode.ADD, user=planner, reason="The sun is a searchlight")
    reasons = {shot.pk: shot.preset_override for shot in Shot.objects.all()}
    assert reasons.pop(shots[2].pk) == "The sun is a searchlight"
    assert set(reasons.values()) == {""}


def test_shots_that_changed_since_they_were_shown_are_not_touched(shots: list[Shot], planner: User) -> None:
    tense = named("mood/tense")
    shown = plan_presets(in_order([one.pk for one in shots]), tense, mode=Mode.ADD, user=planner)
    update_shot(shots[1], user=planner, row_version=0, notes="moved")
    with pytest.raises(Conflict, match="changed since this was shown"):
        apply_presets(shots, tense, mode=Mode.ADD, user=planner, token=shown.token)
    assert not presets_of(shots[0])


def test_what_all_shots_have_already_is_no_bulk_change(shots: list[Shot], planner: User) -> None:
    tense = named("mood/tense")
    assert apply_presets(shots, tense, mode=Mode.ADD, user=planner).batch is not None
    again = apply_presets(shots, tense, mode=Mode.ADD, user=planner)
    assert (again.changed, again.batch, Batch.objects.count()) == (0, None, 1)


def test_shots_of_two_films_are_not_taken_together(shots: list[Shot], planner: User) -> None:
    other = ShotFactory.create()
    with pytest.raises(Refused, match="several projects"):
        apply_presets([*shots, other], named("mood/tense"), mode=Mode.ADD, user=planner)
    with pytest.raises(NotAllowed):
        apply_presets([other], named("mood/tense"), mode=Mode.ADD, user=planner)


def test_two_of_an_exclusive_category_are_given_to_no_shot(shots: list[Shot], planner: User) -> None:
    two = named("shot_size/close-up", "shot_size/wide-shot")
    with pytest.raises(Refused, match="allows one per shot"):
        apply_presets(shots, two, mode=Mode.REPLACE, user=planner)


def test_a_hard_rule_refuses_a_change_that_touches_it_and_no_other(shots: list[Shot], planner: User) -> None:
    shot = shots[0]
    give(shot, "lighting_style/hard-sun")
    with pytest.raises(Refused, match="There is no sun at night"):
        update_shot(shot, user=planner, row_version=0, time_of_day="night")
    shot.refresh_from_db()
    assert (shot.time_of_day, shot.row_version) == ("", 0)
    update_shot(shot, user=planner, row_version=0, time_of_day="night", preset_override="a searchlight")
    update_shot(shot, user=planner, row_version=1, notes="as agreed")
    shot.refresh_from_db()
    assert shot.preset_override == "a searchlight"
    update_shot(shot, user=planner, row_version=2, time_of_day="day")
    shot.refresh_from_db()
    assert shot.preset_override == "", "a reason that nothing needs any more goes"


def test_the_year_of_a_sequence_stands_before_the_projects(shots: list[Shot], planner: User) -> None:
    project, sequence = shots[0].project, shots[0].sequence
    project.period_year = 1900
    project.save()
    with pytest.raises(Refused, match="no neon signs before 1912"):
        update_shot(shots[0], user=planner, row_version=0, presets=["light_source/neon"])
    sequence.period_year = 2000
    sequence.save()
    update_shot(shots[0], user=planner, row_version=0, presets=["light_source/neon"])
    assert presets_of(shots[0]) == ["light_source/neon"]


def test_an_archived_preset_stays_on_its_shots_and_comes_to_no_other(
    shots: list[Shot], planner: User
) -> None:
    give(shots[0], "mood/tense")
    CinematicPreset.objects.filter(category__slug="mood", slug="tense").update(archived=True)
    update_shot(shots[0], user=planner, row_version=0, presets=["mood/tense", "mood/epic"])
    assert presets_of(shots[0]) == ["mood/tense", "mood/epic"]
    with pytest.raises(Refused, match="no such preset"):
        update_shot(shots[1], user=planner, row_version=0, presets=["mood/tense"])


def test_giving_presets_to_many_shots_takes_as_many_queries_as_to_a_few(
    shots: list[Shot], planner: User, django_assert_max_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    tense = named("mood/tense")
    counts = []
    for chosen in (shots[:1], [ShotFactory.create(sequence=shots[0].sequence) for _ in range(9)]):
        with CaptureQueriesContext(connection) as seen:
            apply_presets(chosen, tense, mode=Mode.ADD, user=planner)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_look_is_kept_by_who_plans_and_of_presets_that_go_together(project: Project, planner: User) -> None:
    look = create_look(project=project, name="Our Nights", presets=["mood/tense"], user=planner)
    assert (look.slug, look.project) == ("our-nights", project)
    with pytest.raises(Refused, match="allows one per shot"):
        create_look(project=project, name="x", presets=["era/1980s", "era/silent-era"], user=planner)
    with pytest.raises(NotAllowed):
        create_look(project=project, name="y", presets=["mood/tense"], user=UserFactory.create())
    with pytest.raises(NotAllowed, match=r"presets\.add_look"):
        create_look(project=None, name="z", presets=["mood/tense"], user=planner)


def test_a_bulk_change_is_refused_by_the_shots_it_would_make_wrong(shots: list[Shot], planner: User) -> None:
    give(shots[1], "lighting_style/hard-sun")
    keys: dict[UUID, int | None] = {shot.pk: None for shot in shots}
    with pytest.raises(Refused, match="There is no sun at night") as refused:
        change_shots(shots[0].project, keys, {"time_of_day": "night"}, user=planner)
    assert [problem.field for problem in refused.value.problems] == [f"{shots[1].full_code} presets"]
    assert set(Shot.objects.values_list("time_of_day", flat=True)) == {""}
    assert change_shots(shots[0].project, keys, {"notes": "seen"}, user=planner).batch


def test_presets_given_to_many_shots_are_taken_back_as_one(shots: list[Shot], planner: User) -> None:
    give(shots[0], "mood/serene")
    apply_presets(shots, named("mood/tense"), mode=Mode.REPLACE, user=planner)
    assert presets_of(shots[0]) == ["mood/tense"]
    undo(Batch.objects.get(), user=planner)
    assert [presets_of(shot) for shot in shots] == [["mood/serene"], [], []]
