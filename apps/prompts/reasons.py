"""Why a piece of a prompt is there, or is not: codes of Segment.why, read as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: Final[Mapping[str, Promise]] = {
    # written
    "fallback": _("there is no Korean text; the English one stands in for it"),
    "fallback_ko": _("there is no English text; the Korean one stands in for it"),
    "costume_override": _("typed for this shot: it comes before every costume"),
    "costume_chosen": _("chosen for this shot: it comes before the default costume"),
    "costume_default": _("the character's default costume"),
    "only_name": _("the location has no prompt text; its name stands in for it"),
    "of_project": _("this project's own words for the preset"),
    "cast_weight": _("its LoRA has the weight of this casting, not its own"),
    "by_hand": _("written by hand; the composer would have said something else"),
    # left out
    "video_only": _("speaks to video prompts only: a picture does not move"),
    "image_only": _("speaks to picture prompts only"),
    "switched_off": _("switched off in the project's order of segments"),
    "said_already": _("another row says it already"),
    "typed_already": _("the trigger word stands in the text already"),
    "another_worn": _("something else is worn in this shot"),
    "lora_off": _("the character's LoRAs are switched off"),
    "weight_zero": _("its weight is 0 in this shot"),
    "other_base": _("the LoRA is for another base model"),
    "no_loras": _("this workflow loads no LoRAs"),
    "no_expert": _("this workflow has no such expert"),
}
NEGATIVE_IGNORED: Final[Mapping[str, Promise]] = {
    "no_place": _("ignored by this workflow: it has no place for negative text"),
    "by_model": _("ignored by this workflow: its model does not listen to negative text"),
}


def reason(code: str) -> str:
    """Say why; what an older farm wrote and nobody knows any more is shown as it is."""
    return str(REASONS.get(code, code))


def negative_note(code: str) -> str:
    """Say why negative text has no effect; "" if it has."""
    return str(NEGATIVE_IGNORED.get(code, code))
