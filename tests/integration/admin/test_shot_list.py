"""The list of shots: its columns, its gallery, cells that are edited in place, rows that are put in order."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.ledger.models import Activity
from apps.productions.locking import lock_shot
from apps.productions.models import Shot, ShotStatus
from apps.productions.services import move_shot_status
from apps.renders.models import Recommendation
from apps.review.models import Artifact
from tests.factories import (
    ArtifactFactory,
    CinematicPresetFactory,
    LocationFactory,
    MembershipFactory,
    ShotFactory,
    ShotPresetFactory,
)
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing
from tests.integration.admin.test_budgets import queries

pytestmark = pytest.mark.django_db

LOOK = "admin:productions_shot_look"


def of(film: Film, **more: str) -> str:
    """The list of one film, narrowed further."""
    return f"{listing(Shot)}?{urlencode({'project__id__exact': film.project.pk, **more})}"


def shown(browser: Client, address: str = "") -> str:
    answer = browser.get(address or listing(Shot))
    assert answer.status_code == 200
    return answer.content.decode()


def cell(shot: Shot) -> str:
    return reverse("admin:productions_shot_cell", args=[shot.pk])


def save(browser: Client, shot: Shot, name: str, version: int, **typed: object) -> Any:
    return browser.post(cell(shot), {"cell": name, "row_version": version, **typed})


def test_a_person_hides_columns_and_nobody_else_s(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    assert 'data-hidden="note weather"' in shown(browser)
    told = {"columns": "1", "shown": ["rank", "what", "note", "nonsense"], "next": of(film)}
    answer = browser.post(reverse(LOOK), told)
    assert answer["Location"] == of(film)
    hidden = User.objects.get(username="coordinator").lists["shots"]["hidden"]
    assert {"cast", "place", "used_presets", "workflow", "newest_job"} <= set(hidden)
    assert not {"rank", "what", "note", "name", "picture", "action_checkbox"} & set(hidden)
    assert f'data-hidden="{" ".join(hidden)}"' in shown(browser)
    assert 'data-hidden="note weather"' in shown(as_("admin"))


def test_every_column_that_may_be_hidden_is_hidden_by_the_style_sheet(film: Film, as_: Browser) -> None:
    style = (settings.BASE_DIR / "static/shotfarm/shotlist.css").read_text()
    columns = as_("coordinator").get(listing(Shot)).context["cl"].columns
    assert [name for name, _title, _on in columns if f'[data-hidden~="{name}"]' not in style] == []


def test_the_gallery_is_remembered_and_keeps_filters_and_rows(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    ArtifactFactory.create(take=film.take, role="proxy", kind="video", key="proxies/one.mp4")
    assert "data-clip" not in shown(browser)
    browser.post(reverse(LOOK), {"view": "gallery", "next": of(film)})
    page = browser.get(of(film))
    assert "sf-gallery" in page.content.decode()
    clip = Artifact.objects.get(role="proxy")
    assert f'data-clip="{reverse("artifact", args=[clip.pk])}?' in page.content.decode()
    assert [row.pk for row in page.context["cl"].result_list] == [film.shot.pk]
    browser.post(reverse(LOOK), {"view": "list"})
    assert "sf-gallery" not in shown(browser)


@pytest.mark.parametrize("view", ("list", "gallery"))
def test_more_shots_presets_and_recommendations_take_no_more_queries(
    film: Film, as_: Browser, view: str
) -> None:
    browser = as_("coordinator")
    browser.post(reverse(LOOK), {"view": view})

    def grow() -> None:
        for _number in range(3):
            shot = ShotFactory.create(sequence=film.shot.sequence)
            Recommendation.objects.create(shot=shot, template="flux_t2i")
            for order in range(4):
                ShotPresetFactory.create(shot=shot, preset=CinematicPresetFactory.create(), order=order)

    grow()
    few = queries(browser, of(film))
    grow()
    assert queries(browser, of(film)) == few


def test_presets_are_chips_with_a_count_and_the_workflow_says_whence_it_is(film: Film, as_: Browser) -> None:
    shot = ShotFactory.create(sequence=film.shot.sequence)
    for order in range(5):
        preset = CinematicPresetFactory.create(name=f"Lens {order}")
        ShotPresetFactory.create(shot=shot, preset=preset, order=order)
    Recommendation.objects.create(shot=shot, template="flux_t2i", chosen="sd15_t2i", decision="overridden")
    page = shown(as_("coordinator"))
    assert 'title="Lens 0, Lens 1, Lens 2, Lens 3, Lens 4"' in page
    assert '<span class="sf-chip sf-more">+3</span>' in page
    assert '<span title="decided">sd15_t2i</span>' in page
    job = film.job.template_version.template.slug
    assert f'title="of its newest job">{job}</span>' in page


def test_a_cell_is_saved_like_the_form_and_the_row_comes_back(film: Film, as_: Browser) -> None:
    browser, shot = as_("coordinator"), film.shot
    opened = shown(browser, f"{cell(shot)}?cell=length")
    assert f'name="frames" value="{shot.frames}"' in opened
    answer = save(browser, shot, "length", shot.row_version, frames=61)
    row = answer.content.decode()
    assert answer.status_code == 200
    assert "61 ·" in row and "field-length" in row and "<html" not in row
    shot.refresh_from_db()
    assert (shot.frames, shot.handles) == (61, film.shot.handles)
    told = Activity.objects.filter(kind="shot", object_id=str(shot.pk)).latest("pk")
    assert (told.actor, told.verb, told.changes) == ("coordinator", "changed", {"frames": [48, 61]})


def test_a_place_of_the_film_is_chosen_and_no_other_s(film: Film, other_film: Film, as_: Browser) -> None:
    browser, shot = as_("coordinator"), film.shot
    here = LocationFactory.create(project=film.project, name="Ice cave")
    theirs = other_film.shot.location
    assert theirs is not None
    assert save(browser, shot, "place", shot.row_version, location=theirs.pk).status_code == 400
    assert "Ice cave" in save(browser, shot, "place", shot.row_version, location=here.pk).content.decode()
    assert Shot.objects.get(pk=shot.pk).location == here


def test_a_stale_cell_is_refused_with_whose_change_and_keeps_what_was_typed(film: Film, as_: Browser) -> None:
    shot, seen = film.shot, film.shot.row_version
    save(as_("artist"), shot, "what", seen, description="Bob's snow")
    browser = as_("coordinator")
    refused = save(browser, shot, "what", seen, description="Her ice")
    told = refused.content.decode()
    assert refused.status_code == 409
    assert "Somebody else changed this" in told
    assert "artist" in told and "<ins>" in told
    assert "Her ice</textarea>" in told
    assert Shot.objects.get(pk=shot.pk).description == "Bob's snow"
    again = save(browser, shot, "what", refused.context["version"], description="Her ice")
    assert again.status_code == 200
    assert Shot.objects.get(pk=shot.pk).description == "Her ice"


def test_what_others_changed_elsewhere_in_the_shot_is_in_nobody_s_way(film: Film, as_: Browser) -> None:
    shot, seen = film.shot, film.shot.row_version
    assert save(as_("artist"), shot, "what", seen, description="Bob's snow").status_code == 200
    assert move_shot_status(Shot.objects.get(pk=shot.pk), to="on_hold", user=None)
    assert save(as_("coordinator"), shot, "length", seen, frames=70).status_code == 200
    now = Shot.objects.get(pk=shot.pk)
    assert (now.description, now.frames) == ("Bob's snow", 70)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    (
        ("length", {"frames": "0"}, "greater than or equal to 1"),
        ("length", {"frames": "many"}, "whole number"),
        ("length", {}, "say what to set"),
        ("condition", {"status": "final"}, "not one of the available choices"),
    ),
)
def test_a_wrong_cell_says_why_and_changes_nothing(
    film: Film, as_: Browser, name: str, typed: dict[str, str], said: str
) -> None:
    before = Shot.objects.filter(pk=film.shot.pk).values().get()
    refused = save(as_("coordinator"), film.shot, name, film.shot.row_version, **typed)
    assert refused.status_code == 400
    assert said in refused.content.decode()
    assert Shot.objects.filter(pk=film.shot.pk).values().get() == before


def test_a_locked_shot_s_plan_is_not_edited_but_its_status_moves(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    browser, shot = as_("coordinator"), film.shot
    assert 'data-cell="what"' in shown(browser)
    lock_shot(shot, user=people["admin"])
    page = shown(browser)
    assert 'data-cell="what"' not in page and 'title="locked by admin"' in page
    version = Shot.objects.get(pk=shot.pk).row_version
    refused = save(browser, shot, "what", version, description="Warmer")
    assert refused.status_code == 400 and "admin locked this shot" in refused.content.decode()
    assert save(browser, shot, "condition", version, status="on_hold").status_code == 200
    assert Shot.objects.get(pk=shot.pk).status_id == "on_hold"


def test_a_status_that_somebody_moved_meanwhile_is_not_moved_again(film: Film, as_: Browser) -> None:
    shot, seen = film.shot, film.shot.row_version
    assert save(as_("artist"), shot, "condition", seen, status="ready").status_code == 200
    refused = save(as_("coordinator"), shot, "condition", seen, status="on_hold")
    assert refused.status_code == 409 and "artist" in refused.content.decode()
    assert Shot.objects.get(pk=shot.pk).status_id == "ready"


def test_cells_open_for_whoever_may_change_the_shot(film: Film, as_: Browser) -> None:
    assert 'data-cell="what"' in shown(as_("artist"))
    assert "data-cell=" not in shown(as_("viewer"))
    assert save(as_("viewer"), film.shot, "what", 0, description="Mine").status_code == 403
    assert "Mine" not in Shot.objects.get(pk=film.shot.pk).description


def test_saving_a_cell_takes_no_more_queries_in_a_longer_film(film: Film, as_: Browser) -> None:
    browser, counts = as_("coordinator"), []
    for frames in (61, 62, 63):
        version = Shot.objects.get(pk=film.shot.pk).row_version
        with CaptureQueriesContext(connection) as seen:
            assert save(browser, film.shot, "length", version, frames=frames).status_code == 200
        counts.append(len(seen))
        ShotFactory.create_batch(20, sequence=film.shot.sequence)
    assert counts[1] == counts[2] <= 70  # the first one reads what kinds of objects there are


def ordered(film: Film) -> list[Shot]:
    return list(Shot.objects.filter(sequence=film.shot.sequence).order_by("order", "code"))


def reorder(browser: Client, film: Film, shots: list[Shot], before: list[Shot]) -> HttpResponse:
    told = {"sequence": film.shot.sequence.pk, "shots": [shot.pk for shot in shots]}
    answer: Any = browser.post(
        reverse("admin:productions_shot_reorder"), told | {"before": [shot.pk for shot in before]}
    )
    return answer  # type: ignore[no-any-return]


def test_rows_are_put_in_order_where_one_sequence_stands_in_order(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    one = {"sequence__id__exact": str(film.shot.sequence.pk)}
    assert "data-sequence" in shown(browser, of(film, **one))
    assert "narrow the list to one sequence" in shown(browser, of(film))
    name = browser.get(listing(Shot)).context["cl"].list_display.index("length")
    assert "sort the list by order" in shown(browser, of(film, **one, o=str(name)))
    assert "data-sequence" not in shown(as_("artist"), of(film, **one))
    assert "another order" not in shown(as_("artist"), of(film))


def test_shots_are_dragged_to_another_order_and_it_is_taken_back(film: Film, as_: Browser) -> None:
    ShotFactory.create_batch(3, sequence=film.shot.sequence)
    before = ordered(film)
    wanted = [before[2], before[0], before[1], before[3]]
    answer = reorder(as_("coordinator"), film, wanted, before)
    assert answer.status_code == 200 and "The order is saved." in answer.content.decode()
    assert ordered(film) == wanted
    for place, shot in enumerate(wanted, start=1):
        assert f'data-key="{shot.pk}" data-order="{place * 10}"' in answer.content.decode()
    batch = Activity.objects.filter(verb="reordered").latest("pk").batch
    assert batch is not None
    as_("admin").post(reverse("admin:ledger_batch_undo", args=[batch.pk]))
    assert ordered(film) == before


def test_an_order_that_somebody_else_changed_is_refused_in_words(film: Film, as_: Browser) -> None:
    ShotFactory.create_batch(2, sequence=film.shot.sequence)
    before = ordered(film)
    theirs, mine = [before[1], before[0], before[2]], [before[0], before[2], before[1]]
    assert reorder(as_("admin"), film, theirs, before).status_code == 200
    refused = reorder(as_("coordinator"), film, mine, before)
    assert refused.status_code == 409
    assert "admin put these shots in another order" in refused.content.decode()
    assert ordered(film) == theirs
    assert reorder(as_("artist"), film, mine, theirs).status_code == 403
    assert ordered(film) == theirs


def test_many_are_marked_by_whoever_may_and_what_artists_do_not_set_is_told(film: Film, as_: Browser) -> None:
    Shot.objects.filter(pk=film.shot.pk).update(status_id="draft", studio_status=None)
    ShotStatus.objects.filter(pk="ready").update(is_artist_allowed=False)
    press = {"action": "mark_ready", "_selected_action": [str(film.shot.pk)], "index": "0"}
    told = as_("artist").post(listing(Shot), press, follow=True)
    assert told.status_code == 200 and "artists do not" in told.content.decode()
    assert Shot.objects.get(pk=film.shot.pk).status_id == "draft"
    planner = as_("coordinator")
    assert "1 shot changed." in planner.post(listing(Shot), press, follow=True).content.decode()
    assert "1 shot stays as it is" in planner.post(listing(Shot), press, follow=True).content.decode()


WHOLE = {"assign_shots", "playlist_of"}
READ = {"export_shots"}
SOME = {"mark_ready", "change_shots", "give_presets", "recommend_for", "render_shots", "start_recipe"}


def offered(browser: Client, film: Film) -> set[str]:
    """The names of the actions that stand on the list of a film."""
    form = browser.get(of(film)).context["action_form"]
    return {name for name, _label in form.fields["action"].choices} if form else set()


@pytest.mark.parametrize(
    ("who", "may", "may_not"),
    (
        ("coordinator", WHOLE | SOME | READ, set()),
        ("artist", SOME | READ, WHOLE),
        ("viewer", READ, WHOLE | SOME),
    ),
)
def test_actions_stand_there_for_whoever_may_press_them(
    film: Film, as_: Browser, who: str, may: set[str], may_not: set[str]
) -> None:
    stand = offered(as_(who), film)
    assert may <= stand
    assert not may_not & stand


def test_a_film_in_which_somebody_only_reads_offers_no_actions_of_another_film(
    film: Film, other_film: Film, as_: Browser, people: dict[str, User]
) -> None:
    MembershipFactory.create(project=other_film.project, user=people["viewer"], role="coordinator")
    assert offered(as_("viewer"), other_film) >= WHOLE | SOME
    everywhere = as_("viewer").get(listing(Shot)).context["action_form"].fields["action"].choices
    assert dict(everywhere).keys() >= WHOLE | SOME
    assert not (WHOLE | SOME) & offered(as_("viewer"), film)
