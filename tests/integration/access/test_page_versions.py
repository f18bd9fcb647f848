"""Whoever sends a page that writes over something says which version it is of; every page is asked."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client

from tests.integration.access.addresses import Address, every_address
from tests.integration.access.premises import Premises
from tests.integration.access.table import EXPECTED, body_of
from tests.integration.access.test_every_address import Watch, undone
from tests.integration.access.world import World
from tests.integration.admin.html_forms import form_with

pytestmark = pytest.mark.django_db

_DEED: Final = "done or not done: there is nothing to type that another could have said otherwise"
_SET: Final = "set or lifted, one yes or no"
_NEW: Final = "makes something new, and writes over nothing"
_READS: Final = "is only looked at"
_WISH: Final = "one wish that says all there is; its events tell who wished what before"

VERSIONED: Final = {
    "nodes/node/bound",
    "nodes/node/note",
    "nodes/node/place",
    "productions/shot/assignees",
    "productions/shot/cell",
    "projects/project/composer",
    "projects/project/cover",
    "projects/project/folders/layout",
    "sheets/importbatch/mapping",
    "sheets/importbatch/options",
    "workflows/workflowimport/convert",
}
"""Pages and buttons of a row that write over what somebody said; and every model's own form, see below."""

WITHOUT: Final = {
    **dict.fromkeys(
        (
            *("ledger/batch/undo", "nodes/node/requeue", "nodes/node/software", "nodes/node/well"),
            *("nodes/node/prove", "nodes/node/unprove", "workflows/workflowtemplate/prove"),
            *("notices/delivery/again", "notices/notice/read", "notices/subscription/ping"),
            *("notices/subscription/secret", "productions/sequence/stale"),
            *("projects/project/archives/ask", "projects/project/archives/discard"),
            "projects/project/folders/confirm",
            *(
                f"recipes/reciperun/{deed}"
                for deed in ("cancel", "cancel-stale", "changed", "more", "resume")
            ),
            *("renders/job/cancel", "renders/job/requeue"),
            *("renders/renderbatch/cancel", "renders/renderbatch/requeue"),
            *("renders/need/forget", "renders/nodeblock/clear"),
            *("review/take/again", "review/take/publish"),
            *("workflows/workflowimport/connect", "workflows/workflowimport/discard"),
            *(f"sheets/importbatch/{deed}" for deed in ("again", "confirm", "discard", "undo")),
        ),
        _DEED,
    ),
    **dict.fromkeys(
        (
            *("productions/shot/lock", "productions/shot/unlock", "projects/project/pause"),
            *("renders/job/pause", "renders/renderbatch/pause"),
            *("workflows/workflowtemplateversion/deprecate", "workflows/workflowtemplateversion/offer"),
        ),
        _SET,
    ),
    **dict.fromkeys(
        (
            *(f"{model}/material" for model in ("productions/shot", "productions/sequence")),
            *("projects/project/material", "productions/shot/keep_look"),
            *("productions/shot/recipe", "productions/shot/render"),
        ),
        _NEW,
    ),
    **dict.fromkeys(
        (
            *("productions/shot/choices", "productions/shot/prompt", "productions/shot/prompt/compare"),
            *("productions/shot/prompt/{build_id}", "projects/project/archives"),
            *("projects/project/archives/live", "projects/project/folders", "projects/project/rights"),
            *("r/{content_type_id}", "review/take/context"),
            *("sheets/importbatch/live", "sheets/importbatch/report"),
            *("workflows/workflowtemplateversion/compare", "workflows/workflowtemplateversion/dry-run"),
        ),
        _READS,
    ),
    **dict.fromkeys(
        (
            *("nodes/node/desired", "nodes/node/hours", "renders/job/priority"),
            *("renders/job/steer", "renders/renderbatch/steer"),
            *("productions/shot/status", "productions/shot/recommendation", "recipes/reciperun/choose"),
            *("review/take/review", "review/take/select", "workflows/workflowtemplateversion/current"),
        ),
        _WISH,
    ),
    "productions/shot/prompt/keep": "none is there before the first; asked from then on",
    "productions/shot/prompt/drop": "none is there before the first; asked from then on",
    "review/playlist/do": "buttons, of which the order alone writes over something, and names its version",
    "review/playlist/notes": "new notes; one that is changed names its version",
}
"""What is sent without a version, and why."""

