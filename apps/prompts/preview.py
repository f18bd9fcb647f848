"""A prompt before it is asked for: what would be sent, why, and what to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from apps.productions.models import Shot
from apps.prompts.aspects import Change, changes_since
from apps.prompts.composer import missing_triggers
from apps.prompts.difference import Run, word_difference
from apps.prompts.encoders import Estimate, estimates
from apps.prompts.facts import ShotFacts
from apps.prompts.models import PromptBuild, PromptEdit
from apps.prompts.reader import Reader
from apps.prompts.segments import LoraUse
from apps.prompts.selectors import House, edits_of, houses_of, inputs_for
from apps.prompts.services.building import compose_prompts


@dataclass(frozen=True)
class Preview:
    """What one reader would get of one shot. ``build`` is not kept.

    ``edit``: what somebody has written by hand for this channel; it is not what would be sent where another
    language was asked for. ``changes``: what the shot says otherwise since it was written.
    """

    shot: Shot
    build: PromptBuild
    edit: PromptEdit | None
    changes: tuple[Change, ...]

    @property
    def applies(self) -> bool:
        """Whether the text by hand is what would be sent."""
        return self.build.by_hand

    @property
    def composed_positive(self) -> str:
        """What the composer writes."""
        return str(self.build.composed["positive"]) if self.build.by_hand else self.build.positive

    @property
    def composed_negative(self) -> str:
        """What the composer writes."""
        return str(self.build.composed["negative"]) if self.build.by_hand else self.build.negative

    @cached_property
    def positive_words(self) -> tuple[Run, ...]:
        """From what the composer writes to what somebody has written."""
        return word_difference(self.composed_positive, self.build.positive)

    @cached_property
    def negative_words(self) -> tuple[Run, ...]:
        """From what the composer writes to what somebody has written."""
        return word_difference(self.composed_negative, self.build.negative)

    @cached_property
    def missing_triggers(self) -> list[str]:
        """Trigger words of loaded LoRAs that the text by hand does not hold."""
        if not self.build.by_hand:
            return []
        return missing_triggers(self.build.positive, map(_use, self.build.loras))

    @cached_property
    def tokens(self) -> list[Estimate]:
        """How long the positive text is for each text encoder."""
        return estimates(self.build.positive, self.build.encoders)

    @cached_property
    def negative_tokens(self) -> list[Estimate]:
        """How long the negative text is, if anybody reads it."""
        heard = self.build.negative and not self.build.negative_ignored
        return estimates(self.build.negative, self.build.encoders) if heard else []


def previews(
    shots: Iterable[Shot],
    reader: Reader,
    *,
    language: str | None = None,
    facts: Mapping[UUID, ShotFacts] | None = None,
    houses: Mapping[UUID, House] | None = None,
    by_hand: bool = True,
) -> dict[UUID, Preview]:
    """Preview many shots by id, in the order given: a constant number of queries.

    ``houses``: project settings to try out. ``by_hand`` False: as if nobody had written anything. Raises
    Refused as compose_prompts does.
    """
    wanted = list(shots)
    told = facts or inputs_for(wanted)
    known = houses or houses_of(wanted)
    builds = compose_prompts(wanted, reader, language=language, facts=told, houses=known, by_hand=by_hand)
    edits = edits_of(wanted, reader.channel) if by_hand else {}
    found: dict[UUID, Preview] = {}
    for shot in wanted:
        edit = edits.get(shot.pk)
        changes = (
            changes_since(
                edit.basis,
                told[shot.pk],
                channel=reader.channel,
                was=edit.language,
                language=known[shot.project_id].language,
            )
            if edit is not None
            else ()
        )
        found[shot.pk] = Preview(shot, builds[shot.pk], edit, tuple(changes))
    return found


def _use(row: Mapping[str, Any]) -> LoraUse:
    return LoraUse(row["file"], row["weight"], tuple(row["triggers"]), row["character"], row["expert"])
