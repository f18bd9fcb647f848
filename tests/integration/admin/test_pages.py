"""What stands on which page for whom. Who gets in at all: tests/integration/access."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.accounts.models import User
from apps.characters.models import Character
from apps.common.models import StateEvent
from apps.presets.models import CinematicPreset, PresetCategory
from apps.productions.models import Location, Sequence, Shot, ShotStatus
from apps.projects.models import Project
from apps.renders.models import Job, RenderBatch
from apps.review.models import Take
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page

pytestmark = pytest.mark.django_db

ROLES = ("admin", "coordinator", "artist", "viewer")
SCOPED = (Project, Sequence, Shot, Location, Character, RenderBatch, Job, Take)
SHARED = (PresetCategory, CinematicPreset, ShotStatus, WorkflowTemplate)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("model", SCOPED)
def test_lists_hold_rows_of_the_own_film_only(
    film: Film, other_film: Film, as_: Browser, model: type, role: str
) -> None:
    rows = as_(role).get(listing(model)).context["cl"].result_list
    page_of: Any = admin.site.get_model_admin(model)
    assert {page_of.project_of(row) for row in rows} == {film.project.pk}


@pytest.mark.parametrize("model", SHARED)
def test_members_read_what_all_films_share_but_do_not_change_it(
    film: Film, as_: Browser, model: type[PresetCategory], templates: None
) -> None:
    row = model.objects.first()
    assert row is not None
    assert as_("coordinator").get(listing(model)).status_code == 200
    assert as_("coordinator").get(page(row)).status_code == 200
    assert as_("coordinator").post(page(row), {"name": "mine"}).status_code == 403


def test_a_template_version_shows_its_graph_and_manifest(film: Film, as_: Browser, templates: None) -> None:
    version = WorkflowTemplateVersion.objects.filter(template__slug="sd15_t2i").get()
    shown = as_("viewer").get(page(version)).content.decode()
    assert "KSampler" in shown
    assert "&quot;bindings&quot;" in shown


def test_only_a_films_admin_manages_its_members(film: Film, as_: Browser) -> None:
    assert "memberships-0-role" in as_("admin").get(page(film.project)).content.decode()
    assert "memberships-0-role" not in as_("coordinator").get(page(film.project)).content.decode()
    assert as_("coordinator").post(page(film.project), {"name": "mine"}).status_code == 403


def test_activity_tells_of_the_own_film_only(film: Film, other_film: Film, as_: Browser) -> None:
    rows = as_("viewer").get(listing(StateEvent)).context["cl"].result_list
    stories = {event.story for event in rows}
    assert film.job.pk in stories
    assert other_film.job.pk not in stories


@pytest.mark.parametrize("who", (*ROLES, "nobody", "root"))
def test_everyone_on_staff_has_a_home(film: Film, other_film: Film, as_: Browser, who: str) -> None:
    answer = as_(who).get(reverse("admin:index"))
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert ("FROST" in shown) is (who != "nobody")
    assert ("SECRET" in shown) is (who == "root")


def test_the_farm_page_hides_what_other_films_render(film: Film, other_film: Film, as_: Browser) -> None:
    shown = as_("viewer").get(reverse("desk:farm")).content.decode()
    assert film.shot.full_code in shown
    assert other_film.shot.full_code not in shown
    assert "1 job of another project" in shown
    assert as_("nobody").get(reverse("desk:farm")).status_code == 403


def test_filters_offer_rows_of_the_own_film_only(film: Film, other_film: Film, as_: Browser) -> None:
    shown = as_("root").get(listing(Shot)).content.decode()
    assert str(other_film.rows["sequence"].pk) in shown
    shown = as_("artist").get(listing(Shot)).content.decode()
    assert str(other_film.rows["sequence"].pk) not in shown


def test_a_job_page_tells_the_whole_story(film: Film, as_: Browser) -> None:
    shown = as_("viewer").get(page(film.job)).content.decode()
    assert "submitted" in shown
    assert "second line" in shown
    assert "Traceback …" in shown
    assert "out of memory" in shown


def test_a_simulated_take_says_so_wherever_it_stands(film: Film, as_: Browser) -> None:
    for address in (listing(Take), page(film.take), page(film.shot), reverse("admin:index")):
        assert "SIMULATED" in as_("viewer").get(address).content.decode()


def test_the_admin_speaks_the_language_a_user_has_chosen(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    User.objects.filter(pk=people["viewer"].pk).update(language="ko")
    shown = as_("viewer").get(listing(Shot)).content.decode()
    assert '<html lang="ko"' in shown
    assert film.shot.description_ko in shown
