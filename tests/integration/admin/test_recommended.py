"""The shot's page recommends a workflow, Render begins with it, and rules are edited on their page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.productions.models import Shot
from apps.renders.models import Recommendation
from apps.workflows.models import RecommendationRule, WorkflowTemplate
from tests.factories import ShotFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


@pytest.fixture
def running(film: Film) -> Shot:
    """A shot in which somebody runs; the cast does nothing in particular."""
    film.shot.casting.all().delete()
    film.shot.takes.all().delete()
    Shot.objects.filter(pk=film.shot.pk).update(description="The girl runs", description_ko="")
    return Shot.objects.select_related("sequence").get(pk=film.shot.pk)


def press(browser: Client, shot: Shot, **sent: str) -> Any:
    address = reverse("admin:productions_shot_recommendation", args=[shot.pk])
    return browser.post(address, sent, follow=True)


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_shots_page_says_what_is_recommended_and_why(running: Shot, as_: Browser) -> None:
    shown = text_of(as_("viewer").get(page(running)))
    assert "<strong>wan22_i2v</strong>" in shown
    assert "“runs” in the description" in shown
    assert "There is no template wan_animate here." not in shown, "nobody is cast, so its rule is silent"
    assert "Use this instead" not in shown, "a viewer decides nothing"


def test_accepted_overridden_and_taken_back_by_buttons(running: Shot, as_: Browser) -> None:
    artist = as_("artist")
    assert "will be rendered with wan22_i2v" in text_of(press(artist, running))
    assert "Accept wan22_i2v" not in text_of(artist.get(page(running))), "it is accepted already"
    assert "accepted · artist" in text_of(artist.get(page(running)))
    press(artist, running, template="sd15_t2i")
    kept = Recommendation.objects.get(shot=running)
    assert (kept.decision, kept.chosen) == ("overridden", "sd15_t2i")
    assert "Accept wan22_i2v" in text_of(artist.get(page(running)))
    press(artist, running, withdraw="1")
    assert Recommendation.objects.get(shot=running).decision == ""


def test_an_unknown_template_is_refused_in_words(running: Shot, as_: Browser) -> None:
    assert "offered are" in text_of(press(as_("artist"), running, template="not_here"))
    assert not Recommendation.objects.exists()


def test_render_begins_with_what_is_recommended_or_was_decided(running: Shot, as_: Browser) -> None:
    artist = as_("artist")
    address = reverse("admin:productions_shot_render_one", args=[running.pk])
    form = artist.get(address).context["form"]
    assert form["clip"].value() == "wan22_i2v"
    assert form["picture"].value(), "there is no keyframe yet: one is made first"
    press(artist, running, template="sd15_t2i")
    form = artist.get(address).context["form"]
    assert (form["picture"].value(), form["clip"].value() or "") == ("sd15_t2i", "")


def test_selected_shots_are_recommended_for_at_once(running: Shot, as_: Browser) -> None:
    still = ShotFactory.create(sequence=running.sequence, description="A house", description_ko="집")
    chosen = {"action": "recommend_for", "index": "0", "_selected_action": [str(running.pk), str(still.pk)]}
    answer = as_("coordinator").post(listing(Shot), chosen, follow=True)
    assert "Recommended: 1 × " in text_of(answer)
    kept = dict(Recommendation.objects.values_list("shot__description", "template"))
    assert kept == {"The girl runs": "wan22_i2v", "A house": "flux_t2i"}


def test_rules_are_read_by_members_and_edited_by_the_farm(film: Film, as_: Browser) -> None:
    WorkflowTemplate.objects.filter(slug="wan22_i2v").update(active=False)
    shown = text_of(as_("viewer").get(listing(RecommendationRule)))
    assert "inert: not offered" in shown
    rule = RecommendationRule.objects.get(slug="large-movement")
    root = as_("root")
    edited = root.get(page(rule))
    assert text_of(edited).count("does not matter") == 3
    form = edited.context["adminform"].form
    sent = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    sent |= {"keywords": "run, hurry,run\nhurry", "keyframe": "unknown", "previous_clip": "unknown"}
    sent |= {"dialogue": "unknown", "active": "on", "row_version": edited.context["row_version"]}
    answer = root.post(page(rule), sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    rule.refresh_from_db()
    assert (rule.keywords, rule.row_version) == ("run, hurry", 1)
    wrong = {"min_characters": "3", "max_characters": "1", "row_version": rule.row_version}
    bad = root.post(page(rule), sent | wrong)
    assert "no shot would fit" in text_of(bad)
