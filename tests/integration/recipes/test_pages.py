"""The pages: edit a recipe, start one, go through gates, render what changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.models import Recipe, RecipeRun
from apps.renders.states import JobState
from tests.factories import ShotFactory
from tests.integration.admin.html_forms import sent_by
from tests.integration.recipes.scene import (
    KEYFRAME,
    UPSCALE,
    WHOLE,
    approves,
    jobs,
    recipe_of,
    renders_all,
    started,
    take_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]

CHANGELIST = "admin:recipes_recipe_changelist"


@pytest.fixture
def browser(coordinator: User) -> Client:
    """The coordinator's, who also looks after recipes."""
    User.objects.filter(pk=coordinator.pk).update(is_staff=True)
    coordinator.user_permissions.add(*Permission.objects.filter(content_type__app_label="recipes"))
    made = Client()
    made.force_login(User.objects.get(pk=coordinator.pk))
    return made


def page(run: RecipeRun) -> str:
    return reverse("admin:recipes_reciperun_change", args=[run.pk])


def press(browser: Client, run: RecipeRun, deed: str, **sent: Any) -> Any:
    return browser.post(reverse(f"admin:recipes_reciperun_{deed}", args=[run.pk]), sent, follow=True)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def steps_form(*steps: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    sent: dict[str, Any] = {"steps-TOTAL_FORMS": len(steps), "steps-INITIAL_FORMS": initial}
    for index, step in enumerate(steps):
        sent |= {f"steps-{index}-{name}": value for name, value in step.items()}
    return sent


def test_a_recipe_is_made_in_the_admin_in_the_order_of_its_places(browser: Client) -> None:
    sent = {"slug": "mine", "title": "Mine", "active": "on"} | steps_form(
        {"position": 2, "template": "wan22_i2v", "takes": 1, "gate": "none"},
        {"position": 1, "template": "sd15_t2i", "takes": 3, "gate": "approval"},
    )
    assert browser.post(reverse("admin:recipes_recipe_add"), sent).status_code == 302
    recipe = Recipe.objects.get(slug="mine")
    assert [(spec.template, spec.takes) for spec in recipe.specs] == [("sd15_t2i", 3), ("wan22_i2v", 1)]


def test_steps_that_do_not_fit_together_are_told_beside_the_step(browser: Client) -> None:
    sent = {"slug": "mine", "title": "Mine", "active": "on"} | steps_form(
        {"position": 1, "template": "sd15_t2i", "takes": 1, "gate": "none"},
        {"position": 2, "template": "upscale", "takes": 1, "gate": "none"},
    )
    answer = browser.post(reverse("admin:recipes_recipe_add"), sent)
    assert "upscale starts from: a video, and sd15_t2i before it makes: an image" in text(answer)
    assert not Recipe.objects.filter(slug="mine").exists()


def test_a_recipe_saved_as_it_is_shown_stays_as_it_is(browser: Client) -> None:
    recipe = recipe_of(*WHOLE)
    address = reverse("admin:recipes_recipe_change", args=[recipe.pk])
    shown = text(browser.get(address))
    sent = sent_by(shown[shown.rindex("<form", 0, shown.index('id="recipe_form"')) :], "")
    assert browser.post(address, sent).status_code == 302
    assert Recipe.objects.get(pk=recipe.pk).specs == list(WHOLE)


def test_other_inputs_are_written_as_people_write_them(browser: Client) -> None:
    chain = (
        {"position": 1, "template": "sd15_t2i", "takes": 1, "gate": "none"},
        {"position": 2, "template": "qwen_edit", "takes": 1, "gate": "none"},
        {"position": 3, "template": "wan22_flf", "role": "last_frame", "takes": 1, "gate": "none"},
    )
    address, named = reverse("admin:recipes_recipe_add"), {"slug": "mine", "title": "Mine", "active": "on"}
    wrong = browser.post(address, named | steps_form(*chain[:2], {**chain[2], "also": "first_frame one"}))
    assert "“first_frame one” is not an input and a step’s number" in text(wrong)
    sent = named | steps_form(*chain[:2], {**chain[2], "also": "first_frame 1"})
    assert browser.post(address, sent).status_code == 302
    recipe = Recipe.objects.get(slug="mine")
    assert recipe.specs[2].also == {"first_frame": 1}
    shown = text(browser.get(reverse("admin:recipes_recipe_change", args=[recipe.pk])))
    assert 'value="first_frame 1"' in shown


def test_shipped_recipes_are_listed_and_say_what_is_missing(browser: Client) -> None:
    shown = text(browser.get(reverse(CHANGELIST)))
    assert "Keyframe, then clip" in shown
    assert "rife_interpolate" in shown


def test_a_recipe_is_started_from_the_list_of_shots_once(browser: Client, film: Project, shot: Shot) -> None:
    recipe_of(*WHOLE)
    shots = [shot, ShotFactory.create(sequence=shot.sequence)]
    answer = browser.post(
        reverse("admin:productions_shot_changelist"),
        {"action": "start_recipe", "index": "0", "_selected_action": [str(one.pk) for one in shots]},
    )
    form = sent_by(text(answer), reverse("admin:productions_shot_recipe"))
    checked = browser.post(reverse("admin:productions_shot_recipe"), form | {"recipe": "whole"})
    assert "With every step this makes 10 jobs" in text(checked)
    assert not RecipeRun.objects.exists()
    for _twice in range(2):
        done = browser.post(
            reverse("admin:productions_shot_recipe"), form | {"recipe": "whole", "submit": "1"}
        )
    run = RecipeRun.objects.get()
    assert done["Location"] == page(run)
    assert [len(jobs(run, 0, one)) for one in shots] == [2, 2]


def test_a_recipe_that_cannot_be_rendered_is_shown_with_its_reason_and_not_offered(
    browser: Client, shot: Shot
) -> None:
    recipe_of(KEYFRAME, UPSCALE, slug="broken")
    address = reverse("admin:productions_shot_recipe_one", args=[shot.pk])
    answer = browser.get(address)
    assert "broken" not in dict(answer.context["form"].fields["recipe"].choices)
    assert "upscale starts from: a video" in text(answer)


def test_the_render_page_leads_to_recipes(browser: Client, shot: Shot) -> None:
    shown = text(browser.get(reverse("admin:productions_shot_render_one", args=[shot.pk])))
    assert f'formaction="{reverse("admin:productions_shot_recipe")}"' in shown
    form = sent_by(shown, reverse("admin:productions_shot_render"))
    opened = browser.post(reverse("admin:productions_shot_recipe"), form | {"open": "1"})
    assert [one.pk for one in opened.context["shots"]] == [shot.pk]


def test_a_gate_is_gone_through_on_the_page_of_the_run(
    browser: Client,
    coordinator: User,
    film: Project,
    shot: Shot,
    django_capture_on_commit_callbacks: Any,
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    take = take_of(jobs(run, 0)[0])
    assert "waits for an approved take of step 1, sd15_t2i" in text(browser.get(page(run)))
    with django_capture_on_commit_callbacks(execute=True):
        press(browser, run, "choose", shot=shot.pk, step=1, take=take.pk)
    assert [job.state for job in jobs(run, 1)] == [JobState.READY]


def test_what_is_stale_is_told_and_rendered_by_a_button(
    browser: Client, coordinator: User, film: Project, shot: Shot
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    assert "Render what changed" not in text(browser.get(page(run)))
    Shot.objects.filter(pk=shot.pk).update(description="A boy skates over the lake")
    shown = text(browser.get(page(run)))
    assert "the prompt changed" in shown
    assert "Render what changed" in shown
    press(browser, run, "changed", shot=shot.pk)
    assert len(jobs(run, 0)) == 4
    assert "the prompt changed" not in text(browser.get(page(run)))


def test_more_takes_cancel_and_resume_are_buttons(
    browser: Client, coordinator: User, film: Project, shot: Shot
) -> None:
    run = started(coordinator, film, [shot])
    press(browser, run, "more", shot=shot.pk, step=1, key="k")
    assert len(jobs(run, 0)) == 4
    assert "4 jobs cancelled." in text(press(browser, run, "cancel"))
    assert {job.state for job in jobs(run, 0)} == {JobState.CANCELLED}
    assert "4 jobs requeued." in text(press(browser, run, "resume"))


@pytest.mark.parametrize(
    ("deed", "sent", "told"),
    [
        ("choose", {"step": "1", "take": "no-id"}, "no such take"),
        ("choose", {"step": "x"}, "no such step"),
        ("more", {"step": "9"}, "1 to 4"),
        ("changed", {"shot": "nobody"}, "is not in the run"),
    ],
)
def test_nonsense_is_refused_in_words(
    browser: Client,
    coordinator: User,
    film: Project,
    shot: Shot,
    deed: str,
    sent: dict[str, str],
    told: str,
) -> None:
    run = started(coordinator, film, [shot])
    assert told in text(press(browser, run, deed, **{"shot": str(shot.pk), **sent}))


def test_a_run_whose_recipe_became_another_says_so_and_one_that_broke_still_shows_its_takes(
    browser: Client, coordinator: User, film: Project, shot: Shot
) -> None:
    from apps.recipes.services.editing import write_steps

    run = started(coordinator, film, [shot])
    renders_all(run)
    write_steps(run.recipe, (KEYFRAME, UPSCALE))
    shown = text(browser.get(page(run)))
    assert "The recipe is another now" in shown
    assert "upscale starts from: a video" in shown
    assert str(take_of(jobs(run, 0)[0]).pk) in shown


def test_the_page_asks_the_database_as_often_for_many_shots_as_for_few(
    browser: Client,
    coordinator: User,
    film: Project,
    shot: Shot,
    django_assert_max_num_queries: Any,
) -> None:
    shots = [shot, *ShotFactory.create_batch(11, sequence=shot.sequence)]
    run = started(coordinator, film, shots)
    renders_all(run)
    for one in shots:
        approves(coordinator, jobs(run, 0, one)[0])
    browser.get(page(run))
    with django_assert_max_num_queries(75):
        browser.get(page(run))
