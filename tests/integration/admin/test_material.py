"""Material on the pages of a shot, a sequence and a film, and in the form behind Render."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from apps.materials.models import Material
from apps.materials.services import add_material
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.html_forms import form_with
from tests.integration.admin.rows import page
from tests.integration.materials.made import mask, picture, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(artifact_root: Path) -> None:
    """Files go somewhere."""


def address(row: Any) -> str:
    name = f"{row._meta.app_label}_{row._meta.model_name}"
    return reverse(f"admin:{name}_material", args=[row.pk])


def test_several_files_come_in_at_once_and_what_is_wrong_with_one_stops_no_other(
    film: Film, as_: Browser
) -> None:
    browser = as_("coordinator")
    files = [
        upload(mask(), "sky_mask.png"),
        upload(b"%!PS-Adobe-3.0", "plate.eps"),
        upload(picture(), "plate.png"),
    ]
    shown = browser.post(address(film.shot), {"files": files, "kind": ""}, follow=True).content.decode()
    assert {one.name for one in Material.objects.all()} == {"sky_mask.png", "plate.png"}
    assert "2 files were added." in shown
    assert "plate.eps" in shown
    for one in Material.objects.all():
        assert f"/media/material/{one.pk}/thumb/?by=" in shown


@pytest.mark.parametrize("of", ["shot", "sequence", "project"])
def test_a_file_is_renamed_and_taken_away_on_the_page_it_belongs_to(
    of: str, film: Film, as_: Browser
) -> None:
    browser = as_("coordinator")
    owner = film.shot if of == "shot" else film.shot.sequence if of == "sequence" else film.project
    browser.post(address(owner), {"files": [upload(picture(), "a.png")]})
    made = Material.objects.get()
    form = form_with(browser.get(page(owner)).content.decode(), "row_version")
    saved = browser.post(page(made), form | {"name": "sky", "kind": "mask"})
    assert saved["Location"] == f"{page(owner)}#material"
    assert 'value="sky"' in browser.get(page(owner)).content.decode()
    asked = browser.get(reverse("admin:materials_material_delete", args=[made.pk]))
    sent = {"post": "yes", "row_version": asked.context["row_version"]}
    gone = browser.post(reverse("admin:materials_material_delete", args=[made.pk]), sent)
    assert gone["Location"] == f"{page(owner)}#material"
    assert not Material.objects.exists()


def test_two_at_one_file_hear_of_each_other(film: Film, as_: Browser) -> None:
    """The form of its tile leads to its own page, which shows whose change and keeps what was typed."""
    alice, bob = as_("coordinator"), as_("admin")
    alice.post(address(film.shot), {"files": [upload(picture(), "a.png")]})
    made = Material.objects.get()
    hers = form_with(alice.get(page(film.shot)).content.decode(), "row_version") | {
        "name": "sky",
        "kind": "plate",
    }
    his = hers | {"name": "clouds"}
    assert bob.post(page(made), his).status_code == 302

    refused = alice.post(page(made), hers | {"kind": "mask"})
    [told] = refused.context["meanwhile"]
    assert (told.was, told.typed, told.who) == ("a.png", "sky", "admin")
    assert "<ins>clouds</ins>" in refused.content.decode()
    assert "<b>clouds</b>" in refused.content.decode(), "the file is shown as it is"
    assert 'value="sky"' in refused.content.decode()
    assert Material.objects.get().name == "clouds"

    again = hers | {"kind": "mask", "row_version": refused.context["row_version"]}
    assert alice.post(page(made), again).status_code == 302
    kept = Material.objects.get()
    assert (kept.name, kept.kind) == ("sky", "mask")

    history = alice.get(reverse("admin:materials_material_history", args=[made.pk]))
    assert [told.row.actor for told in history.context["rows"]] == ["coordinator", "admin", "coordinator"]
    first = history.context["rows"][-1].row.pk
    alice.post(reverse("admin:materials_material_restore", args=[made.pk, first]))
    assert (Material.objects.get().name, Material.objects.get().kind) == ("a.png", "plate")


def test_a_file_that_was_decoded_while_it_was_asked_is_taken_away_all_the_same(
    film: Film, as_: Browser
) -> None:
    alice, bob = as_("coordinator"), as_("admin")
    alice.post(address(film.shot), {"files": [upload(picture(), "a.png"), upload(mask(), "b.png")]})
    first, second = Material.objects.order_by("name")
    asked = {"post": "yes", "row_version": "0"}
    Material.objects.update(row_version=1)  # as decoding does
    gone = alice.post(reverse("admin:materials_material_delete", args=[first.pk]), asked)
    assert gone.status_code == 302
    renamed = form_with(bob.get(page(second)).content.decode(), "row_version") | {"name": "sky"}
    assert bob.post(page(second), renamed).status_code == 302
    again = alice.post(reverse("admin:materials_material_delete", args=[second.pk]), asked)
    assert [told.who for told in again.context["meanwhile"]] == ["admin"]
    assert Material.objects.get() == second


def test_a_file_that_was_taken_away_meanwhile_gives_back_what_was_typed(film: Film, as_: Browser) -> None:
    alice, bob = as_("coordinator"), as_("admin")
    alice.post(address(film.shot), {"files": [upload(picture(), "a.png")]})
    made = Material.objects.get()
    hers = form_with(alice.get(page(film.shot)).content.decode(), "row_version")
    bob.post(reverse("admin:materials_material_delete", args=[made.pk]), {"post": "yes", "row_version": 0})
    answer = alice.post(page(made), hers | {"name": "the sky over the harbour", "kind": "mask"})
    assert answer.status_code == 409
    assert "admin deleted" in answer.content.decode()
    assert "the sky over the harbour" in answer.content.decode()


def test_a_viewer_sees_material_and_no_form_for_it(film: Film, as_: Browser) -> None:
    as_("artist").post(address(film.shot), {"files": [upload(picture(), "plate.png")]})
    shown = as_("viewer").get(page(film.shot)).content.decode()
    assert "plate.png" in shown
    assert address(film.shot) not in shown


def test_the_address_of_a_file_is_signed_for_one_part_of_it(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    browser.post(address(film.shot), {"files": [upload(picture(), "plate.png")]})
    shown = browser.get(page(film.shot)).content.decode()
    start = shown.index("/media/material/")
    signed = shown[start : shown.index('"', start)].replace("&amp;", "&")
    assert "/file/" in signed
    assert browser.get(signed).status_code == 200
    assert browser.get(signed.replace("/file/", "/thumb/")).status_code == 403


def test_the_form_offers_material_by_kind_and_the_preview_names_what_is_used(
    film: Film, as_: Browser, templates: None
) -> None:
    browser = as_("coordinator")
    browser.post(
        address(film.shot), {"files": [upload(mask(), "sky_mask.png"), upload(picture(), "plate.png")]}
    )
    cut = Material.objects.get(kind="mask")
    asked = {"shots": str(film.shot.pk), "key": "k", "picture": "inpaint", "takes": "1", "priority": "10"}
    answer = browser.post(reverse("admin:productions_shot_render"), asked)
    offered = dict(answer.context["form"].fields["file_1"].choices)
    assert offered["mask"] == [(str(cut.pk), f"sky_mask.png · 64 × 36 · {film.shot.full_code}")]
    told = {(one.role, one.title, one.size) for one in answer.context["files"]}
    assert told >= {("mask", "sky_mask.png", "64 × 36")}
    assert "sky_mask.png" in answer.content.decode()


def test_a_job_page_names_the_files_it_was_ordered_with(film: Film, as_: Browser, templates: None) -> None:
    browser = as_("coordinator")
    user = film.project.memberships.get(role="coordinator").user
    for content, name in ((mask(), "sky_mask.png"), (picture(), "plate.png")):
        add_material(film.shot, upload(content, name), user=user)
    asked = {"shots": str(film.shot.pk), "key": "k", "picture": "inpaint", "takes": "1", "priority": "10"}
    browser.post(reverse("admin:productions_shot_render"), asked | {"submit": "1"})
    cut = Material.objects.get(kind="mask")
    shown = browser.get(page(cut.uses.get().job)).content.decode()
    assert f"/media/material/{cut.pk}/file/" in shown
    assert cut.sha256[:12] in shown
