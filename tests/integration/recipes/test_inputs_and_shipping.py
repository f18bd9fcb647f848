"""Any file input may be filled by the take of the step before; shipped recipes follow the release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.materials.services import add_material
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.models import Recipe
from apps.recipes.services.choosing import choose
from apps.recipes.services.going_on import go_on_missed
from apps.recipes.services.rerendering import render_changed, render_more
from apps.recipes.services.shipped import SHIPPED, ship
from apps.recipes.spec import Gate, StepSpec
from apps.renders.models import Attempt, Job
from apps.renders.services.material import remove_material
from apps.renders.services.orders import order_for
from apps.workflows.services import sync_templates, template_of
from tests.factories import CharacterFactory, ShotCharacterFactory
from tests.integration.materials.made import picture, upload
from tests.integration.recipes.scene import (
    KEYFRAME,
    approves,
    cell,
    jobs,
    recipe_of,
    rendered,
    renders_all,
    stale,
    started,
    take_of,
)
from tests.integration.renders.test_files import picture_of
from workflows.load import template_from

pytestmark = pytest.mark.django_db

EDIT_GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
    "2": {
        "class_type": "ImageScale",
        "inputs": {
            "image": ["1", 0],
            "upscale_method": "lanczos",
            "width": 512,
            "height": 512,
            "crop": "disabled",
        },
    },
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
}
EDIT: dict[str, Any] = {
    "manifest": 1,
    "slug": "edit",
    "version": 1,
    "title": {"en": "Edit", "ko": "편집"},
    "description": {"en": "Edits a picture.", "ko": "사진을 편집합니다."},
    "kind": "keyframe",
    "produces": "image",
    "bindings": {
        "reference": {"type": "file", "targets": [{"node": "1", "input": "image"}]},
        "width": {"type": "int", "min": 64, "max": 4096, "targets": [{"node": "2", "input": "width"}]},
        "height": {"type": "int", "min": 64, "max": 4096, "targets": [{"node": "2", "input": "height"}]},
        "filename_prefix": {"type": "text", "targets": [{"node": "3", "input": "filename_prefix"}]},
    },
    "defaults": {"width": 512, "height": 512},
    "dim_step": 2,
    "outputs": [{"node": "3", "kind": "image", "role": "primary"}],
    "vram": [],
    "models": [],
    "timeouts": {"execution_s": 600, "hang_s": 60},
}


def test_an_edit_is_sent_the_approved_picture_as_its_reference(
    film: Project, coordinator: User, shot: Shot
) -> None:
    sync_templates([template_from(EDIT_GRAPH, EDIT)])
    run = started(coordinator, film, [shot], recipe_of(KEYFRAME, StepSpec(template="edit")))
    renders_all(run)
    approves(coordinator, jobs(run, 0)[1])
    assert go_on_missed() == 1
    [edit] = jobs(run, 1)
    attempt = Attempt.objects.create(
        job=edit, number=1, state="dispatched", token="t", queue="vram.0", tier_gb=0, accept_by=database_now()
    )
    [given] = order_for(attempt).inputs
    assert (given.node, given.input) == ("1", "image")
    assert given.key == take_of(jobs(run, 0)[1]).artifacts.get().key


def test_a_step_is_stale_when_the_reference_pictures_of_its_cast_change_and_not_before(
    film: Project, coordinator: User, shot: Shot
) -> None:
    character = CharacterFactory.create(project=film)
    ShotCharacterFactory.create(shot=shot, character=character)
    face = picture_of(character)
    edit = StepSpec(template="qwen_edit", takes=2, gate=Gate.APPROVAL)
    run = started(coordinator, film, [shot], recipe_of(edit, StepSpec(template="wan22_i2v")))
    renders_all(run)
    approves(coordinator, jobs(run, 0)[0])
    assert go_on_missed() == 1
    assert stale(run) == [[], []]
    face.delete()
    picture_of(character, 1)
    assert stale(run) == [["pictures"], ["upstream"]]


def test_a_step_that_began_with_the_plate_of_its_shot_is_stale_when_the_plate_is_exchanged(
    film: Project, coordinator: User, shot: Shot, artifact_root: Path
) -> None:
    plate = add_material(shot, upload(picture(), "plate.png"), user=coordinator).material
    run = started(
        coordinator,
        film,
        [shot],
        recipe_of(StepSpec(template="wan22_i2v"), StepSpec(template="rife_interpolate")),
    )
    renders_all(run)
    assert jobs(run, 0)[0].values["first_frame"] == str(plate.pk)
    assert stale(run) == [[], []]
    remove_material(plate, user=coordinator)
    add_material(shot, upload(picture(colour="red"), "plate.png"), user=coordinator)
    assert stale(run) == [["material first_frame"], ["upstream"]]


def test_the_final_clip_of_the_shipped_chain_has_the_looks_of_what_was_approved(
    film: Project, coordinator: User, shot: Shot
) -> None:
    run = started(coordinator, film, [shot], Recipe.objects.get(slug="keyframe_final"))
    assert [len(jobs(run, place)) for place in range(4)] == [4, 0, 0, 0]
    renders_all(run)
    approves(coordinator, jobs(run, 0)[2])
    assert go_on_missed() == 1
    [clip] = jobs(run, 1)
    take = rendered(clip)
    take.artifacts.update(width=768, height=432, frames=33, fps=16.0)
    approves(coordinator, clip)
    assert go_on_missed() == 1
    [smooth], [final] = jobs(run, 2), jobs(run, 3)
    assert (smooth.width, smooth.height, smooth.frames, smooth.fps) == (768, 432, 65, 32)
    assert (final.width, final.height, final.frames, final.fps) == (1536, 864, 65, 32)
    assert final.length["trim"] == {"in": 0, "out": 64}
    renders_all(run)
    assert stale(run) == [[], [], [], []]


def test_shipped_recipes_follow_the_release_unless_somebody_edited_them(templates: None) -> None:
    followed, edited = (Recipe.objects.get(slug=slug) for slug in ("keyframe_clip", "keyframe_draft"))
    for recipe in (followed, edited):
        recipe.steps.all().delete()
        Recipe.objects.filter(pk=recipe.pk).update(title="Mine")
    Recipe.objects.filter(pk=edited.pk).update(row_version=1)
    for _twice in range(2):
        ship(apps=apps)
    followed.refresh_from_db()
    edited.refresh_from_db()
    [shipped] = [one for one in SHIPPED if one.slug == "keyframe_clip"]
    assert (followed.title, followed.specs) == (shipped.title, list(shipped.steps))
    assert (edited.title, edited.specs) == ("Mine", [])


PICTURE = StepSpec(template="sd15_t2i")
LAST = StepSpec(template="edit")
BOTH = StepSpec(template="wan22_flf", role="last_frame", also={"first_frame": 1})


def inputs_of(job: Job) -> dict[str, str]:
    """The files that a job is sent with, by the input of its template that each fills."""
    attempt = Attempt.objects.create(
        job=job, number=1, state="dispatched", token="t", queue="vram.0", tier_gb=0, accept_by=database_now()
    )
    bindings = template_of(job.template_version).manifest.bindings
    places = {(t.node, t.input): role for role, one in bindings.items() for t in one.targets}
    return {places[file.node, file.input]: file.key for file in order_for(attempt).inputs}


def key_of(job: Job) -> str:
    return str(take_of(job).artifacts.get().key)


def test_a_step_takes_files_of_two_steps_that_render_with_it(
    film: Project, coordinator: User, shot: Shot
) -> None:
    sync_templates([template_from(EDIT_GRAPH, EDIT)])
    run = started(coordinator, film, [shot], recipe_of(PICTURE, LAST, BOTH))
    [first], [last], [clip] = (jobs(run, place) for place in range(3))
    assert dict(clip.dependencies.values_list("role", "depends_on")) == {
        "first_frame": first.pk,
        "last_frame": last.pk,
    }
    renders_all(run)
    assert inputs_of(clip) == {"first_frame": key_of(first), "last_frame": key_of(last)}
    assert stale(run) == [[], [], []]


def test_a_step_takes_files_of_two_steps_that_were_approved_and_is_stale_when_either_changes(
    film: Project, coordinator: User, shot: Shot
) -> None:
    sync_templates([template_from(EDIT_GRAPH, EDIT)])
    gated = replace(LAST, takes=2, gate=Gate.APPROVAL)
    run = started(coordinator, film, [shot], recipe_of(KEYFRAME, gated, BOTH))
    renders_all(run)
    first, other_first = jobs(run, 0)
    approves(coordinator, first)
    assert go_on_missed() == 1
    renders_all(run)
    last, other_last = jobs(run, 1)
    approves(coordinator, last)
    assert go_on_missed() == 1
    renders_all(run)
    [clip] = jobs(run, 2)
    assert inputs_of(clip) == {"first_frame": key_of(first), "last_frame": key_of(last)}
    assert stale(run) == [[], [], []]
    choose(cell(run, 1), take_of(other_last), user=coordinator)
    assert stale(run) == [[], [], ["source"]]
    render_changed(run, user=coordinator)
    assert inputs_of(jobs(run, 2)[1]) == {"first_frame": key_of(first), "last_frame": key_of(other_last)}
    choose(cell(run, 0), take_of(other_first), user=coordinator)
    assert stale(run) == [[], ["source"], ["source first_frame"]]


def test_more_takes_of_a_step_are_made_of_the_same_two_files(
    film: Project, coordinator: User, shot: Shot
) -> None:
    sync_templates([template_from(EDIT_GRAPH, EDIT)])
    run = started(coordinator, film, [shot], recipe_of(PICTURE, LAST, BOTH))
    renders_all(run)
    [first], [last] = jobs(run, 0), jobs(run, 1)
    render_more(run, user=coordinator, shot=shot, position=2, key="more")
    assert inputs_of(jobs(run, 2)[1]) == {"first_frame": key_of(first), "last_frame": key_of(last)}
    assert stale(run) == [[], [], []]
