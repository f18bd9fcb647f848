"""History of each object, activity of a project, bulk changes and their undo: what people see and press."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.ledger.models import Activity, Batch
from apps.ledger.showing import PAGE
from apps.presets.models import CinematicPreset, PresetCategory
from apps.productions.bulk import change_shots
from apps.productions.editing import update_shot
from apps.productions.models import Shot, ShotStatus
from apps.productions.services import move_shot_status
from tests.factories import CinematicPresetFactory, LocationFactory, ShotFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db

ACTIVITY = "admin:ledger_activity_changelist"


def history(row: Any) -> str:
    return page(row).replace("/change/", "/history/")


def edit(as_: Browser, who: str, row: Any, **typed: str) -> None:
    browser = as_(who)
    assert browser.post(page(row), form_of(browser, page(row)) | typed).status_code == 302


def text(answer: Any) -> str:
    assert answer.status_code == 200
    shown: str = answer.content.decode()
    return shown


def test_the_history_of_a_shot_shows_each_change_and_goes_back(film: Film, as_: Browser) -> None:
    before = "The queen stands on the balcony and looks over the frozen fjord."
    edit(as_, "coordinator", film.shot, description=before)
    edit(as_, "coordinator", film.shot, description=before.replace("frozen", "quiet"), frames="72")
    coordinator = as_("coordinator")
    shown = text(coordinator.get(history(film.shot)))
    assert "<del>frozen</del>" in shown
    assert "<ins>quiet</ins>" in shown
    assert "Restore this version" in shown
    first = Activity.objects.filter(kind="shot").order_by("id").first()
    assert first is not None
    restore = reverse("admin:productions_shot_restore", args=[film.shot.pk, first.pk])
    assert coordinator.get(restore).status_code == 405
    answer = coordinator.post(restore, follow=True)
    assert "2 fields restored." in text(answer)
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.description, shot.frames) == (before, film.shot.frames)
    assert as_("viewer").post(restore).status_code == 403  # the shot is not assigned to them
    assert "Restore this version" not in text(as_("viewer").get(history(film.shot)))


def test_history_calls_statuses_as_the_studio_does_in_the_language_of_whoever_looks(
    film: Film, as_: Browser
) -> None:
    for to in ("ready", "in_progress", "on_hold"):
        assert move_shot_status(Shot.objects.get(pk=film.shot.pk), to=to, user=None)
    coordinator = as_("coordinator")
    with CaptureQueriesContext(connection) as queries:
        shown = text(coordinator.get(history(film.shot)))
    assert "<del>Ready</del> → <ins>In progress</ins>" in shown
    assert sum('FROM "productions_shotstatus"' in one["sql"] for one in queries.captured_queries) == 1
    ShotStatus.objects.filter(slug="in_progress").update(name_ko="그리는 중")
    korean = text(coordinator.get(history(film.shot), headers={"Accept-Language": "ko"}))
    assert "<del>준비됨</del> → <ins>그리는 중</ins>" in korean


def test_history_calls_presets_by_their_names_but_where_two_films_have_two(
    film: Film, other_film: Film, as_: Browser, people: dict[str, User]
) -> None:
    size = PresetCategory.objects.get(slug="shot_size")
    own, others = (
        CinematicPresetFactory.create(slug="dreamy", name=name, project=one.project)
        for name, one in (("Dreamy", film), ("Trance", other_film))
    )
    close = CinematicPreset.objects.get(category=size, slug="close-up")
    update_shot(
        film.shot,
        user=people["coordinator"],
        row_version=film.shot.row_version,
        presets=[close.ref, own.ref],
    )
    assert own.ref == others.ref
    shown = text(as_("coordinator").get(history(film.shot)))
    assert f"{size.name}: {close.name}" in shown
    assert "test_category/dreamy" in shown
    korean = text(as_("coordinator").get(history(film.shot), headers={"Accept-Language": "ko"}))
    assert f"{size.name_ko}: {close.name_ko}" in korean


def test_what_was_typed_into_history_is_shown_as_text(film: Film, as_: Browser) -> None:
    edit(as_, "coordinator", film.shot, description="<script>alert(1)</script> and so on and so on")
    shown = text(as_("coordinator").get(history(film.shot)))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_activity_of_a_project_is_filtered_and_of_no_other(
    film: Film, other_film: Film, as_: Browser
) -> None:
    edit(as_, "coordinator", film.shot, frames="72")
    edit(as_, "root", other_film.shot, description="SECRET words of another film")
    shown = text(as_("artist").get(reverse(ACTIVITY)))
    assert film.shot.full_code in shown
    assert "SECRET words" not in shown
    asked = {"project__id__exact": str(film.project.pk), "actor": "coordinator", "kind": "shot"}
    answer = as_("artist").get(reverse(ACTIVITY), asked)
    assert [told.row.actor for told in answer.context["rows"]] == ["coordinator"]
    assert as_("artist").get(reverse(ACTIVITY), asked | {"verb": "deleted"}).context["rows"] == []
    assert (
        as_("artist")
        .get(reverse(ACTIVITY), {"project__id__exact": str(other_film.project.pk)})
        .context["rows"]
        == []
    )
    assert as_("client").get(reverse(ACTIVITY)).status_code == 403


def test_activity_takes_as_many_queries_on_every_page_and_leads_to_the_next(film: Film, as_: Browser) -> None:
    Activity.objects.bulk_create(
        Activity(
            project=film.project.pk,
            actor="alice",
            verb="changed",
            kind="shot",
            object_id=str(film.shot.pk),
            label=f"SH{n}",
            changes={"notes": ["", str(n)]},
        )
        for n in range(2 * PAGE + 5)
    )
    browser, seen, counts, address = as_("coordinator"), [], [], f"{reverse(ACTIVITY)}?actor=alice"
    before: Any = ""
    while before is not None:
        with CaptureQueriesContext(connection) as asked:
            answer = browser.get(f"{address}&before={before}")
        counts.append(len(asked))
        assert not any("COUNT(" in query["sql"] and "ledger_activity" in query["sql"] for query in asked)
        seen += [told.row.label for told in answer.context["rows"]]
        before = answer.context["before"]
    assert len(seen) == len(set(seen)) == 2 * PAGE + 5
    assert len(set(counts)) == 1
    assert counts[0] <= 12


def test_many_shots_are_changed_from_their_list_after_a_look_at_what_it_does(
    film: Film, as_: Browser
) -> None:
    LocationFactory.create(project=film.project, code="FJORD")
    second = ShotFactory.create(sequence=film.shot.sequence)
    address = reverse("admin:productions_shot_changelist")
    picked = {"action": "change_shots", "_selected_action": [str(film.shot.pk), str(second.pk)]}
    browser = as_("coordinator")
    assert "What all of them shall say" in text(browser.post(address, picked))
    assert "Tick what shall be set." in text(browser.post(address, picked | {"preview": "1"}))

    wished = picked | {"set": ["location", "weather"], "location": "FJORD", "weather": "snow"}
    seen = browser.post(address, wished | {"preview": "1"})
    assert "2 shots would change" in text(seen)
    assert not Shot.objects.filter(weather="snow").exists()

    done = browser.post(address, wished | {"apply": "1"}, follow=True)
    assert "2 shots changed." in text(done)
    assert set(Shot.objects.filter(weather="snow").values_list("location__code", flat=True)) == {"FJORD"}
    assert Batch.objects.get().activities.count() == 2


def test_what_is_typed_for_many_shots_and_not_ticked_is_not_passed_over_in_silence(
    film: Film, as_: Browser
) -> None:
    address, browser = reverse("admin:productions_shot_changelist"), as_("coordinator")
    picked = {"action": "change_shots", "_selected_action": [str(film.shot.pk)]}
    wished = picked | {"set": ["weather"], "weather": "snow", "frames": "55"}
    kept = browser.post(address, wished | {"apply": "1"})
    assert "Tick this to set it for all, or empty it." in text(kept)
    assert 'value="55"' in text(kept)
    assert not Batch.objects.exists()
    done = browser.post(address, wished | {"set": ["weather", "frames"], "apply": "1"}, follow=True)
    assert "1 shot changed." in text(done)
    assert Shot.objects.get(pk=film.shot.pk).frames == 55


def test_a_status_and_artists_of_many_shots_are_taken_back_as_one(film: Film, as_: Browser) -> None:
    """From on hold the machine has no step back to review: the undo goes the way there is."""
    address, browser = reverse("admin:productions_shot_changelist"), as_("coordinator")
    other = ShotFactory.create(sequence=film.shot.sequence, status_id="review")
    Shot.objects.filter(pk=film.shot.pk).update(status_id="review")
    picked = {"_selected_action": [str(film.shot.pk), str(other.pk)]}

    held = browser.post(address, picked | {"action": "put_on_hold"}, follow=True)
    batch = Batch.objects.get()
    undo = reverse("admin:ledger_batch_undo", args=[batch.pk])
    assert reverse("admin:ledger_batch_change", args=[batch.pk]) in text(held)
    assert set(Shot.objects.values_list("status_id", flat=True)) == {"on_hold"}
    assert "2 objects put back." in text(browser.post(undo, follow=True))
    assert set(Shot.objects.values_list("status_id", flat=True)) == {"review"}

    asked = picked | {"action": "assign_shots", "confirmed": "1", "add": ["supervisor"]}
    assigned = browser.post(address, asked, follow=True)
    batch = Batch.objects.latest("at")
    assert reverse("admin:ledger_batch_change", args=[batch.pk]) in text(assigned)
    assert set(other.assignees.values_list("username", flat=True)) == {"supervisor"}
    browser.post(reverse("admin:ledger_batch_undo", args=[batch.pk]))
    assert not other.assignees.exists()

    nothing = browser.post(address, asked | {"add": [], "remove": ["supervisor"]}, follow=True)
    assert "0 shots changed." in text(nothing)
    assert batch == Batch.objects.exclude(verb="undone").latest("at")


def test_what_somebody_changed_after_the_look_is_looked_at_again(film: Film, as_: Browser) -> None:
    address, browser = reverse("admin:productions_shot_changelist"), as_("coordinator")
    picked = {"action": "change_shots", "_selected_action": [str(film.shot.pk)]}
    wished = picked | {"set": ["notes"], "notes": "rain"}
    seen = browser.post(address, wished | {"preview": "1"}).context["seen"]
    Shot.objects.filter(pk=film.shot.pk).update(notes="theirs", row_version=F("row_version") + 1)
    again = browser.post(address, wished | {"apply": "1", "seen": seen})
    assert "the shots have changed since this was shown" in text(again)
    assert "theirs" in text(again)
    assert Shot.objects.get(pk=film.shot.pk).notes == "theirs"
    done = browser.post(address, wished | {"apply": "1", "seen": again.context["seen"]}, follow=True)
    assert "1 shot changed." in text(done)


def test_a_bulk_change_is_undone_by_its_author_or_an_admin(
    film: Film, people: dict[str, Any], as_: Browser
) -> None:
    change_shots(film.project, {film.shot.pk: None}, {"weather": "snow"}, user=people["coordinator"])
    shot, batch = film.shot, Batch.objects.get()
    address = reverse("admin:ledger_batch_change", args=[batch.pk])
    undo = reverse("admin:ledger_batch_undo", args=[batch.pk])
    assert "Whoever made it may undo it" in text(as_("artist").get(address))
    as_("artist").post(undo)
    shot.refresh_from_db()
    assert shot.weather == "snow"

    browser = as_("coordinator")
    listed = {"project__id__exact": str(film.project.pk)}
    assert "Undo my last bulk change" in text(browser.get(reverse(ACTIVITY), listed))
    assert batch.title in text(browser.get(reverse("admin:ledger_batch_changelist"), listed))
    assert "Undoing this changes 1 object." in text(browser.get(address))
    assert "1 object put back." in text(browser.post(undo, follow=True))
    shot.refresh_from_db()
    assert shot.weather != "snow"
    assert "has taken this back" in text(browser.get(address))
    assert as_("nobody").get(address).status_code in (302, 403)


def test_activity_of_what_has_no_page_of_its_own_is_told_too(film: Film, as_: Browser) -> None:
    """A note, an archive, a client link: their names lead nowhere, and break no page."""
    for kind in ("review_note", "archive", "client_link", "prompt_edit"):
        Activity.objects.create(
            project=film.project.pk, actor="sam", verb="changed", kind=kind, object_id="7", label=f"a {kind}"
        )
    answer = as_("coordinator").get(reverse("admin:ledger_activity_changelist"))
    assert answer.status_code == 200
    assert "a client_link" in answer.content.decode()


def test_what_was_set_about_a_node_is_brought_back(film: Film, as_: Browser) -> None:
    root, node = as_("root"), film.rows["node"]
    for note in ("new fan", "old fan"):
        node.refresh_from_db()
        sent = {"note": note, "row_version": node.row_version}
        root.post(reverse("admin:nodes_node_note", args=[node.pk]), sent)
    history = root.get(reverse("admin:nodes_node_history", args=[node.pk]))
    assert [told.row.changes["note"] for told in history.context["rows"]] == [
        ["new fan", "old fan"],
        ["", "new fan"],
    ]
    first = history.context["rows"][-1].row.pk
    root.post(reverse("admin:nodes_node_restore", args=[node.pk, first]))
    node.refresh_from_db()
    assert (node.note, node.note_by) == ("new fan", "root")


def test_what_was_deleted_has_a_way_back_for_who_may_make_such_a_thing(film: Film, as_: Browser) -> None:
    place = LocationFactory.create(project=film.project, code="MILL", name="The mill")
    deleted = page(place).replace("/change/", "/delete/")
    admin = as_("admin")
    assert admin.post(deleted, {"post": "yes", "row_version": "0"}).status_code == 302
    assert "Make it again" not in text(as_("artist").get(reverse(ACTIVITY)))
    coordinator = as_("coordinator")
    asked = f"{reverse(ACTIVITY)}?kind=location"
    shown = text(coordinator.get(asked))
    assert "Make it again" in shown
    restored = shown.partition("/restore/")[2].partition("</form>")[0]
    assert f'name="next" value="{asked}"' in restored
    restore = reverse("admin:ledger_activity_restore", args=[Activity.objects.get(verb="deleted").pk])
    assert as_("artist").post(restore).status_code == 403
    shown = text(coordinator.post(restore, follow=True))
    assert "MILL” stands there again." in shown
    assert "Make it again" not in shown
    assert film.project.locations.get(pk=place.pk).name == "The mill"
    again = coordinator.post(restore, {"next": asked}, follow=True)
    assert again.redirect_chain == [(asked, 302)]
    assert "it stands there again" in text(again)
