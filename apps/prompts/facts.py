"""What the composer is told of a shot: plain facts, no rows. Ids are texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bilingual:
    """A text a person typed, in English and, where there is one, in Korean."""

    en: str
    ko: str = ""


@dataclass(frozen=True)
class Lora:
    """A LoRA of a character; it speaks only for its own base model. ``expert``: see workflows.loras."""

    lora_id: str
    base_model: str
    file: str
    weight: float
    triggers: tuple[str, ...]
    expert: str = ""


@dataclass(frozen=True)
class CostumeFacts:
    """Something to wear. ``why``: override (typed for this shot) | chosen | default."""

    costume_id: str
    name: str
    prompt: Bilingual
    why: str = "default"


@dataclass(frozen=True)
class CastMember:
    """A character in this shot, in casting order. ``lora_weight`` None: the LoRA's own.

    ``costume`` is what is worn; ``unworn`` what would be, if that did not come before it.
    """

    character_id: str
    code: str
    name: Bilingual
    description: Bilingual
    action: Bilingual
    negative: str = ""
    costume: CostumeFacts | None = None
    use_lora: bool = False
    lora_weight: float | None = None
    loras: tuple[Lora, ...] = ()
    casting_id: str = ""
    age: str = ""
    gender: str = ""
    unworn: tuple[CostumeFacts, ...] = ()


@dataclass(frozen=True)
class LocationFacts:
    """Where it plays. Without prompt text its name speaks."""

    location_id: str
    name: Bilingual
    prompt: Bilingual


@dataclass(frozen=True)
class PresetFacts:
    """A preset of the shot. ``channel``: both | image | video. Fragments as its project has them.

    ``category``: its category's slug, by which a project's order finds its place. ``ours``: the project
    says it in words of its own.
    """

    preset_id: str
    slug: str
    name: Bilingual
    category_order: int
    order: int
    channel: str
    fragment: Bilingual
    negative: Bilingual
    category: str = ""
    ours: bool = False


@dataclass(frozen=True)
class ShotFacts:
    """Everything a prompt is made of. ``weather`` and ``time_of_day`` are the models' values, or ""."""

    shot_id: str
    code: str
    description: Bilingual
    cast: tuple[CastMember, ...] = ()
    location: LocationFacts | None = None
    weather: str = ""
    time_of_day: str = ""
    presets: tuple[PresetFacts, ...] = ()
    negative: str = ""
    dialogue: str = ""
