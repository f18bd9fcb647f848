"""A text written by hand in place of the composed one: pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from apps.prompts.segments import HAND, NEGATIVE, POSITIVE, Composed, Segment


@dataclass(frozen=True)
class Written:
    """What somebody wrote: texts, or None for what is left to the composer. ``by``: their name."""

    edit_id: str
    by: str
    language: str
    positive: str | None
    negative: str | None


def put_in(composed: Composed, hand: Written) -> Composed:
    """Return the prompt with what was written by hand in its place. LoRAs stay: the cast's are loaded."""
    texts = {POSITIVE: hand.positive, NEGATIVE: hand.negative}
    own = {role: text for role, text in texts.items() if text is not None}
    segments: list[Segment] = []
    for role in (POSITIVE, NEGATIVE):
        if role not in own:
            segments += [one for one in composed.segments if one.role == role]
        elif own[role]:
            segments.append(_segment(role, own[role], hand))
    return replace(
        composed,
        positive=own.get(POSITIVE, composed.positive),
        negative=own.get(NEGATIVE, composed.negative),
        segments=tuple(segments),
        left_out=tuple(one for one in composed.left_out if one.role not in own),
    )


def kept_beside(composed: Composed) -> dict[str, Any]:
    """What the composer would have written, as PromptBuild.composed keeps it."""
    return {
        "positive": composed.positive,
        "negative": composed.negative,
        "segments": [asdict(segment) for segment in composed.segments],
    }


def _segment(role: str, text: str, hand: Written) -> Segment:
    return Segment(
        role=role,
        text=text,
        source=HAND,
        source_id=hand.edit_id,
        label=hand.by,
        row="edit",
        field=role,
        language=hand.language,
        why="by_hand",
    )
