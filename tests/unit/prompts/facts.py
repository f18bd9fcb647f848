"""A shot that says everything a shot can say: what the composer's tests are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.prompts.facts import (
    Bilingual,
    CastMember,
    CostumeFacts,
    LocationFacts,
    Lora,
    PresetFacts,
    ShotFacts,
)

GERDA = CastMember(
    character_id="character-gerda",
    code="CH0001",
    name=Bilingual("Gerda", "게르다"),
    description=Bilingual("a girl of twelve with braided blonde hair.", "금발을 땋은 열두 살 소녀"),
    action=Bilingual("holds a lantern high", "등불을 높이 들고 있다"),
    negative="adult, modern clothing",
    casting_id="casting-gerda",
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
    casting_id="casting-kay",
)
CROW = CastMember(
    character_id="character-crow",
    code="CH0003",
    casting_id="casting-crow",
    name=Bilingual("Old Crow", "늙은 까마귀"),
    description=Bilingual("a ragged crow", "누더기 같은 까마귀"),
    action=Bilingual("watches from a mast", "돛대에서 지켜본다"),
    age="70",
    gender="male",
    costume=CostumeFacts("", "", Bilingual("a crown of twigs", "나뭇가지 왕관"), "override"),
    unworn=(CostumeFacts("costume-none", "Feathers", Bilingual("black feathers", "검은 깃털")),),
    use_lora=True,
    loras=(
        Lora("lora-crow", "flux", "characters/crow.safetensors", 0.7, ("gerda_v2", "old crow", "ohwx bird")),
    ),
)


def preset(slug: str, place: int, fragment: str, negative: str = "", **changes: Any) -> PresetFacts:
    facts = PresetFacts(
        preset_id=f"preset-{slug}",
        slug=slug,
        name=Bilingual(slug.replace("-", " ").capitalize()),
        category_order=place,
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
        preset("35mm", 6, "35mm lens, natural wide perspective", category="lens_focal"),
        preset(
            "slow-push-in",
            4,
            "the camera slowly pushes in",
            "static camera",
            channel="video",
            category="camera_movement",
        ),
        preset(
            "wide-shot",
            1,
            "wide shot",
            "tight framing, ADULT",
            name=Bilingual("Wide shot", "와이드 숏"),
            category="shot_size",
        ),
        preset("16-9", 18, "", category="aspect_ratio"),
        preset("moonlight", 10, "lit by the moon", category="light_source"),
        preset("woodcut", 19, "a woodcut", category="medium_style"),
    ),
    negative="crowd, (blurry, smeared:1.2)",
    dialogue="Do you know me?",
)
