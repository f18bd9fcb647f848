"""Models and composer agree: what is typed of a shot and its cast reaches the prompt, or is named here."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import CharField, JSONField, Model, TextField

from apps.characters.models import Character, CharacterLora, Costume
from apps.presets.models import CinematicPreset
from apps.productions.models import Location, Shot, ShotCharacter
from apps.prompts.composer import compose
from apps.prompts.order import NEGATIVE, PERSON, POSITIVE, Piece, read_order
from apps.prompts.reader import Reader
from apps.prompts.selectors import inputs_for
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    CinematicPresetFactory,
    CostumeFactory,
    LocationFactory,
    ShotCharacterFactory,
    ShotFactory,
    ShotPresetFactory,
)

pytestmark = pytest.mark.django_db

SILENT = {
    # names that people call rows by, and what is chosen from a list and said in the composer's own words
    *("code", "slug", "title", "channel", "weather", "time_of_day", "setting", "expert", "base_model"),
    *("file", "sha256", "library_hash", "locked_by", "continuity_keep"),
    # what is for people, or for graphs
    *("notes", "params", "preset_override"),
    # names of rows that speak by another field; they are labels of segments
    "Costume.name",
    "CinematicPreset.name",
    "CinematicPreset.name_ko",
    "Location.name",
    "Location.name_ko",
}
"""Texts that no prompt says, by name or by model and name."""

EVERYTHING = read_order(
    {
        name: [Piece(piece).as_json() for piece in pieces]
        for name, pieces in (("positive", POSITIVE), ("person", PERSON), ("negative", NEGATIVE))
    }
)


def texts_of(row: Model) -> list[str]:
    """The names of the texts that a row holds."""
    fields = [one for one in row._meta.concrete_fields if isinstance(one, CharField | TextField | JSONField)]
    return [
        one.name
        for one in fields
        if one.name not in SILENT and f"{type(row).__name__}.{one.name}" not in SILENT
    ]


def fill(row: Any) -> set[str]:
    """Write a word of its own into every text of a row, and return the words."""
    words: set[str] = set()
    for name in texts_of(row):
        word = f"{type(row).__name__}-{name}".lower().replace("_", "-")
        setattr(row, name, [word] if name == "trigger_words" else word)
        words.add(word)
    row.save()
    return words


def test_every_text_of_shot_cast_place_and_presets_reaches_a_prompt() -> None:
    shot = ShotFactory.create()
    shot.location = LocationFactory.create(project=shot.project)
    gerda = CharacterFactory.create(project=shot.project, use_lora=True)
    gerda.default_costume = CostumeFactory.create(character=gerda)
    casting = ShotCharacterFactory.create(shot=shot, character=gerda)
    preset = CinematicPresetFactory.create()
    ShotPresetFactory.create(shot=shot, preset=preset)
    lora = CharacterLoraFactory.create(character=gerda)
    rows = (shot, shot.location, gerda, gerda.default_costume, casting, preset, lora)
    assert {type(row) for row in rows} == {
        *(Shot, Location, Character, Costume, ShotCharacter, CinematicPreset, CharacterLora)
    }
    typed = {word for row in rows for word in fill(row)}
    facts = inputs_for([shot])[shot.pk]
    said = ""
    for language in ("en", "ko"):
        prompt = compose(facts, Reader("image", "flux"), language=language, order=EVERYTHING)
        left = [one.text for one in prompt.left_out if one.why == "another_worn"]
        said += " ".join([prompt.positive, prompt.negative, *left]) + " "
    assert {word for word in typed if word not in said.lower()} == set()
