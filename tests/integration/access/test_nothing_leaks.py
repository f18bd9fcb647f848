"""Ways around a page's own check: lists asked cleverly, choices, actions over many rows, forged forms."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse

from apps.characters.models import Character
from apps.common.models import StateEvent
from apps.productions.models import Location, Sequence, Shot
from apps.projects.models import Membership, Project
from apps.renders.models import Job, RenderBatch
from apps.review.models import Take
from tests.integration.access.world import CANARY, World
from tests.integration.admin.rows import listing, page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db

OF_FILMS = (Project, Sequence, Shot, Location, Character, RenderBatch, Job, Take)
MEMBERS = ("viewer", "artist", "supervisor", "coordinator", "admin")
EXTREMES = MEMBERS if os.environ.get("ALL") else ("viewer", "artist", "admin")
"""Who may least, who may do what is theirs, who may most; ALL=1: all roles."""


def browser_of(world: World, who: str) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(world.people[who])
    return browser


def said(answer: Any, *sent: str) -> bytes:
    text = answer.content.lower()
    for part in sent:
        text = text.replace(part.lower().encode(), b"")
    return bytes(text)


def foreign_keys(model: Any) -> list[str]:
    return [field.name for field in model._meta.get_fields() if isinstance(field, ForeignKey)]


@pytest.mark.parametrize("who", ("viewer", "admin"))
@pytest.mark.parametrize("model", (*OF_FILMS, StateEvent))
def test_a_list_asked_for_the_other_films_rows_shows_none(world: World, who: str, model: Any) -> None:
    browser = browser_of(world, who)
    row_name = "stateevent" if model is StateEvent else model._meta.model_name
    theirs = world.other[row_name]
    questions = [
        {"q": "zqxjvk"},
        {"id__exact": str(theirs.pk)},
        {"pk__in": str(theirs.pk)},
        {"o": "1"},
        {"all": ""},
        {"p": "99"},
    ]
    for name in foreign_keys(model):
        target = getattr(theirs, f"{name}_id")
        questions.append({f"{name}__id__exact": str(target)})
    for question in questions:
        answer = browser.get(listing(model), question)
        assert answer.status_code in (200, 302, 400), question
        assert CANARY not in said(answer, "zqxjvk" if "q" in question else "-"), question
        rows = answer.context["cl"].result_list if answer.status_code == 200 else ()
        assert theirs.pk not in {row.pk for row in rows}, question


@pytest.mark.parametrize(
    "question",
    [
        {"project__memberships__user__password__startswith": "md5"},
        {"project__memberships__user__username": "viewer"},
        {"memberships__user__password__startswith": "md5"},
        {"shot__project__name__startswith": "ZQ"},
        {"batch__submitted_by__password__startswith": "md5"},
        {"story": "0"},
    ],
)
def test_lists_answer_no_question_about_what_they_do_not_show(world: World, question: dict[str, str]) -> None:
    browser = browser_of(world, "admin")
    for model in (*OF_FILMS, StateEvent):
        answer = browser.get(listing(model), question)
        assert answer.status_code in (302, 400), (model, question)


@pytest.mark.parametrize("who", MEMBERS)
def test_forms_offer_rows_of_the_own_film_only(world: World, who: str) -> None:
    browser = browser_of(world, who)
    theirs = {
        str(world.other[name].pk)
        for name in (
            "project",
            "sequence",
            "shot",
            "location",
            "character",
            "batch",
            "job",
            "take",
            "material",
        )
    }
    theirs |= {str(row.pk) for row in world.other["character"].costumes.all()}
    for name in ("project", "sequence", "shot", "location", "character", "job", "batch", "take"):
        shown = browser.get(page(world.own[name])).content.decode()
        assert not [key for key in theirs if key in shown], name
    for model in (Sequence, Shot, Location, Character):
        answer = browser.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
        assert not [key for key in theirs if key in answer.content.decode()], model


def test_a_forged_form_takes_no_row_of_the_other_film(world: World) -> None:
    browser = browser_of(world, "admin")
    shot, other = world.own["shot"], world.other
    for forged in (
        {"location": str(other["location"].pk)},
        {"sequence": str(other["sequence"].pk)},
        {"casting-0-character": str(other["character"].pk)},
        {"casting-0-costume": str(other["character"].costumes.get().pk)},
        {"project": str(other["project"].pk)},
    ):
        sent = form_of(browser, page(shot))
        known = [name for name in forged if name in sent or name == "project"]
        assert known, forged
        browser.post(page(shot), sent | forged)
        shot.refresh_from_db()
        assert shot.project_id == world.own["project"].pk
        assert shot.sequence.project_id == shot.project_id
        assert shot.location is None or shot.location.project_id == shot.project_id
        for cast in shot.casting.select_related("character", "costume__character"):
            assert cast.character.project_id == shot.project_id
            assert cast.costume is None or cast.costume.character.project_id == shot.project_id


@pytest.mark.parametrize("model", (Sequence, Location, Character))
def test_nothing_is_added_to_the_other_film(world: World, model: Any) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    browser = browser_of(world, "admin")
    before = model.objects.count()
    sent = form_of(browser, address)
    browser.post(
        address,
        sent | {"project": str(world.other["project"].pk), "code": "NEW1", "name": "new", "prompt": "x"},
    )
    assert model.objects.count() == before


@pytest.mark.parametrize("who", EXTREMES)
def test_actions_over_many_rows_reach_no_row_of_the_other_film(world: World, who: str) -> None:
    browser = browser_of(world, who)
    for model in (Shot, Job, Take, Character, Sequence, Location, RenderBatch):
        theirs = world.other[model._meta.model_name or ""]
        before = list(type(theirs).objects.filter(pk=theirs.pk).values())
        actions = {*(admin.site.get_model_admin(model).actions or ()), "delete_selected"}
        for action in actions:
            answer = browser.post(
                listing(model),
                {
                    "action": action,
                    "_selected_action": [str(theirs.pk)],
                    "select_across": "1",
                    "confirmed": "1",
                    "post": "yes",
                },
                follow=True,
            )
            assert CANARY not in said(answer), (model, action)
        assert list(type(theirs).objects.filter(pk=theirs.pk).values()) == before, model
        assert not StateEvent.objects.filter(story=theirs.pk, actor=who).exists()


def test_render_takes_no_shot_of_the_other_film(world: World) -> None:
    browser = browser_of(world, "coordinator")
    both = f"{world.own['shot'].pk},{world.other['shot'].pk}"
    before = Job.objects.filter(project=world.other["project"]).count()
    for shots in (both, str(world.other["shot"].pk)):
        answer = browser.post(
            reverse("admin:productions_shot_render"),
            {
                "shots": shots,
                "key": "k",
                "picture": "sd15_t2i",
                "takes": "1",
                "priority": "20",
                "submit": "1",
            },
            follow=True,
        )
        assert CANARY not in said(answer)
    assert Job.objects.filter(project=world.other["project"]).count() == before


def test_live_rows_are_drawn_for_the_own_film_only(world: World) -> None:
    for who in (*MEMBERS, "client", "outsider"):
        question = {
            "ids": f"{world.other['job'].pk},{world.other['failed'].pk}",
            "batches": str(world.other["batch"].pk),
            "cells": "state,node,take",
        }
        answer = browser_of(world, who).get(reverse("desk:live-jobs"), question)
        assert answer.content == b""


@pytest.mark.parametrize("who", MEMBERS)
def test_the_admins_searches_find_nothing_of_the_other_film(world: World, who: str) -> None:
    browser = browser_of(world, who)
    answer = browser.get(reverse("admin:search"), {"s": "zqxjvk"}, headers={"HX-Request": "true"})
    assert CANARY not in said(answer, "zqxjvk")
    for model, field, status in (
        (Shot, "location", 200),
        (Shot, "sequence", 200),
        (Character, "project", 200),
        (Membership, "user", 403),
    ):
        answer = browser.get(
            reverse("admin:autocomplete"),
            {
                "term": "",
                "app_label": model._meta.app_label,
                "model_name": model.__name__.lower(),
                "field_name": field,
            },
        )
        assert answer.status_code == status
        assert CANARY not in said(answer)


API_QUESTIONS = [
    ("sequences", {"project": "ZQXJVKFILM"}),
    ("shots", {"project": "ZQXJVKFILM"}),
    ("shots", {"sequence": "ZQXJVKcode"}),
    ("shots", {"search": "zqxjvk"}),
    ("characters", {"project": "ZQXJVKFILM"}),
    ("batches", {"project": "ZQXJVKFILM"}),
    ("jobs", {"project": "ZQXJVKFILM"}),
    ("jobs", {"state": "failed"}),
    ("takes", {"project": "ZQXJVKFILM"}),
    ("takes", {"media_state": "ready"}),
    ("materials", {"project": "ZQXJVKFILM"}),
    ("jobs", {"ordering": "project__name"}),
    ("shots", {"ordering": "-code"}),
    ("takes", {"project__name": "x"}),
    ("shots", {"limit": "500", "offset": "0"}),
]


@pytest.mark.parametrize(("name", "question"), API_QUESTIONS)
def test_no_filter_of_the_api_reaches_the_other_film(
    world: World, name: str, question: dict[str, str]
) -> None:
    for who in MEMBERS:
        answer = browser_of(world, who).get(f"/api/v1/{name}", question)
        assert answer.status_code in (200, 400)
        assert CANARY not in said(answer, *question.values())


def test_filters_by_a_row_of_the_other_film_find_nothing(world: World) -> None:
    browser = browser_of(world, "admin")
    for name, question in (
        ("jobs", {"shot": str(world.other["shot"].pk)}),
        ("jobs", {"batch": str(world.other["batch"].pk)}),
        ("takes", {"shot": str(world.other["shot"].pk)}),
        ("takes", {"job_id": str(world.other["job"].pk)}),
    ):
        answer = browser.get(f"/api/v1/{name}", question)
        assert answer.status_code == 400 or answer.json()["count"] == 0, (name, question)


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("shots", {"project": "FROST", "sequence": "{sequence}"}),
        ("shots/{own}", {"row_version": 0, "location": "{location}"}),
        ("shots/{own}", {"row_version": 0, "sequence": "{sequence}"}),
        ("shots/{own}", {"row_version": 0, "project": "{project}"}),
        ("batches", {"project": "FROST", "shots": ["{shot}"], "steps": [{"template": "sd15_t2i"}]}),
        ("batches/plan", {"project": "FROST", "shots": ["{shot}"], "steps": [{"template": "sd15_t2i"}]}),
    ],
)
def test_a_body_that_names_rows_of_the_other_film_is_refused_as_if_they_were_not_there(
    world: World, address: str, body: dict[str, Any]
) -> None:
    words = {
        "sequence": world.other["sequence"].code,
        "location": world.other["location"].code,
        "project": world.other["project"].code,
        "shot": world.other["shot"].full_code,
        "own": str(world.own["shot"].pk),
    }

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.format(**words)
        if isinstance(value, list):
            return [filled(one) for one in value]
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return value

    browser = browser_of(world, "admin")
    send = browser.patch if "{own}" in address else browser.post
    answer = send(
        f"/api/v1/{filled(address)}",
        filled(body),
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 400
    assert CANARY not in said(answer, *words.values())
