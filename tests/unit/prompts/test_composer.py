"""The composer, against golden files and rule by rule.

To accept new text, raise composer.COMPOSER, run these tests once with SHOTFARM_WRITE_GOLDEN=1 and read
the difference that git shows.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apps.prompts.composer import Composed, Segment, compose
from apps.prompts.facts import (
    Bilingual,
    CastMember,
    CostumeFacts,
    LocationFacts,
    Lora,
    PresetFacts,
    ShotFacts,
)
from apps.prompts.reader import Reader

GOLDEN = Path(__file__).parents[2] / "data" / "prompts"

GERDA = CastMember(
    character_id="character-gerda",
    code="CH0001",
    name=Bilingual("Gerda", "게르다"),
    description=Bilingual("a girl of twelve with braided blonde hair.", "금발을 땋은 열두 살 소녀"),
    action=Bilingual("holds a lantern high", "등불을 높이 들고 있다"),
    negative="adult, modern clothing",
    costume=CostumeFacts("costume-red", "Red coat", Bilingual("a red wool coat", "빨간 모직 코트")),
    use_lora=True,
    lora_weight=0.65,
    loras=(
        Lora("lora-flux", "flux", "characters/gerda_flux.safetensors", 0.8, ("gerda_v2", "braided girl")),
        Lora("lora-sd15", "sd15", "characters/gerda_sd15.safetensors", 0.9, ("gerda_v1",)),
    ),
)
KAY = CastMember(
    character_id="character-kay",
    code="CH0002",
    name=Bilingual("Kay", "카이"),
    description=Bilingual("a pale boy with frost on his lashes"),
    action=Bilingual("turns away", "등을 돌린다"),
    negative="Adult, smiling",
    costume=CostumeFacts("costume-furs", "Furs", Bilingual("dressed in grey furs")),
    loras=(Lora("lora-kay", "flux", "characters/kay.safetensors", 0.8, ("kay_v1",)),),
)


def preset(slug: str, category: int, fragment: str, negative: str = "", **changes: Any) -> PresetFacts:
    facts = PresetFacts(
        preset_id=f"preset-{slug}",
        slug=slug,
        name=Bilingual(slug.replace("-", " ").capitalize()),
        category_order=category,
        order=1,
        channel="both",
        fragment=Bilingual(fragment),
        negative=Bilingual(negative),
    )
    return replace(facts, **changes)


SHOT = ShotFacts(
    shot_id="shot-40",
    code="SQ010_SH0040",
    description=Bilingual(
        "Two children face each other\n  on the frozen harbour ,\tthe ice  cracking between them.",
        "두 아이가 얼어붙은 항구에서 마주 서 있고, 둘 사이의 얼음이 갈라진다.",
    ),
    cast=(GERDA, KAY),
    location=LocationFacts(
        "location-harbour",
        Bilingual("Frozen harbour", "얼어붙은 항구"),
        Bilingual("tall ships locked in the ice", "얼음에 갇힌 범선들"),
    ),
    weather="snow",
    time_of_day="dusk",
    presets=(
        preset("35mm", 6, "35mm lens, natural wide perspective"),
        preset("slow-push-in", 4, "the camera slowly pushes in", "static camera", channel="video"),
        preset("wide-shot", 1, "wide shot", "tight framing, ADULT", name=Bilingual("Wide shot", "와이드 숏")),
        preset("16-9", 18, ""),
    ),
    negative="crowd, (blurry, smeared:1.2)",
)


def composed(
    facts: ShotFacts = SHOT, *, channel: str = "image", language: str = "en", model: str = "flux"
) -> Composed:
    return compose(facts, Reader(channel, model), language=language)


def from_source(prompt: Composed, source: str, role: str = "positive") -> list[Segment]:
    return [one for one in prompt.segments if (one.source, one.role) == (source, role)]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("channel", ["image", "video"])
def test_the_fixture_shot_reads_as_its_golden_file_to_the_byte(language: str, channel: str) -> None:
    path = GOLDEN / f"{channel}_{language}.json"
    prompt = composed(channel=channel, language=language)
    text = json.dumps(prompt.as_json(), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("SHOTFARM_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_segment_stands_in_its_own_text_in_order(language: str) -> None:
    prompt = composed(channel="video", language=language)
    for role, text in (("positive", prompt.positive), ("negative", prompt.negative)):
        place = 0
        for segment in (one for one in prompt.segments if one.role == role):
            place = text.index(segment.text, place) + len(segment.text)
        assert place == len(text)


def test_the_order_in_which_presets_were_chosen_does_not_matter() -> None:
    assert composed(replace(SHOT, presets=SHOT.presets[::-1])) == composed()


def test_the_scene_stays_when_somebody_is_cast() -> None:
    assert from_source(composed(), "scene")[0].text.startswith("Two children face each other on the frozen")


def test_a_camera_movement_is_in_the_video_prompt_only() -> None:
    assert "pushes in" not in composed(channel="image").positive
    assert "static camera" not in composed(channel="image").negative
    assert "pushes in" in composed(channel="video").positive
    assert "static camera" in composed(channel="video").negative


def test_an_image_preset_is_silent_in_a_video_prompt() -> None:
    facts = replace(SHOT, presets=(preset("poster", 1, "poster art", channel="image"),))
    assert "poster art" in composed(facts, channel="image").positive
    assert "poster art" not in composed(facts, channel="video").positive


def test_a_negative_phrase_is_said_once_whoever_says_it_again() -> None:
    prompt = composed()
    assert prompt.negative.lower().count("adult") == 1
    assert [one.text for one in from_source(prompt, "character", "negative")] == [
        "adult, modern clothing",
        "smiling",
    ]


def test_commas_inside_brackets_do_not_break_a_negative_phrase() -> None:
    assert "(blurry, smeared:1.2)" in composed().negative


def test_no_negative_word_is_in_the_positive_prompt() -> None:
    prompt = composed()
    for segment in (one for one in prompt.segments if one.role == "negative"):
        assert segment.text not in prompt.positive


def test_the_house_negative_shows_as_a_segment_of_its_own() -> None:
    assert from_source(composed(), "house", "negative")[0].text.startswith("text, subtitles")


def test_only_loras_of_the_base_model_are_loaded_at_the_castings_weight() -> None:
    (lora,) = composed(model="sd15").loras
    assert (lora.file, lora.weight, lora.character) == ("characters/gerda_sd15.safetensors", 0.65, "CH0001")
    assert from_source(composed(model="sd15"), "lora")[0].text == "gerda_v1"


def test_a_character_without_use_lora_brings_neither_file_nor_trigger_word() -> None:
    prompt = composed()
    assert "kay_v1" not in prompt.positive
    assert all(lora.character == "CH0001" for lora in prompt.loras)


def test_a_casting_weight_of_zero_switches_the_lora_off_with_its_trigger_words() -> None:
    prompt = composed(replace(SHOT, cast=(replace(GERDA, lora_weight=0.0),)))
    assert prompt.loras == ()
    assert "gerda_v2" not in prompt.positive


def test_a_trigger_word_somebody_typed_already_is_not_said_again() -> None:
    typed = replace(SHOT, description=Bilingual("gerda_v2 waits, gerda_v20 does not"))
    prompt = composed(typed)
    assert prompt.positive.count("gerda_v2 ") == 1
    assert [one.text for one in from_source(prompt, "lora")] == ["braided girl"]
    assert prompt.loras[0].triggers == ("gerda_v2", "braided girl")


def test_a_longer_word_is_not_the_trigger_word() -> None:
    prompt = composed(replace(SHOT, description=Bilingual("gerda_v20 waits")))
    assert [one.text for one in from_source(prompt, "lora")] == ["gerda_v2, braided girl"]


def test_a_pair_of_files_for_two_experts_is_loaded_and_triggers_once() -> None:
    high, low = (
        Lora(f"l-{e}", "wan22", f"gerda_{e}.safetensors", 0.8, ("gerda_w",), e) for e in ("high", "low")
    )
    prompt = composed(replace(SHOT, cast=(replace(GERDA, loras=(high, low)),)), model="wan22")
    assert [(lora.file, lora.expert) for lora in prompt.loras] == [
        ("gerda_high.safetensors", "high"),
        ("gerda_low.safetensors", "low"),
    ]
    assert [one.text for one in from_source(prompt, "lora")] == ["gerda_w"]
    assert prompt.positive.count("gerda_w") == 1


def test_without_a_casting_weight_the_loras_own_counts() -> None:
    facts = replace(SHOT, cast=(replace(GERDA, lora_weight=None),))
    assert composed(facts).loras[0].weight == 0.8


def test_trigger_words_keep_their_order_and_come_once() -> None:
    twin = replace(GERDA, character_id="twin", code="CH0009")
    prompt = composed(replace(SHOT, cast=(GERDA, twin)))
    assert [one.text for one in from_source(prompt, "lora")] == ["gerda_v2, braided girl"]


def test_a_file_two_characters_share_is_loaded_once() -> None:
    twin = replace(GERDA, character_id="twin", code="CH0009", lora_weight=0.3)
    (lora,) = composed(replace(SHOT, cast=(GERDA, twin))).loras
    assert (lora.file, lora.weight, lora.character) == ("characters/gerda_flux.safetensors", 0.65, "CH0001")


def test_a_missing_korean_field_falls_back_to_english_and_says_so() -> None:
    texts = {one.text: one.label for one in composed(language="ko").segments}
    assert texts["a pale boy with frost on his lashes"] == "카이 (English)"
    assert texts["wide shot"] == "와이드 숏 (English)"
    assert texts["금발을 땋은 열두 살 소녀"] == "게르다"


def test_an_english_prompt_holds_no_korean() -> None:
    text = composed(channel="video").positive
    assert not any("가" <= letter <= "힣" for letter in text)


@pytest.mark.parametrize(
    ("language", "snow", "dusk"), [("en", "in falling snow", "at dusk"), ("ko", "눈이 내림", "해 질 녘")]
)
def test_weather_and_time_speak_the_prompts_language(language: str, snow: str, dusk: str) -> None:
    prompt = composed(language=language)
    assert from_source(prompt, "weather")[0].text == snow
    assert from_source(prompt, "time")[0].text == dusk


def test_a_costume_that_says_it_is_worn_is_not_worn_twice() -> None:
    texts = [one.text for one in from_source(composed(), "costume")]
    assert texts == ["wearing a red wool coat", "dressed in grey furs"]


def test_a_location_without_prompt_text_is_named() -> None:
    place = LocationFacts("l", Bilingual("Frozen harbour", "얼어붙은 항구"), Bilingual(""))
    assert from_source(composed(replace(SHOT, location=place)), "location")[0].text == "Frozen harbour"


def test_an_empty_shot_gives_no_positive_text() -> None:
    assert composed(ShotFacts("s", "SQ010_SH0010", Bilingual(""))).positive == ""
