"""What a composed prompt is made of: segments, each with the row and field it comes from, and LoRAs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from apps.prompts.text import Phrase

POSITIVE, NEGATIVE = "positive", "negative"
HAND: Final = "hand"
"""The source of a text that somebody has written by hand."""


@dataclass(frozen=True)
class Segment:
    """A stretch of prompt text and where it came from, or what was left out.

    ``role``: positive | negative. ``source``: scene | character | costume | action | location | weather |
    time | dialogue | preset | lora | shot | house | hand. ``row`` and ``source_id``: which row says it,
    ``field``: in which field. ``language``: of the text, en | ko, "" where nobody said. ``why``: a code of
    reasons.REASONS, why it is there or, of what is left out, why not. ``label`` names the row for people, and
    says "(English)" where a Korean prompt had to fall back on the English field.
    """

    role: str
    text: str
    source: str
    source_id: str
    label: str
    row: str = ""
    field: str = ""
    language: str = ""
    why: str = ""


@dataclass(frozen=True)
class LoraUse:
    """A LoRA the graph has to load: file as ComfyUI lists it, weight, trigger words, whose it is.

    ``expert``: the one model of several it is for (WAN 2.2: high, low); "" for all.
    """

    file: str
    weight: float
    triggers: tuple[str, ...]
    character: str
    expert: str = ""


@dataclass(frozen=True)
class Composed:
    """A composed prompt. The texts are the segments, joined; nothing else is in them.

    ``left_out``: what the shot says and this prompt does not, each with its reason.
    """

    positive: str
    negative: str
    segments: tuple[Segment, ...]
    loras: tuple[LoraUse, ...]
    left_out: tuple[Segment, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the columns of a PromptBuild that hold it."""
        return {
            "positive": self.positive,
            "negative": self.negative,
            "segments": [asdict(segment) for segment in self.segments],
            "left_out": [asdict(segment) for segment in self.left_out],
            "loras": [{**asdict(lora), "triggers": list(lora.triggers)} for lora in self.loras],
        }


@dataclass(frozen=True)
class Source:
    """Where a text stands: what it is about, in which row of which model, in which field."""

    name: str
    row: str
    row_id: str
    field: str
    label: str

    def says(self, phrase: Phrase, *, role: str = POSITIVE, why: str = "") -> Segment:
        """The segment that this source gives. Korean stands in the field's Korean twin."""
        own_field = self.field
        if phrase.language == "ko" and own_field in _WITH_KOREAN:
            own_field = f"{own_field}_ko"
        return Segment(
            role=role,
            text=phrase.text,
            source=self.name,
            source_id=self.row_id,
            label=phrase.labelled(self.label),
            row=self.row,
            field=own_field,
            language=phrase.language,
            why=why or (_FALLBACK[phrase.language] if phrase.fallback else ""),
        )


_FALLBACK: Final = {"en": "fallback", "ko": "fallback_ko"}
_WITH_KOREAN: Final = frozenset({"description", "name", "prompt", "action", "costume_override"})


def left(segment: Segment, why: str) -> Segment:
    """The segment as one that is left out, and why."""
    return replace(segment, why=why)
