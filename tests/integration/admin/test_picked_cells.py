"""Cells of chips in the list of shots: cast, presets and people are picked where they stand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.ledger.models import Activity
from apps.presets.models import CinematicPreset, PresetOverride, PresetRule
from apps.presets.services.overriding import override_preset
from apps.productions.assigning import assign, assign_many
from apps.productions.locking import lock_shot
from apps.productions.models import Shot
from apps.projects.models import Membership, Project
from apps.prompts.selectors import inputs_for
from tests.factories import (
    CharacterFactory,
    CinematicPresetFactory,
    CostumeFactory,
    MembershipFactory,
    ShotFactory,
    UserFactory,
)
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.test_preset_picker import presets_of
from tests.integration.admin.test_shot_list import cell, of, save, shown

pytestmark = pytest.mark.django_db

CELLS = ("cast", "used_presets", "people")


def pick(browser: Client, shot: Shot, name: str, *keys: str, version: int | None = None) -> Any:
    """Save a cell of chips, by default as it is now."""
    seen = Shot.objects.get(pk=shot.pk).row_version if version is None else version
    return save(browser, shot, name, seen, picked=["", *keys])


def found(browser: Client, shot: Shot, name: str, typed: str, *picked: str, **more: Any) -> str:
    """What is offered for a few letters."""
    address = reverse("admin:productions_shot_choices", args=[shot.pk])
    answer = browser.get(address, {"cell": name, "typed": typed, "picked": picked}, **more)
    assert answer.status_code == 200
    return answer.content.decode()


def offered(html: str) -> list[str]:
    """The keys of what is offered, in its order."""
    return re.findall(r'name="picked" value="([^"]+)"', html)


def cast_of(shot: Shot) -> list[str]:
    return list(shot.casting.order_by("order").values_list("character__code", flat=True))


def people_of(shot: Shot) -> set[str]:
    return set(shot.assignees.values_list("username", flat=True))


def fresh(shot: Shot) -> Shot:
    return Shot.objects.get(pk=shot.pk)


def changes_of(shot: Shot) -> list[Activity]:
    return list(Activity.objects.filter(kind="shot", object_id=str(shot.pk)).order_by("pk"))


def test_whoever_stays_in_the_cast_keeps_costume_action_and_weight(film: Film, as_: Browser) -> None:
    shot, planner = film.shot, as_("coordinator")
    part = shot.casting.select_related("character").get()
    part.costume = CostumeFactory.create(character=part.character, name="Fur")
    part.lora_weight = 0.4
    part.save()
    kay = CharacterFactory.create(project=film.project, name="Kay")
    there = len(changes_of(shot))
    answer = pick(planner, shot, "cast", kay.code, part.character.code)
    assert answer.status_code == 200 and "Kay" in answer.content.decode()
    assert cast_of(shot) == [kay.code, part.character.code]
    kept = shot.casting.get(character=part.character)
    assert (kept.costume, kept.action, kept.lora_weight) == (part.costume, part.action, 0.4)
    (one,) = changes_of(shot)[there:]
    assert (one.actor, list(one.changes)) == ("coordinator", ["casting"])


def test_what_was_picked_is_one_step_in_the_history_and_taken_back_there(film: Film, as_: Browser) -> None:
    shot, planner = film.shot, as_("coordinator")
    gerda = shot.casting.get().character.code
    assert pick(planner, shot, "cast").status_code == 200
    emptied = changes_of(shot)[-1]
    kay = CharacterFactory.create(project=film.project)
    assert pick(planner, shot, "cast", kay.code, gerda).status_code == 200
    restore = reverse("admin:productions_shot_restore", args=[shot.pk, emptied.pk])
    assert planner.post(restore).status_code == 302
    assert cast_of(shot) == []


def test_characters_of_the_film_are_found_by_every_word_in_both_languages(
    film: Film, other_film: Film, as_: Browser
) -> None:
    shot, planner = film.shot, as_("coordinator")
    kay = CharacterFactory.create(project=film.project, code="KAY", name="Kay of the mill", name_ko="카이")
    CharacterFactory.create(project=film.project, name="Kay the elder", archived=True)
    CharacterFactory.create(project=other_film.project, name="Kay the stranger")
    for typed in ("kay", "mill of", "카이", "KAY mill"):
        assert offered(found(planner, shot, "cast", typed)) == [kay.code]
    assert offered(found(planner, shot, "cast", "kay", kay.code)) == []
    assert "Nothing else is found" in found(planner, shot, "cast", "nobody-so-called")
    korean = found(planner, shot, "cast", "kay", headers={"Accept-Language": "ko"})
    assert "카이" in korean and "Kay of" not in korean


def test_of_many_characters_the_first_are_offered_and_it_is_said_that_there_are_more(
    film: Film, as_: Browser
) -> None:
    CharacterFactory.create_batch(15, project=film.project, name="Guard")
    told = found(as_("coordinator"), film.shot, "cast", "guard")
    assert len(offered(told)) == 12
    assert "There are more" in told


def test_presets_of_the_film_are_found_with_its_own_words_and_without_what_it_hides(
    film: Film, other_film: Film, as_: Browser
) -> None:
    shot, planner = film.shot, as_("coordinator")
    own = CinematicPresetFactory.create(project=film.project, name="Our fog machine")
    CinematicPresetFactory.create(project=other_film.project, name="Their fog machine")
    epic, tense = (CinematicPreset.objects.get(category__slug="mood", slug=one) for one in ("epic", "tense"))
    PresetOverride.objects.create(project=film.project, preset=epic, hidden=True)
    PresetOverride.objects.create(project=film.project, preset=tense, prompt_fragment="held breath")
    assert offered(found(planner, shot, "used_presets", "fog machine")) == [own.ref]
    assert "mood/epic" not in offered(found(planner, shot, "used_presets", "mood"))
    told = found(planner, shot, "used_presets", "tense")
    assert "mood/tense" in offered(told) and 'title="held breath"' in told


def test_one_of_an_exclusive_category_makes_way_for_another_and_two_are_refused(
    film: Film, as_: Browser
) -> None:
    shot, planner = film.shot, as_("coordinator")
    told = found(planner, shot, "used_presets", "wide-shot", "shot_size/close-up")
    assert "shot_size/wide-shot" in offered(told)
    assert 'data-only="shot_size"' in told and "instead of Close-up" in told
    before = presets_of(shot)
    refused = pick(planner, shot, "used_presets", "shot_size/close-up", "shot_size/wide-shot")
    assert refused.status_code == 400
    assert "allows one per shot" in refused.content.decode()
    assert presets_of(shot) == before
    assert pick(planner, shot, "used_presets", "mood/tense", "shot_size/wide-shot").status_code == 200
    assert presets_of(shot) == ["mood/tense", "shot_size/wide-shot"]


def test_rules_are_told_before_the_save_and_a_hard_one_refuses_it_in_words(film: Film, as_: Browser) -> None:
    shot, planner = film.shot, as_("coordinator")
    Shot.objects.filter(pk=shot.pk).update(time_of_day="night")
    warned = found(planner, shot, "used_presets", "", "camera_movement/dolly-zoom", "camera_support/tripod")
    assert "sf-rule-warning" in warned or "sf-rule-hard" in warned
    told = found(planner, shot, "used_presets", "", "lighting_style/hard-sun")
    assert 'data-rule="no-sun-at-night"' in told
    before = presets_of(shot)
    refused = pick(planner, shot, "used_presets", "lighting_style/hard-sun")
    assert refused.status_code == 400
    assert refused.content.decode().count("There is no sun at night") == 1
    assert 'value="lighting_style/hard-sun"' in refused.content.decode()
    assert presets_of(shot) == before
    Shot.objects.filter(pk=shot.pk).update(preset_override="A searchlight plays the sun")
    assert pick(planner, shot, "used_presets", "lighting_style/hard-sun").status_code == 200
    assert presets_of(shot) == ["lighting_style/hard-sun"]


def test_why_a_rule_is_broken_is_told_in_the_reader_s_words_and_not_in_terms(
    film: Film, as_: Browser
) -> None:
    shot, planner = film.shot, as_("coordinator")
    Shot.objects.filter(pk=shot.pk).update(time_of_day="night")
    category = CinematicPreset.objects.get(category__slug="mood", slug="tense").category
    CinematicPreset.objects.filter(category=category, slug="tense").update(params={"led": True})
    Project.objects.filter(pk=film.project.pk).update(period_year=1950)
    PresetRule.objects.create(
        project=film.project,
        slug="moods-want-a-lens",
        kind="requires",
        severity="warning",
        when="category:mood",
        other="category:lens_focal",
        message="A mood wants a lens.",
    )
    picked = ("camera_movement/dolly-zoom", "lighting_style/hard-sun", "mood/tense")
    english = _words(found(planner, shot, "used_presets", "", *picked))
    for said in (
        "There is no sun at night: choose moonlight, lamps, or another time. Hard sun, time of day: night",
        "A mood wants a lens. a preset of “Mood”",
        "a preset with “led”, before 2002",
    ):
        assert said in english
    korean = _words(found(planner, shot, "used_presets", "", *picked, headers={"Accept-Language": "ko"}))
    assert "강한 직사광, 시간대: 밤" in korean
    form = reverse("admin:productions_shot_preset_check")
    sent = {"sequence": shot.sequence_id, "time_of_day": "night", "picked-shown": "1"}
    sun = CinematicPreset.objects.get(category__slug="lighting_style", slug="hard-sun")
    sent[f"picked-of-{sun.category_id}"] = sun.pk
    told = _words(planner.post(form, sent).content.decode())
    assert "Hard sun, time of day: night" in told
    for words in (english, korean, told):
        assert not re.search(r"(preset|category|param|time_of_day|year):", words)


def _words(html: str) -> str:
    """What the rules say, as it is read."""
    rules = re.findall(r'<p class="sf-rule.*?</p>', html, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", "\n".join(rules)).split())


def test_a_shot_keeps_the_preset_that_was_chosen_whatever_the_film_says_of_it(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    shot, planner = film.shot, as_("coordinator")
    tense = CinematicPreset.objects.get(category__slug="mood", slug="tense")
    assert pick(planner, shot, "used_presets", "mood/tense").status_code == 200
    override_preset(tense, project=film.project, user=people["coordinator"], prompt_fragment="held breath")
    assert pick(planner, shot, "used_presets", "mood/tense", "mood/epic").status_code == 200
    assert list(shot.presets.filter(slug="tense")) == [tense]
    facts = inputs_for([fresh(shot)])[shot.pk]
    assert [one.fragment.en for one in facts.presets if one.slug == "tense"] == ["held breath"]
    # By a hand in the database: no page and no service lets a film take the studio's key.
    CinematicPresetFactory.create(project=film.project, category=tense.category, slug="tense", name="Ours")
    assert pick(planner, shot, "used_presets", "mood/tense").status_code == 200
    assert list(shot.presets.all()) == [tense]
    assert "Tense" in shown(planner, f"{cell(shot)}?cell=used_presets")


def test_a_preset_that_the_film_hides_stays_where_it_was_chosen(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    shot, planner = film.shot, as_("coordinator")
    tense = CinematicPreset.objects.get(category__slug="mood", slug="tense")
    assert pick(planner, shot, "used_presets", "mood/tense").status_code == 200
    override_preset(tense, project=film.project, user=people["coordinator"], hidden=True)
    assert "mood/tense" not in offered(found(planner, shot, "used_presets", "tense"))
    assert pick(planner, shot, "used_presets", "mood/epic", "mood/tense").status_code == 200
    assert presets_of(shot) == ["mood/epic", "mood/tense"]


def test_a_preset_that_the_film_has_put_away_stays_where_it_is(film: Film, as_: Browser) -> None:
    shot, planner = film.shot, as_("coordinator")
    assert pick(planner, shot, "used_presets", "mood/tense").status_code == 200
    CinematicPreset.objects.filter(category__slug="mood", slug="tense").update(archived=True)
    assert "Tense" in shown(planner, f"{cell(shot)}?cell=used_presets")
    assert pick(planner, shot, "used_presets", "mood/tense", "mood/epic").status_code == 200
    assert presets_of(shot) == ["mood/tense", "mood/epic"]


def test_members_who_may_be_assigned_are_found_and_no_client(film: Film, as_: Browser) -> None:
    shot, planner = film.shot, as_("coordinator")
    kim = UserFactory.create(username="kim", first_name="Minji", last_name="Kim")
    MembershipFactory.create(project=film.project, user=kim, role="artist")
    assert offered(found(planner, shot, "people", "minji")) == ["kim"]
    assert offered(found(planner, shot, "people", "client")) == []
    assert pick(planner, shot, "people", "kim", "artist").status_code == 200
    assert people_of(shot) == {"kim", "artist"}
    refused = pick(planner, shot, "people", "client")
    assert refused.status_code == 400
    assert "client: may not be assigned" in refused.content.decode()
    assert people_of(shot) == {"kim", "artist"}


@pytest.mark.parametrize(
    ("name", "theirs", "mine"),
    (
        ("cast", (), ("CH-MINE",)),
        ("used_presets", ("mood/epic",), ("mood/tense",)),
        ("people", (), ("supervisor",)),
    ),
)
def test_a_stale_save_shows_whose_change_it_was_and_keeps_what_was_picked(
    film: Film, as_: Browser, name: str, theirs: tuple[str, ...], mine: tuple[str, ...]
) -> None:
    CharacterFactory.create(project=film.project, code="CH-MINE")
    shot, seen = film.shot, fresh(film.shot).row_version
    assert pick(as_("admin"), shot, name, *theirs).status_code == 200
    told = (cast_of(shot), presets_of(shot), people_of(shot))
    planner = as_("coordinator")
    refused = pick(planner, shot, name, *mine, version=seen)
    html = refused.content.decode()
    assert refused.status_code == 409
    assert "Somebody else changed this" in html and "sf-meanwhile" in html and "admin" in html
    assert f'value="{mine[0]}"' in html and 'data-refused="stale"' in html
    assert (cast_of(shot), presets_of(shot), people_of(shot)) == told
    row = planner.get(f"{cell(shot)}?cell={name}&row=1").content.decode()
    assert f'data-cell="{name}"' in row and "<html" not in row
    assert pick(planner, shot, name, *mine, version=refused.context["version"]).status_code == 200
    assert mine[0] in {*cast_of(shot), *presets_of(shot), *people_of(shot)}


def test_what_others_changed_elsewhere_is_in_nobody_s_way(film: Film, as_: Browser) -> None:
    shot, seen, planner = film.shot, fresh(film.shot).row_version, as_("coordinator")
    assert save(as_("admin"), shot, "length", seen, frames=70).status_code == 200
    for name in CELLS:
        assert pick(planner, shot, name, version=seen).status_code == 200
    assert (cast_of(shot), presets_of(shot), people_of(shot)) == ([], [], set())
    assert fresh(shot).frames == 70


@pytest.mark.parametrize(
    ("who", "may"),
    (
        ("coordinator", CELLS),
        ("admin", CELLS),
        ("root", CELLS),
        ("artist", ("cast", "used_presets")),  # the shot is theirs, but not who works on it
        ("supervisor", CELLS[:0]),
        ("viewer", CELLS[:0]),
    ),
)
def test_cells_open_for_whoever_may_say_so_and_services_refuse_the_others(
    film: Film, as_: Browser, who: str, may: tuple[str, ...]
) -> None:
    browser, page = as_(who), shown(as_(who))
    address = reverse("admin:productions_shot_choices", args=[film.shot.pk])
    assert tuple(name for name in CELLS if f'data-cell="{name}"' in page) == may
    for name in CELLS:
        wanted = 200 if name in may else 403
        assert browser.get(cell(film.shot), {"cell": name}).status_code == wanted
        assert browser.get(address, {"cell": name}).status_code == wanted
        assert pick(browser, film.shot, name).status_code == wanted
    told = (cast_of(film.shot), people_of(film.shot))
    assert told == ([] if "cast" in may else cast_of(film.shot), set() if "people" in may else {"artist"})


@pytest.mark.parametrize("name", CELLS)
def test_a_locked_shot_s_chips_are_not_edited_and_the_service_refuses(
    film: Film, as_: Browser, people: dict[str, User], name: str
) -> None:
    shot, planner = film.shot, as_("coordinator")
    assert f'data-cell="{name}"' in shown(planner)
    lock_shot(shot, user=people["admin"])
    assert f'data-cell="{name}"' not in shown(planner)
    told = (cast_of(shot), presets_of(shot), people_of(shot))
    refused = pick(planner, shot, name)
    assert refused.status_code == 400 and "admin locked this shot" in refused.content.decode()
    assert (cast_of(shot), presets_of(shot), people_of(shot)) == told


def test_the_form_of_the_shot_s_page_does_not_write_over_whom_somebody_else_assigned(
    film: Film, as_: Browser
) -> None:
    shot, planner = film.shot, as_("coordinator")
    page, form = (
        reverse(f"admin:productions_shot_{name}", args=[shot.pk]) for name in ("change", "assignees")
    )
    assert f'name="row_version" value="{shot.row_version}"' in shown(planner, page).split('id="assignees"')[1]
    seen = {"row_version": shot.row_version}
    assert pick(as_("admin"), shot, "people", "artist", "supervisor").status_code == 200
    told = planner.post(form, {"users": ["artist"], **seen}, follow=True).content.decode()
    assert "so nothing is saved" in told
    assert "does not say which version" in planner.post(form, {}, follow=True).content.decode()
    assert people_of(shot) == {"artist", "supervisor"}
    again = {"users": ["artist"], "row_version": fresh(shot).row_version}
    assert "Assigned." in planner.post(form, again, follow=True).content.decode()
    assert people_of(shot) == {"artist"}


def test_whoever_works_on_a_locked_shot_stays_whichever_way_it_is_asked(
    film: Film, people: dict[str, User]
) -> None:
    lock_shot(film.shot, user=people["admin"])
    with pytest.raises(Refused, match="locked this shot"):
        assign(film.shot, [], user=people["coordinator"])
    with pytest.raises(Refused, match="locked this shot"):
        assign_many(Shot.objects.all(), user=people["coordinator"], remove=["artist"])
    assert people_of(film.shot) == {"artist"}


@pytest.mark.parametrize(
    ("name", "keys", "said"),
    (
        ("cast", ("NOBODY",), "NOBODY: no such character in FROST"),
        ("used_presets", ("mood/none-such",), "mood/none-such: no such preset"),
        ("people", ("stranger",), "stranger: may not be assigned"),
        ("cast", tuple(f"X{number}" for number in range(201)), "pick at most 200"),
    ),
)
def test_what_is_not_there_is_refused_by_name_and_nothing_is_written(
    film: Film, as_: Browser, name: str, keys: tuple[str, ...], said: str
) -> None:
    shot = film.shot
    before = (cast_of(shot), presets_of(shot), people_of(shot), fresh(shot).row_version)
    refused = pick(as_("coordinator"), shot, name, *keys)
    assert refused.status_code == 400 and said in refused.content.decode()
    assert (cast_of(shot), presets_of(shot), people_of(shot), fresh(shot).row_version) == before


@pytest.mark.parametrize("name", CELLS)
def test_what_no_database_holds_finds_nothing_and_is_refused_in_words(
    film: Film, as_: Browser, name: str
) -> None:
    planner = as_("coordinator")
    before = (cast_of(film.shot), presets_of(film.shot), people_of(film.shot))
    found(planner, film.shot, name, "ger\0da", "one\0two")
    refused = pick(planner, film.shot, name, "one\0two")
    assert refused.status_code == 400 and "Null characters are not allowed" in refused.content.decode()
    assert (cast_of(film.shot), presets_of(film.shot), people_of(film.shot)) == before


def test_a_name_is_found_as_it_is_written_whatever_its_letters(film: Film, as_: Browser) -> None:
    elise = CharacterFactory.create(project=film.project, code="CH-E", name="Élise")
    assert offered(found(as_("coordinator"), film.shot, "cast", "Élise")) == [elise.code]


def test_a_character_of_another_film_is_neither_cast_nor_named(
    film: Film, other_film: Film, as_: Browser
) -> None:
    CharacterFactory.create(project=other_film.project, code="CH-SECRET", name="The Snow Queen")
    before = cast_of(film.shot)
    refused = pick(as_("coordinator"), film.shot, "cast", "CH-SECRET")
    assert refused.status_code == 400 and "no such character in FROST" in refused.content.decode()
    assert "Snow Queen" not in refused.content.decode()
    assert cast_of(film.shot) == before


def test_names_are_shown_as_they_are_written(film: Film, as_: Browser) -> None:
    planner, evil = as_("coordinator"), "<script>alert('x')</script>\"&"
    kay = CharacterFactory.create(project=film.project, code="CH-EVIL", name=evil)
    told = (
        found(planner, film.shot, "cast", "script")
        + pick(planner, film.shot, "cast", kay.code).content.decode()
    )
    told += shown(planner, f"{cell(film.shot)}?cell=cast")
    assert "<script>" not in told
    assert told.count("&lt;script&gt;") >= 4


def test_a_save_without_chips_empties_nothing(film: Film, as_: Browser) -> None:
    refused = save(as_("coordinator"), film.shot, "cast", film.shot.row_version)
    assert refused.status_code == 400 and "say what to set" in refused.content.decode()
    assert cast_of(film.shot)


def test_choices_are_found_not_printed_and_take_as_many_queries_in_a_longer_film(
    film: Film, as_: Browser
) -> None:
    planner = as_("coordinator")
    counts: list[dict[str, int]] = []
    for _round in range(3):
        counts.append({name: _queries(planner, film.shot, name) for name in CELLS})
        ShotFactory.create_batch(10, sequence=film.shot.sequence)
        CharacterFactory.create_batch(10, project=film.project, name="Somebody")
        CinematicPresetFactory.create_batch(10, name="Somebody")
        for user in UserFactory.create_batch(10, first_name="Somebody"):
            Membership.objects.create(project=film.project, user=user, role="artist")
    assert counts[1] == counts[2]  # the first one reads what kinds of objects there are
    assert counts[2]["cast"] <= 20 and counts[2]["used_presets"] <= 20 and counts[2]["people"] <= 20
    page = shown(planner, of(film))
    assert "data-find" not in page and 'name="picked"' not in page


def _queries(browser: Client, shot: Shot, name: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        found(browser, shot, name, "somebody")
    return len(seen)


def test_saving_chips_takes_as_many_queries_in_a_longer_film(film: Film, as_: Browser) -> None:
    planner, counts = as_("coordinator"), []
    for _round in range(3):
        kay, version = CharacterFactory.create(project=film.project), fresh(film.shot).row_version
        with CaptureQueriesContext(connection) as seen:
            assert save(planner, film.shot, "cast", version, picked=["", kay.code]).status_code == 200
        counts.append(len(seen))
        ShotFactory.create_batch(20, sequence=film.shot.sequence)
    assert counts[1] == counts[2] < 40
