"""A shot's prompt on its pages: looked at, written by hand, compared; and a project's order of segments."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.productions.models import Shot
from apps.prompts.models import PromptBuild, PromptEdit
from apps.prompts.reader import Reader
from apps.prompts.services import build_prompt, edit_prompt
from apps.review.models import Take
from tests.factories import CharacterFactory, CharacterLoraFactory, ShotCharacterFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


def prompt_page(shot: Shot, part: str = "", **args: Any) -> str:
    return reverse(f"admin:productions_shot_prompt{part}", args=[shot.pk, *args.values()])


def keep(browser: Any, shot: Shot, **typed: Any) -> Any:
    told = {"template": "sd15_t2i", "row_version": "0", "negative": ""} | typed
    return browser.post(prompt_page(shot, "_keep"), told)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content[:300]
    return str(answer.content.decode())


def test_the_prompt_of_each_template_is_shown_with_its_sources_before_it_is_rendered(
    film: Film, as_: Browser
) -> None:
    answer = as_("artist").get(prompt_page(film.shot), {"template": "flux_t2i"})
    text = text_of(answer)
    assert film.shot.description in text
    assert "ignored by this workflow" in text
    assert "T5-XXL: about" in text
    assert not PromptBuild.objects.filter(shot=film.shot, jobs=None).exists()


def test_a_video_prompt_is_shown_for_a_clip_template_and_korean_for_who_asks(
    film: Film, as_: Browser
) -> None:
    Shot.objects.filter(pk=film.shot.pk).update(description_ko="소녀가 부두를 걷는다")
    asked = {"template": "wan22_t2v", "language": "ko"}
    shown = as_("artist").get(prompt_page(film.shot), asked).context["shown"]
    assert (shown.preview.build.channel, shown.preview.build.language) == ("video", "ko")
    assert shown.preview.build.positive.startswith("소녀가 부두를 걷는다")


def test_a_text_by_hand_is_kept_flagged_and_given_back(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    answer = keep(browser, film.shot, positive="A quay, at last.")
    assert answer.status_code == 302
    edit = PromptEdit.objects.get(shot=film.shot)
    assert (edit.channel, edit.positive, edit.edited_by) == ("image", "A quay, at last.", "coordinator")
    text = text_of(browser.get(prompt_page(film.shot), {"template": "sd15_t2i"}))
    assert "What the composer would have written" in text
    assert '<ins class="sf-ins">' in text
    dropped = {"channel": "image", "row_version": str(edit.row_version)}
    browser.post(prompt_page(film.shot, "_drop"), dropped)
    assert not PromptEdit.objects.exists()


def test_a_text_that_is_left_as_composed_stays_the_composers(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    texts = browser.get(prompt_page(film.shot), {"template": "sd15_t2i"}).context["texts"]
    keep(browser, film.shot, positive="By hand", negative=texts.negative)
    edit = PromptEdit.objects.get(shot=film.shot)
    assert (edit.positive, edit.negative) == ("By hand", None)


def test_two_people_who_write_at_once_lose_nothing(film: Film, as_: Browser) -> None:
    keep(as_("coordinator"), film.shot, positive="Hers")
    answer = keep(as_("admin"), film.shot, positive="His")
    text = text_of(answer)
    assert "coordinator has written this text meanwhile" in text
    assert "Hers" in text
    assert answer.context["texts"].positive == "His"
    version = answer.context["texts"].row_version
    keep(as_("admin"), film.shot, positive="His", row_version=version)
    assert PromptEdit.objects.get(shot=film.shot).positive == "His"


def test_an_empty_text_by_hand_is_refused_and_what_was_typed_stays(film: Film, as_: Browser) -> None:
    answer = keep(as_("coordinator"), film.shot, positive="  ", negative="fog")
    assert "leave the positive text to the composer" in text_of(answer)
    assert answer.context["texts"].negative == "fog"
    assert not PromptEdit.objects.exists()


def test_whoever_only_looks_finds_no_form_and_may_not_write(film: Film, as_: Browser) -> None:
    browser = as_("supervisor")
    assert "may write its prompt by hand" in text_of(browser.get(prompt_page(film.shot)))
    assert keep(browser, film.shot, positive="Mine").status_code == 403
    assert not PromptEdit.objects.exists()


def test_two_builds_are_compared_word_by_word_and_each_leads_to_its_takes(film: Film, as_: Browser) -> None:
    first = build_prompt(film.shot, Reader("image"))
    Shot.objects.filter(pk=film.shot.pk).update(description="A girl runs along the quay")
    second = build_prompt(film.shot, Reader("image"))
    Take.objects.filter(pk=film.take.pk).update(prompt_build=second)
    browser = as_("artist")
    compared = text_of(
        browser.get(prompt_page(film.shot, "_compare"), {"a": str(first.pk), "b": str(second.pk)})
    )
    assert '<del class="sf-del">walks</del><ins class="sf-ins">runs</ins>' in compared
    built = text_of(browser.get(prompt_page(film.shot, "_build", build=second.pk)))
    assert page(film.take) in built
    assert prompt_page(film.shot, "_build", build=second.pk) in text_of(browser.get(page(film.take)))


def test_builds_of_another_shot_are_not_shown_here(film: Film, other_film: Film, as_: Browser) -> None:
    theirs = build_prompt(other_film.shot, Reader("image"))
    assert as_("artist").get(prompt_page(film.shot, "_build", build=theirs.pk)).status_code == 404
    answer = as_("artist").get(prompt_page(film.shot, "_compare"), {"a": str(theirs.pk), "b": "x"})
    assert answer["Location"] == prompt_page(film.shot)


def test_the_render_form_shows_the_prompt_with_what_to_know_of_it(film: Film, as_: Browser) -> None:
    Shot.objects.filter(pk=film.shot.pk).update(negative="crowd")
    edit_prompt(
        Shot.objects.get(pk=film.shot.pk),
        user=film.shot.project.memberships.get(role="coordinator").user,
        channel="image",
        positive="A quay by hand",
        negative=None,
    )
    ShotCharacterFactory.create(shot=film.shot, character=CharacterFactory.create(project=film.project))
    asked = {"shots": str(film.shot.pk), "key": "k", "picture": "flux_t2i", "takes": "1", "priority": "10"}
    answer = as_("coordinator").post(reverse("admin:productions_shot_render"), asked)
    text = text_of(answer)
    assert "A quay by hand" in text
    assert "ignored by this workflow" in text
    codes = {warning.code for _label, warning in answer.context["warnings"]}
    assert {"negative_ignored", "prompt_outdated"} <= codes
    assert "the cast changed since" in text


def test_loras_of_two_people_are_warned_about_where_the_prompt_is_shown(film: Film, as_: Browser) -> None:
    for _number in range(2):
        member = CharacterFactory.create(project=film.project, use_lora=True)
        CharacterLoraFactory.create(character=member)
        ShotCharacterFactory.create(shot=film.shot, character=member)
    answer = as_("artist").get(prompt_page(film.shot), {"template": "flux_t2i"})
    assert "loras_bleed" in {warned.code for warned in answer.context["shown"].warnings}


def test_an_admin_sets_the_order_and_sees_an_example(film: Film, as_: Browser) -> None:
    address = reverse("admin:projects_project_composer", args=[film.project.pk])
    browser = as_("admin")
    looked = browser.post(address, {"ready": "style_first", "row_version": "0"})
    assert "Style first" in text_of(looked)
    assert looked.context["examples"]
    film.project.refresh_from_db()
    assert film.project.composer == {}
    rows = {
        f"{name}-{row.piece.segment}-{part}": value
        for name, some in looked.context["lists"]
        for row in some
        for part, value in (
            ("place", str(row.place)),
            ("state", row.state),
            ("join", row.piece.join),
        )
    }
    rows["negative-house-state"] = "out"
    told = {"base": "style_first", "people": "and", "row_version": "0", **rows}
    moved = browser.post(address, {**told, "up": "positive:cast"})
    assert [row.piece.segment for row in moved.context["lists"][0][1]][:2] == ["cast", "style"]
    assert browser.post(address, {**told, "keep": "1"}).status_code == 302
    film.project.refresh_from_db()
    assert film.project.composer["people"] == "and"
    assert {"segment": "house", "on": False, "join": "comma"} in film.project.composer["negative"]
    stale = browser.post(address, {**told, "people": "comma", "keep": "1"})
    assert "somebody else has changed this project meanwhile" in text_of(stale)


def test_a_coordinator_sees_the_order_and_does_not_change_it(film: Film, as_: Browser) -> None:
    address = reverse("admin:projects_project_composer", args=[film.project.pk])
    assert "An admin of the project changes this" in text_of(as_("coordinator").get(address))
    assert as_("coordinator").post(address, {"ready": "style_first"}).status_code == 403
