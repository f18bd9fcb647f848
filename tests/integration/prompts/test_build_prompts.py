"""Prompts of real rows: collected, composed, kept once."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from apps.common.errors import Refused
from apps.presets.models import Channel, PresetOverride
from apps.productions.models import Shot
from apps.prompts.models import PromptBuild
from apps.prompts.reader import Reader
from apps.prompts.selectors import inputs_for
from apps.prompts.services import build_prompt, build_prompts
from apps.prompts.slate import slate_png
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    CinematicPresetFactory,
    CostumeFactory,
    LocationFactory,
    PresetCategoryFactory,
    SequenceFactory,
    ShotCharacterFactory,
    ShotFactory,
    ShotPresetFactory,
)

pytestmark = pytest.mark.django_db


def cast_shot(sequence: object = None) -> Shot:
    """A shot with cast, costume, LoRA, location and presets."""
    shot = ShotFactory.create(
        **({"sequence": sequence} if sequence else {}), weather="snow", time_of_day="dusk"
    )
    shot.location = LocationFactory.create(project=shot.project)
    shot.save()
    gerda = CharacterFactory.create(project=shot.project, use_lora=True, negative="adult")
    gerda.default_costume = CostumeFactory.create(character=gerda)
    gerda.save()
    CharacterLoraFactory.create(character=gerda)
    ShotCharacterFactory.create(shot=shot, character=gerda)
    ShotPresetFactory.create(shot=shot)
    return shot


def test_a_shots_prompt_says_who_wears_what_where_and_when() -> None:
    build = build_prompt(cast_shot(), Reader("image", "flux"))
    assert build.positive.startswith(
        "A girl walks along the quay. Gerda, a girl of twelve with braided blonde hair, "
        "wearing a red wool coat, looks out over the ice. "
        "a frozen harbour with tall ships locked in the ice, in falling snow, at dusk. "
    )
    assert build.positive.endswith("gerda_v2")
    assert build.negative.startswith("adult, ")
    assert [lora["triggers"] for lora in build.loras] == [["gerda_v2"]]


def test_every_segment_names_the_row_it_came_from() -> None:
    shot = cast_shot()
    casting = shot.casting.get()
    build = build_prompt(shot, Reader("image", "flux"))
    sources = {
        segment["source"]: segment["source_id"] for segment in build.segments if segment["role"] == "positive"
    }
    assert sources["scene"] == str(shot.pk)
    assert sources["character"] == str(casting.character_id)
    assert sources["costume"] == str(casting.character.default_costume_id)
    assert sources["location"] == str(shot.location_id)
    assert sources["preset"] == str(shot.presets.get().pk)


def test_a_casting_costume_comes_before_the_default() -> None:
    shot = cast_shot()
    casting = shot.casting.get()
    casting.costume = CostumeFactory.create(character=casting.character, prompt="a torn white dress")
    casting.save()
    text = build_prompt(shot, Reader("image", "flux")).positive
    assert "wearing a torn white dress" in text
    assert "red wool coat" not in text


def test_presets_come_in_category_order_and_only_where_their_channel_fits() -> None:
    shot = ShotFactory.create()
    last = PresetCategoryFactory.create(slug="test_last", order=902)
    first = PresetCategoryFactory.create(slug="test_first", order=901)
    for category, fragment, channel in (
        (last, "soft grain", Channel.BOTH),
        (first, "the camera glides", Channel.VIDEO),
        (first, "wide shot", Channel.BOTH),
    ):
        ShotPresetFactory.create(
            shot=shot,
            preset=CinematicPresetFactory.create(
                category=category, prompt_fragment=fragment, channel=channel
            ),
        )
    image = build_prompt(shot, Reader("image", "flux")).positive
    video = build_prompt(shot, Reader("video", "flux")).positive
    assert image.endswith("wide shot, soft grain")
    assert video.endswith("the camera glides, wide shot, soft grain")


def test_the_same_prompt_is_kept_once() -> None:
    shot = cast_shot()
    first = build_prompt(shot, Reader("image", "flux"))
    assert build_prompt(shot, Reader("image", "flux")) == first
    assert PromptBuild.objects.count() == 1


def test_an_edited_shot_gets_a_new_build_and_the_old_one_stays() -> None:
    shot = cast_shot()
    first = build_prompt(shot, Reader("image", "flux"))
    shot.description = "The quay is empty"
    shot.save()
    second = build_prompt(shot, Reader("image", "flux"))
    assert second.positive.startswith("The quay is empty. ")
    assert PromptBuild.objects.get(pk=first.pk).positive == first.positive


def test_the_projects_language_counts_unless_another_is_asked_for() -> None:
    shot = cast_shot()
    shot.project.prompt_language = "ko"
    shot.project.save()
    korean = build_prompt(shot, Reader("image", "flux"))
    english = build_prompt(shot, Reader("image", "flux"), language="en")
    assert korean.positive.startswith(
        "한 소녀가 부두를 따라 걷는다. 게르다, 금발을 땋은 열두 살 소녀, 빨간 모직 코트 차림"
    )
    assert (korean.language, english.language) == ("ko", "en")


def test_facts_of_thirty_shots_take_the_queries_of_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    sequence = SequenceFactory.create()
    shots = [cast_shot(sequence) for _ in range(30)]
    with django_assert_num_queries(5):
        assert list(inputs_for(shots)) == [shot.pk for shot in shots]
    with django_assert_num_queries(5):
        inputs_for(shots[:1])


def test_prompts_of_many_shots_come_in_the_order_asked_for() -> None:
    sequence = SequenceFactory.create()
    shots = [cast_shot(sequence) for _ in range(12)][::-1]
    known = build_prompt(shots[5], Reader("image", "flux"))
    builds = build_prompts(shots, Reader("image", "flux"))
    assert list(builds) == [shot.pk for shot in shots]
    assert builds[shots[5].pk] == known
    assert all(PromptBuild.objects.get(pk=build.pk).shot_id == key for key, build in builds.items())


def test_a_shot_that_says_nothing_is_refused_by_its_code() -> None:
    shot = ShotFactory.create(description="", description_ko="")
    with pytest.raises(Refused, match=f"{shot.full_code} description"):
        build_prompt(shot, Reader("image", "flux"))
    assert not PromptBuild.objects.exists()


@pytest.mark.parametrize(
    ("channel", "language", "field"), [("film", "en", "channel"), ("image", "fr", "language")]
)
def test_an_unknown_channel_or_language_is_refused(channel: str, language: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        build_prompts([], Reader(channel), language=language)
    assert refused.value.problems[0].field == field


def test_trigger_words_typed_as_one_text_are_refused_not_read_letter_by_letter() -> None:
    shot = cast_shot()
    lora = shot.casting.get().character.loras.get()
    lora.trigger_words = "woman"
    lora.save()
    with pytest.raises(Refused, match=r"trigger words.*woman.*write a list of words"):
        build_prompt(shot, Reader("image", "flux"))


def test_a_weather_nobody_knows_is_refused_with_what_is_known() -> None:
    shot = ShotFactory.create(weather="hail")
    with pytest.raises(Refused, match=r"weather.*hail.*use one of sunny"):
        build_prompt(shot, Reader("image", "flux"))


@pytest.mark.django_db(transaction=True)
def test_eight_people_composing_at_once_share_one_build() -> None:
    shot = cast_shot()
    together = Barrier(8)

    def compose_now(_number: int) -> PromptBuild:
        try:
            together.wait()
            return build_prompt(shot, Reader("image", "flux"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        builds = list(people.map(compose_now, range(8)))
    assert len({build.pk for build in builds}) == 1
    assert PromptBuild.objects.count() == 1


def test_a_shots_slate_is_drawn_at_the_size_asked_for() -> None:
    drawn = Image.open(io.BytesIO(slate_png(cast_shot(), take=2, width=752, height=384)))
    assert (drawn.format, drawn.size) == ("PNG", (752, 384))


def test_a_preset_says_what_its_project_has_it_say_and_the_segment_tells() -> None:
    shot = ShotFactory.create()
    used = ShotPresetFactory.create(shot=shot)
    PresetOverride.objects.create(
        project=shot.project,
        preset=used.preset,
        prompt_fragment="as in an old tale",
        prompt_fragment_ko="옛날이야기처럼",
    )
    (said,) = [one for one in build_prompt(shot, Reader("image")).segments if one["source"] == "preset"]
    assert (said["text"], said["why"]) == ("as in an old tale", "of_project")
    korean = build_prompt(shot, Reader("image"), language="ko")
    assert "옛날이야기처럼" in korean.positive


def test_a_preset_says_in_a_project_what_the_project_has_it_say() -> None:
    shot, elsewhere = ShotFactory.create(), ShotFactory.create()
    preset = CinematicPresetFactory.create(
        prompt_fragment="fog", prompt_fragment_ko="안개", negative_fragment="clear sky"
    )
    for one in (shot, elsewhere):
        ShotPresetFactory.create(shot=one, preset=preset)
    PresetOverride.objects.create(project=shot.project, preset=preset, prompt_fragment="sea fog, foghorns")
    prompts = build_prompts([shot, elsewhere], Reader(channel="image", base_model="flux"))
    assert "sea fog, foghorns" in prompts[shot.pk].positive.lower()
    assert "foghorns" not in prompts[elsewhere.pk].positive
    assert all("clear sky" in prompts[one.pk].negative for one in (shot, elsewhere))
    korean = build_prompts([shot, elsewhere], Reader(channel="image", base_model="flux"), language="ko")
    assert "안개" in korean[elsewhere.pk].positive
    assert "안개" not in korean[shot.pk].positive, "said in one language, the studio's other one is gone"