FORMS_WITHOUT: Final = {
    "accounts/user": "users have no version; their own password and language are nobody else's",
    "sheets/importbatch": "has no form of its own, but for those above",
}
"""Models whose own form names no version, and why."""

A_FIELD_OF: Final = {"workflows/workflowimport": "slug"}
"""A field of the form that is meant, where a page has several with a version."""

SENT_TOO: Final = {"projects/project/composer": {"keep": "1"}, "projects/project/cover": {"remove": "1"}}
"""Which button was pressed, where the table's body does not say."""


def short(one: Address) -> str:
    """An address as it is named above: the model, and what is done."""
    return one.pattern.removeprefix("admin/").replace("/{object_id}", "").strip("/")


def of_rows(*, own_form: bool) -> dict[str, Address]:
    """Pages of a row that take a POST: each model's own form, or everything beside it.

    That deletions name their version: tests/integration/admin/test_deleted_meanwhile.py.
    """
    found = {}
    for one in every_address():
        of_a_row = one.pattern.startswith("admin/") and "{object_id}" in one.pattern
        if not of_a_row or "POST" not in one.methods:
            continue
        if one.pattern.endswith(("/history/", "/delete/", "/restore/")):
            continue
        if one.pattern.endswith("/change/") == own_form:
            found[short(one).removesuffix("/change")] = one
    return found


def test_every_page_of_a_row_asks_for_a_version_or_has_a_reason() -> None:
    there = of_rows(own_form=False).keys()
    assert there - VERSIONED - WITHOUT.keys() == set(), "say which, and why"
    assert (VERSIONED | WITHOUT.keys()) - there == set(), "gone: take it out"


def test_what_is_sent_of_another_version_or_of_none_writes_over_nothing(
    world: World, premises: Premises
) -> None:
    browser = Client()
    browser.force_login(world.people["superuser"])
    wrong = []
    for name, one in of_rows(own_form=False).items():
        if name not in VERSIONED:
            continue
        body = body_of(f"POST {one.pattern}", world.own) | SENT_TOO.get(name, {})
        body.pop("row_version", None)
        held = {"row_version": "999"}
        for said in ({}, held) if name != "projects/project/folders/layout" else (held,):
            watch = Watch(premises.rows)
            with undone(), connection.execute_wrapper(watch):
                browser.post(one.path(world.own), body | said)
                watch.written -= {"django_session"}
                if watch.changed():
                    wrong.append(f"{name} {said or 'without a version'}")
    assert not wrong, "\n".join(wrong)


def test_every_form_of_a_model_carries_its_version_and_refuses_another(
    world: World, premises: Premises
) -> None:
    browser = Client()
    browser.force_login(world.people["superuser"])
    wrong: list[str] = []
    for name, one in of_rows(own_form=True).items():
        profile = EXPECTED[f"POST {one.pattern}"]
        if name in FORMS_WITHOUT or profile.startswith("nobody") or profile.endswith("never changed"):
            continue
        path = one.path(world.own)
        try:
            form: dict[str, Any] = form_with(
                browser.get(path).content.decode(), A_FIELD_OF.get(name, "row_version")
            )
        except AssertionError as none:
            wrong.append(f"{name}: {none}")
            continue
        if "row_version" not in form:
            wrong.append(f"{name}: its form names no version")
            continue
        watch = Watch(premises.rows)
        with undone(), connection.execute_wrapper(watch):
            answer = browser.post(path, form | {"row_version": "999"})
            watch.written -= {"django_session"}
            if answer.status_code != 200 or watch.changed():
                wrong.append(f"{name}: {answer.status_code} {answer.headers.get('Location', '')}")
            elif f'name="row_version" value="{form["row_version"]}"' not in answer.content.decode():
                wrong.append(f"{name}: the page that is shown again names another version")
    assert not wrong, "\n".join(wrong)
