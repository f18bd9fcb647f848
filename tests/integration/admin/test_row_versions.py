"""Nobody forgets the version: forms that change a row carry one (the API: tests/integration/access)."""

from __future__ import annotations

from typing import Final

from django.contrib.admin import site

from apps.common.admin import Page
from apps.common.admin_versions import counts_versions
from apps.ledger.documents import documents

WITHOUT: Final = {
    "accounts.User": "users have no version; their own password and language are nobody else's",
    "productions.ShotStatus": "a studio's words, whose rows have no version",
    "nodes.Node": "its row also counts what the machine reports; its forms are buttons for one wish each",
}
"""Models whose forms carry no version, and why."""


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


def _edits(page: Page) -> bool:
    fields = page.get_readonly_fields.__qualname__
    return bool(fields) and type(page).has_change_permission.__qualname__ != "ReadOnly.has_change_permission"
