"""Compose prompts and keep them: equal prompts of a shot share one immutable row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.prompts.composer import COMPOSER, Composed, compose
from apps.prompts.facts import ShotFacts
from apps.prompts.hand import Written, kept_beside, put_in
from apps.prompts.models import PromptBuild, Spoken
from apps.prompts.reader import Reader
from apps.prompts.selectors import House, edits_of, houses_of, inputs_for

LANGUAGES: Final = ("en", "ko")
_SILENT: Final = gettext_lazy("there is nothing to make a prompt of; write a description, or cast someone")


def build_prompt(shot: Shot, reader: Reader, *, language: str | None = None) -> PromptBuild:
    """Compose one shot's prompt; see build_prompts."""
    return build_prompts([shot], reader, language=language)[shot.pk]


def build_prompts(
    shots: Iterable[Shot],
    reader: Reader,
    *,
    language: str | None = None,
    facts: Mapping[UUID, ShotFacts] | None = None,
) -> dict[UUID, PromptBuild]:
    """Compose the prompts of many shots, by shot id in the order given; get or create their rows.

    ``language``: en | ko; None takes each project's own. ``facts``: of these shots, where they are known.
    What somebody has written by hand comes in place of what is composed. Two processes asking for the same
    prompt get the same row.
    Raises Refused for an unknown channel or language, and for a shot that says nothing at all.
    """
    return _get_or_create(list(compose_prompts(shots, reader, language=language, facts=facts).values()))


def compose_prompts(
    shots: Iterable[Shot],
    reader: Reader,
    *,
    language: str | None = None,
    facts: Mapping[UUID, ShotFacts] | None = None,
    houses: Mapping[UUID, House] | None = None,
    by_hand: bool = True,
    even_silent: bool = False,
) -> dict[UUID, PromptBuild]:
    """Compose what :func:`build_prompts` would keep, and keep nothing.

    ``houses``: settings of the projects to try out, in place of their own. ``by_hand`` False: as if nobody
    had written anything. ``even_silent``: a shot that says nothing has an empty prompt, and is not refused.
    """
    wanted = list(shots)
    _check(reader.channel, language)
    known = houses or houses_of(wanted)
    told = facts or inputs_for(wanted)
    hands = edits_of(wanted, reader.channel) if by_hand else {}
    rows: dict[UUID, PromptBuild] = {}
    silent: list[Problem] = []
    for shot in wanted:
        house = known[shot.project_id]
        spoken = language or house.language
        composed = compose(told[shot.pk], reader, language=spoken, order=house.order)
        edit = hands.get(shot.pk)
        applies = edit is not None and language in (None, house.language, edit.language)
        hand = written(edit) if edit is not None and applies else None
        row = _row(shot, reader, spoken, composed, hand)
        if not row.positive and not even_silent:
            silent.append(Problem(f"{told[shot.pk].code} description", "", _SILENT))
        rows[shot.pk] = row
    if silent:
        raise Refused(*silent)
    return rows


def written(edit: Any) -> Written:
    """What a PromptEdit puts in the composer's place."""
    return Written(str(edit.pk), edit.edited_by, edit.language, edit.positive, edit.negative)


def _get_or_create(rows: Sequence[PromptBuild]) -> dict[UUID, PromptBuild]:
    found = _kept(rows)
    PromptBuild.objects.bulk_create(
        [row for row in rows if _key(row) not in found],
        ignore_conflicts=True,  # somebody composed the same prompt meanwhile: theirs is ours
    )
    if len(found) < len({_key(row) for row in rows}):
        found = _kept(rows)
    return {row.shot_id: found[_key(row)] for row in rows}


def _kept(rows: Sequence[PromptBuild]) -> dict[tuple[UUID, str], PromptBuild]:
    kept = PromptBuild.objects.filter(
        shot__in=[row.shot_id for row in rows], content_hash__in=[row.content_hash for row in rows]
    )
    return {_key(row): row for row in kept}


def _key(row: PromptBuild) -> tuple[UUID, str]:
    return row.shot_id, row.content_hash


def _row(shot: Shot, reader: Reader, language: str, composed: Composed, hand: Written | None) -> PromptBuild:
    content: dict[str, Any] = {
        "channel": reader.channel,
        "language": hand.language if hand is not None and hand.positive is not None else language,
        "composer": COMPOSER,
        "negative_ignored": reader.negative_ignored,
        "encoders": list(reader.encoders),
        "by_hand": hand is not None,
        "composed": kept_beside(composed) if hand is not None else {},
        **(put_in(composed, hand) if hand is not None else composed).as_json(),
    }
    return PromptBuild(shot_id=shot.pk, content_hash=_digest(content), **content)


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _check(channel: str, language: str | None) -> None:
    if channel not in Spoken.values:
        raise Refused(Problem("channel", channel, _("use one of %s") % ", ".join(Spoken.values)))
    if language is not None and language not in LANGUAGES:
        raise Refused(Problem("language", language, _("use one of %s") % ", ".join(LANGUAGES)))
