"""Nobody forgets the version: forms that change a row carry one, writing addresses ask for it."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.contrib.admin import site

from apps.common.admin import Page
from apps.common.admin_versions import counts_versions
from apps.ledger.documents import documents
from farm.api import router

WITHOUT: Final = {
    "accounts.User": "users have no version; their own password and language are nobody else's",
    "productions.ShotStatus": "a studio's words, whose rows have no version",
    "nodes.Node": "its row also counts what the machine reports; its forms are buttons for one wish each",
}
"""Models whose forms carry no version, and why."""
API_WITHOUT: Final[dict[str, str]] = {
    "jobs": "wishes about a job (priority, pause), each of which says all there is to it",
    "batches": "wishes about jobs",
    "imports": "a draft belongs to whoever brought the file",
    "templates": "offers a template or withdraws it: one yes or no",
    "recipes": "written as a whole by whoever looks after the farm",
    "materials": "a name and a kind; the file never changes",
    "nodes": "wishes about a machine",
    "pools": "rows of whoever looks after the farm",
    "schedules": "rows of whoever looks after the farm",
    "holds": "set or lifted",
    "limits": "rows of whoever looks after the farm",
    "subscriptions": "belong to one person or channel",
}
"""Addresses that change or delete rows that nobody plans, and why they ask for no version."""


def pages() -> list[Page]:
    return [page for page in site._registry.values() if isinstance(page, Page)]


def test_every_page_of_the_admin_is_one_that_knows_versions() -> None:
    strangers = {model._meta.label for model, page in site._registry.items() if not isinstance(page, Page)}
    assert strangers <= {"auth.Group", "knox.AuthToken"}


def test_every_form_of_a_versioned_row_asks_for_its_version() -> None:
    without = {page.model._meta.label for page in pages() if not page.versioned and _edits(page)}
    assert without <= WITHOUT.keys(), without - WITHOUT.keys()


def test_every_planned_object_is_versioned() -> None:
    lacking = {one.model._meta.label for one in documents() if not counts_versions(one.model)}
    assert lacking <= WITHOUT.keys(), lacking - WITHOUT.keys()


def test_no_list_is_edited_in_place_without_a_version() -> None:
    assert [page.model._meta.label for page in pages() if getattr(page, "list_editable", ())] == []


@pytest.mark.parametrize("prefix, view", [(prefix, view) for prefix, view, _name in router.registry])
def test_every_writing_address_of_a_planned_object_asks_for_the_version(prefix: str, view: Any) -> None:
    changes = [name for name in ("update", "partial_update", "destroy") if hasattr(view, name)]
    if not changes or prefix in API_WITHOUT:
        return
    form = getattr(view, "change_form", None)
    assert form is not None and "row_version" in form().fields, (prefix, changes)


def _edits(page: Page) -> bool:
    fields = page.get_readonly_fields.__qualname__
    return bool(fields) and type(page).has_change_permission.__qualname__ != "ReadOnly.has_change_permission"
