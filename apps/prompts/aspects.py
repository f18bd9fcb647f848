"""What a shot says, by subject: kept beside a text written by hand, so that later changes are noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.prompts.facts import ShotFacts
from apps.prompts.order import ORDERS
from apps.prompts.pieces import say_negative, say_positive

Aspects = dict[str, list[str]]

CHANGED: Final[Mapping[str, Promise]] = {
    "scene": _("the description changed since"),
    "character": _("the cast changed since"),
    "costume": _("the costumes changed since"),
    "action": _("the actions changed since"),
    "location": _("the location changed since"),
    "weather": _("the weather changed since"),
    "time": _("the time of day changed since"),
    "preset": _("the presets changed since"),
    "lora": _("the LoRAs changed since"),
    "negative": _("the negative text changed since"),
    "language": _("the prompt language changed since"),
}


@dataclass(frozen=True)
class Change:
    """A subject on which the shot says something else than it did."""

    aspect: str
    was: tuple[str, ...]
    now: tuple[str, ...]

    @property
    def told(self) -> str:
        """In words: "the cast changed since"."""
        return str(CHANGED.get(self.aspect, self.aspect))


def aspects_of(facts: ShotFacts, *, channel: str, language: str) -> Aspects:
    """Gather what the shot says to this channel, in no project's order, so that settings change nothing."""
    order = ORDERS["shotfarm"]
    found: Aspects = {}
    for _join, segment in say_positive(facts, order, channel=channel, language=language).written:
        found.setdefault(segment.source, []).append(segment.text)
    denied = say_negative(facts, order, channel=channel, language=language).written
    negative = [segment.text for _join, segment in denied if segment.source != "house"]
    loras = [
        f"{lora.file} × {lora.weight if member.lora_weight is None else member.lora_weight:g}"
        f" ({', '.join(lora.triggers)})"
        for member in facts.cast
        if member.use_lora
        for lora in member.loras
    ]
    return found | {name: told for name, told in (("negative", negative), ("lora", loras)) if told}


def changes_since(basis: Aspects, facts: ShotFacts, *, channel: str, was: str, language: str) -> list[Change]:
    """Say what the shot says now and did not say then, or the other way round, subject by subject.

    ``was``: the language in which it was said then; in that one it is read again.
    """
    now = aspects_of(facts, channel=channel, language=was)
    changes = [
        Change(aspect, tuple(basis.get(aspect, ())), tuple(now.get(aspect, ())))
        for aspect in CHANGED
        if basis.get(aspect, []) != now.get(aspect, [])
    ]
    return changes if was == language else [Change("language", (was,), (language,)), *changes]
