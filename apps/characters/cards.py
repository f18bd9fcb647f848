"""What the list of characters says of each: which LoRAs there are, and whether they are used."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.characters.models import Character, CharacterLora
from apps.common.show import badge

ON, OFF, WANTED, NONE = "on", "off", "wanted", "none"

LORA_STATES: dict[str, tuple[str, Promise]] = {
    ON: ("teal", gettext_lazy("LoRA on")),
    OFF: ("amber", gettext_lazy("LoRA there, but off")),
    WANTED: ("red", gettext_lazy("LoRA wanted, none there")),
    NONE: ("grey", gettext_lazy("no LoRA")),
}
"""What may be so with a character's LoRAs: colour and words."""


def lora_state(character: Character, base_models: list[str]) -> str:
    """One of LORA_STATES, by what there is and whether it is used."""
    if base_models:
        return ON if character.use_lora else OFF
    return WANTED if character.use_lora else NONE


def base_models_of(character: Character) -> list[str]:
    """The base models for which the character has LoRAs; read them with it."""
    return sorted({lora.base_model for lora in character.loras.all()})


def lora_badge(character: Character) -> SafeString:
    """Say it in colour, with the base models."""
    there = base_models_of(character)
    tone, words = LORA_STATES[lora_state(character, there)]
    return badge(f"{words}: {', '.join(there)}" if there else words, tone)


class LoraFilter(admin.SimpleListFilter):
    """By whether there are LoRAs, and whether they are used."""

    title = gettext_lazy("LoRA")
    parameter_name = "lora"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state, words) for state, (_tone, words) in LORA_STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        if asked not in LORA_STATES:
            return queryset
        there = Exists(CharacterLora.objects.filter(character=OuterRef("pk")))
        rows = queryset.filter(use_lora=asked in (ON, WANTED))
        return rows.filter(there) if asked in (ON, OFF) else rows.exclude(there)
