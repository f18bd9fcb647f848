"""Select shots, press Render."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.productions.models import Shot
from apps.renders.models import Job, Priority, RenderBatch
from tests.factories import (
    ArtifactFactory,
    CharacterFactory,
    CharacterLoraFactory,
    ShotCharacterFactory,
    ShotFactory,
    TakeFactory,
)
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page
from workflows.load import all_templates

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


def select(browser: Client, shots: list[Shot]) -> Any:
    """Tick shots in the list and press Render."""
    ids = [str(shot.pk) for shot in shots]
    return browser.post(listing(Shot), {"action": "render_shots", "index": "0", "_selected_action": ids})


def press(browser: Client, answer: Any, **asked: Any) -> Any:
    """Fill in the form that came back and press its button."""
    form = answer.context["form"]
    hidden = {"shots": form["shots"].value(), "key": form["key"].value()}
    typed = {"picture": "sd15_t2i", "takes": "1", "priority": "10", "submit": "1"}
    return browser.post(reverse("admin:productions_shot_render"), hidden | typed | asked)


def batches_of(film: Film) -> int:
    return RenderBatch.objects.filter(project=film.project).exclude(pk=film.job.batch_id).count()


def test_a_press_makes_one_job_per_shot_and_leads_to_the_batch(film: Film, as_: Browser) -> None:
    shots = [film.shot, *ShotFactory.create_batch(2, sequence=film.shot.sequence)]
    browser = as_("coordinator")
    answer = press(browser, select(browser, shots), priority="20", seed="5", note="first look")
    batch = RenderBatch.objects.get(note="first look")
    assert answer["Location"] == page(batch)
    assert {job.shot for job in batch.jobs.all()} == set(shots)
    assert {(job.priority, job.seed) for job in batch.jobs.all()} == {(Priority.HIGH, 5)}


def test_a_double_click_makes_one_batch(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    form = select(browser, [film.shot])
    first, second = press(browser, form), press(browser, form)
    assert first["Location"] == second["Location"]
    assert batches_of(film) == 1


def test_a_keyframe_and_then_a_clip_makes_the_clip_wait(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    press(browser, select(browser, [film.shot]), clip="wan22_i2v")
    clip = Job.objects.get(kind="clip")
    assert clip.dependencies.get().depends_on.kind == "keyframe"


def test_the_preview_says_jobs_need_and_tier_and_submits_nothing(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    ids = str(film.shot.pk)
    form = {"shots": ids, "key": "k", "picture": "flux_t2i", "takes": "3", "priority": "10"}
    answer = browser.post(reverse("admin:productions_shot_render"), form)
    line = answer.context["lines"][0]
    assert (line.jobs, line.need_gb, line.tier_gb) == (3, 16, 16)
    assert "This makes 3 jobs" in answer.content.decode()
    assert batches_of(film) == 0


def test_what_is_wrong_is_named_per_shot_with_value_and_remedy(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    answer = press(browser, select(browser, [film.shot]), picture_width="1001")
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert f"{film.shot.full_code}.width = 1001" in shown
    assert batches_of(film) == 0


def test_a_clip_without_any_keyframe_says_what_to_do(film: Film, as_: Browser) -> None:
    lonely = ShotFactory.create(sequence=film.shot.sequence)
    browser = as_("coordinator")
    shown = press(browser, select(browser, [lonely]), picture="", clip="wan22_i2v").content.decode()
    assert "no keyframe to start from" in shown
    assert batches_of(film) == 0


def test_choosing_nothing_is_said_beside_the_field(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    shown = press(browser, select(browser, [film.shot]), picture="").content.decode()
    assert "Choose a picture template" in shown


def test_zero_takes_are_refused(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    answer = press(browser, select(browser, [film.shot]), takes="0")
    assert "takes" in answer.context["form"].errors
    assert batches_of(film) == 0


def test_an_artist_renders_no_shot_of_others(film: Film, as_: Browser) -> None:
    viewer = as_("viewer")
    ids = str(film.shot.pk)
    form = {"shots": ids, "key": "k", "picture": "sd15_t2i", "takes": "1", "priority": "10", "submit": "1"}
    assert viewer.post(reverse("admin:productions_shot_render"), form).status_code == 403
    assert batches_of(film) == 0


def test_shots_of_another_film_cannot_be_smuggled_in(film: Film, other_film: Film, as_: Browser) -> None:
    form = {
        "shots": f"{film.shot.pk},{other_film.shot.pk}",
        "key": "k",
        "picture": "sd15_t2i",
        "takes": "1",
        "priority": "10",
        "submit": "1",
    }
    as_("coordinator").post(reverse("admin:productions_shot_render"), form)
    assert not Job.objects.filter(shot=other_film.shot).exclude(pk=other_film.job.pk).exists()


def test_shots_of_two_films_are_not_rendered_together(film: Film, other_film: Film, as_: Browser) -> None:
    root = as_("root")
    assert select(root, [film.shot, other_film.shot])["Location"] == listing(Shot)


def test_five_hundred_shots_go_through_the_form(film: Film, as_: Browser) -> None:
    shots = [film.shot, *ShotFactory.create_batch(499, sequence=film.shot.sequence)]
    browser = as_("coordinator")
    press(browser, select(browser, shots))
    assert Job.objects.filter(project=film.project).count() == 501


def two_people(film: Film) -> None:
    for order, name in enumerate(("Gerda", "Kay")):
        person = CharacterFactory.create(project=film.project, name=name, use_lora=True)
        CharacterLoraFactory.create(character=person, base_model="sd15", file=f"{name}.safetensors")
        ShotCharacterFactory.create(shot=film.shot, character=person, order=order)


def test_the_form_warns_of_two_peoples_loras_and_the_press_goes_on(film: Film, as_: Browser) -> None:
    two_people(film)
    browser = as_("coordinator")
    form = {"shots": str(film.shot.pk), "key": "k", "picture": "sd15_t2i", "takes": "2", "priority": "10"}
    preview = browser.post(reverse("admin:productions_shot_render"), form)
    assert [warning.code for _label, warning in preview.context["warnings"]] == ["loras_bleed"]
    assert "bleed into each other" in preview.content.decode()
    assert "This makes 2 jobs" in preview.content.decode()
    answer = browser.post(reverse("admin:productions_shot_render"), form | {"submit": "1"}, follow=True)
    assert answer.content.decode().count("bleed into each other") == 1
    job = Job.objects.filter(batch__project=film.project).order_by("-created_at")[0]
    assert [row["code"] for row in job.warnings] == ["loras_bleed"]
    shown = browser.get(page(job)).content.decode()
    assert "bleed into each other" in shown
    assert "Gerda.safetensors" in shown


def test_a_file_is_named_for_an_input_of_the_template(film: Film, as_: Browser) -> None:
    lonely = ShotFactory.create(sequence=film.shot.sequence)
    take = TakeFactory.create(shot=film.shot, kind="keyframe", media_state="ready")
    frame = ArtifactFactory.create(take=take, kind="image")
    browser = as_("coordinator")
    form = select(browser, [lonely])
    offered = dict(form.context["form"].fields["file_1"].choices)
    assert (str(frame.pk), f"{take} · image") in offered["takes"]
    press(browser, form, picture="", clip="wan22_i2v", input_1="first_frame", file_1=str(frame.pk))
    assert Job.objects.get(shot=lonely).values["first_frame"] == str(frame.pk)


def test_files_are_named_with_their_input_and_for_an_input_that_is_there(film: Film, as_: Browser) -> None:
    frame = ArtifactFactory.create(
        take=TakeFactory.create(shot=film.shot, kind="keyframe", media_state="ready"), kind="image"
    )
    browser = as_("coordinator")
    half = press(browser, select(browser, [film.shot]), input_1="first_frame").content.decode()
    assert "Choose both, or neither." in half
    unused = press(browser, select(browser, [film.shot]), input_1="first_frame", file_1=str(frame.pk))
    assert "The templates chosen take no such file." in unused.content.decode()
    assert batches_of(film) == 0


def test_the_form_begins_with_a_keyframe_that_needs_no_file_and_offers_every_template(
    film: Film, as_: Browser
) -> None:
    form = select(as_("artist"), [film.shot]).context["form"]
    assert form.fields["picture"].initial == "flux_t2i"
    choices = {value for name in ("picture", "clip") for value, _label in form.fields[name].choices}
    assert choices - {""} == {template.slug for template in all_templates()}


def test_a_file_that_is_missing_is_named_with_its_shot_and_the_files_are_at_hand(
    film: Film, as_: Browser
) -> None:
    browser = as_("artist")
    answer = press(browser, select(browser, [film.shot]), picture="controlnet_pose")
    [(field, problem)] = answer.context["problems"]
    assert field == f"Picture: {film.shot.full_code}.control"
    assert "under Files" in str(problem.message)
    assert answer.context["files_open"]


def test_a_preview_drawn_again_while_the_button_is_held_submits_nothing(film: Film, as_: Browser) -> None:
    form = {"shots": str(film.shot.pk), "key": "k", "picture": "sd15_t2i", "takes": "1", "priority": "10"}
    address, browser = reverse("admin:productions_shot_render"), as_("coordinator")
    before = RenderBatch.objects.count()
    shown = browser.post(address, form | {"submit": "1"}, headers={"HX-Request": "true"})
    assert (shown.status_code, RenderBatch.objects.count()) == (200, before)
    assert 'id="preview"' in shown.content.decode()
