"""The composer, rule by rule. What it writes to the letter: test_golden.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.prompts.composer import Composed, Segment, compose
from apps.prompts.facts import Bilingual, CostumeFacts, LocationFacts, Lora, ShotFacts
from apps.prompts.order import ORDERS, Piece, read_order
from apps.prompts.reader import Reader
from tests.unit.prompts.facts import GERDA, KAY, SHOT, preset


def composed(
    facts: ShotFacts = SHOT, *, channel: str = "image", language: str = "en", model: str = "flux"
) -> Composed:
    return compose(facts, Reader(channel, model), language=language)


def from_source(prompt: Composed, source: str, role: str = "positive") -> list[Segment]:
    return [one for one in prompt.segments if (one.source, one.role) == (source, role)]


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


def test_what_is_written_in_korean_alone_is_in_the_english_prompt_too() -> None:
    cape = CostumeFacts("", "", Bilingual("", "파란 망토"), "override")
    gerda = replace(
        GERDA, description=Bilingual("", "땋은 머리"), action=Bilingual("", "등불을 든다"), costume=cape
    )
    said = composed(replace(SHOT, cast=(gerda,)), language="en")
    assert "등불을 든다" in said.positive
    assert "땋은 머리" in said.positive
    assert {one.why for one in from_source(said, "character") if "땋은" in one.text} == {"fallback_ko"}
    (worn,) = from_source(said, "costume")
    assert (worn.text, worn.field, worn.language) == ("파란 망토 차림", "costume_override_ko", "ko")


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


def test_a_break_waits_for_the_next_piece_that_says_something() -> None:
    prompt = composed(replace(SHOT, cast=(), location=None, presets=(), time_of_day=""), model="")
    assert prompt.positive.endswith("cracking between them. in falling snow")


def test_what_is_typed_for_the_shot_is_worn_before_what_is_chosen_and_that_before_the_default() -> None:
    typed = CostumeFacts("", "", Bilingual("a torn sail", "찢어진 돛"), "override")
    chosen = CostumeFacts("costume-furs", "Furs", Bilingual("grey furs"), "chosen")
    own = CostumeFacts("costume-red", "Red coat", Bilingual("a red wool coat"), "default")
    member = replace(GERDA, costume=typed, unworn=(chosen, own))
    prompt = composed(replace(SHOT, cast=(member,)))
    (worn,) = from_source(prompt, "costume")
    assert (worn.text, worn.row, worn.field, worn.source_id, worn.why) == (
        "wearing a torn sail",
        "casting",
        "costume_override",
        "casting-gerda",
        "costume_override",
    )
    unworn = [(one.text, one.why) for one in prompt.left_out if one.source == "costume"]
    assert unworn == [("wearing grey furs", "another_worn"), ("wearing a red wool coat", "another_worn")]
    (korean,) = from_source(composed(replace(SHOT, cast=(member,)), language="ko"), "costume")
    assert (korean.text, korean.field, korean.language) == ("찢어진 돛 차림", "costume_override_ko", "ko")


@pytest.mark.parametrize(("language", "told"), [("en", ["70 years old", "male"]), ("ko", ["70세", "남성"])])
def test_age_and_gender_are_said_where_they_are_set(language: str, told: list[str]) -> None:
    old = replace(KAY, age="70", gender="male")
    prompt = composed(replace(SHOT, cast=(GERDA, old)), language=language)
    said = [one.text for one in from_source(prompt, "character") if one.field in {"age", "gender"}]
    assert said == told


def test_a_piece_that_is_switched_off_is_left_out_and_that_is_said() -> None:
    order = read_order({"person": [{"segment": "action"}], "negative": [{"segment": "shot"}]})
    prompt = compose(SHOT, Reader("image", "flux"), language="en", order=order)
    assert "braided blonde hair" not in prompt.positive
    assert prompt.negative == "crowd, (blurry, smeared:1.2)"
    off = {one.text for one in prompt.left_out if one.why == "switched_off"}
    assert {"Gerda", "a girl of twelve with braided blonde hair", "wearing a red wool coat"} <= off


def test_presets_of_a_family_stand_where_the_order_places_them() -> None:
    prompt = compose(SHOT, Reader("video", "flux"), language="en", order=ORDERS["light_first"])
    assert prompt.positive.startswith("lit by the moon. Two children face each other")
    assert "wide shot, the camera slowly pushes in, 35mm lens" in prompt.positive


def test_dialogue_is_written_only_where_the_order_asks_for_it() -> None:
    assert "Do you know me" not in composed().positive
    pieces = [Piece("scene"), Piece("dialogue"), Piece("cast"), Piece("lora")]
    order = read_order({"positive": [piece.as_json() for piece in pieces]})
    prompt = compose(SHOT, Reader("video", "flux"), language="en", order=order)
    assert 'saying: "Do you know me?", Gerda' in prompt.positive


def test_every_segment_written_or_not_names_row_field_and_language() -> None:
    prompt = composed(language="ko")
    assert all(one.row and one.language for one in (*prompt.segments, *prompt.left_out))
    assert all(one.field for one in (*prompt.segments, *prompt.left_out) if one.source != "house")
    assert all(one.why for one in prompt.left_out)
    fields = {one.text: one.field for one in prompt.segments}
    assert fields["금발을 땋은 열두 살 소녀"] == "description_ko"
    assert fields["a pale boy with frost on his lashes"] == "description"


def test_a_shot_of_many_people_keeps_its_scene_and_says_every_one_of_them() -> None:
    people = tuple(replace(GERDA, character_id=f"c{n}", name=Bilingual(f"Gerda{n}")) for n in range(12))
    prompt = composed(replace(SHOT, cast=people))
    assert len(from_source(prompt, "scene")) == 1
    assert [one.text for one in from_source(prompt, "character") if one.field == "name"] == [
        f"Gerda{n}" for n in range(12)
    ]
