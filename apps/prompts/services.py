"""Compose prompts and keep them: equal prompts of a shot share one immutable row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.prompts.composer import COMPOSER, Composed, compose
from apps.prompts.facts import ShotFacts
from apps.prompts.models import PromptBuild
from apps.prompts.selectors import inputs_for

CHANNELS: Final = ("image", "video")
LANGUAGES: Final = ("en", "ko")
_SILENT: Final = gettext_lazy("there is nothing to make a prompt of; write a description, or cast someone")


def build_prompt(shot: Shot, *, channel: str, base_model: str, language: str | None = None) -> PromptBuild:
    """Compose one shot's prompt; see build_prompts."""
    return build_prompts([shot], channel=channel, base_model=base_model, language=language)[shot.pk]


def build_prompts(
    shots: Iterable[Shot],
    *,
    channel: str,
    base_model: str,
    experts: Collection[str] | None = None,
    language: str | None = None,
    facts: Mapping[UUID, ShotFacts] | None = None,
) -> dict[UUID, PromptBuild]:
    """Compose the prompts of many shots, by shot id in the order given; get or create their rows.

    ``channel``: image | video. ``base_model``: which LoRAs fit ("sd15", "flux", "wan22"). ``experts``:
    see compose(). ``language``: en | ko; None takes each project's own. ``facts``: of these shots, where they
    have been read. Two processes asking for the same prompt get the same row.
    Raises Refused for an unknown channel or language, and for a shot that says nothing at all.
    """
    rows = compose_prompts(
        shots, channel=channel, base_model=base_model, experts=experts, language=language, facts=facts
    )
    return _get_or_create(list(rows.values()))


def compose_prompts(
    shots: Iterable[Shot],
    *,
    channel: str,
    base_model: str,
    experts: Collection[str] | None = None,
    language: str | None = None,
    facts: Mapping[UUID, ShotFacts] | None = None,
) -> dict[UUID, PromptBuild]:
    """Compose what :func:`build_prompts` would keep, and keep nothing."""
    wanted = list(shots)
    _check(channel, language)
    languages = _languages(wanted, language)
    facts = facts or inputs_for(wanted)
    composed = {
        shot.pk: compose(
            facts[shot.pk],
            channel=channel,
            language=languages[shot.project_id],
            base_model=base_model,
            experts=experts,
        )
        for shot in wanted
    }
    silent = [facts[key].code for key, prompt in composed.items() if not prompt.positive]
    if silent:
        raise Refused(*(Problem(f"{code} description", "", _SILENT) for code in silent))
    return {shot.pk: _row(shot, channel, languages[shot.project_id], composed[shot.pk]) for shot in wanted}


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


def _row(shot: Shot, channel: str, language: str, composed: Composed) -> PromptBuild:
    content: dict[str, Any] = {
        "channel": channel,
        "language": language,
        "composer": COMPOSER,
        **composed.as_json(),
    }
    return PromptBuild(shot_id=shot.pk, content_hash=_digest(content), **content)


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _languages(shots: Sequence[Shot], language: str | None) -> dict[UUID, str]:
    projects = {shot.project_id for shot in shots}
    if language is not None:
        return dict.fromkeys(projects, language)
    return dict(Project.objects.filter(pk__in=projects).values_list("pk", "prompt_language"))


def _check(channel: str, language: str | None) -> None:
    if channel not in CHANNELS:
        raise Refused(Problem("channel", channel, _("use one of %s") % ", ".join(CHANNELS)))
    if language is not None and language not in LANGUAGES:
        raise Refused(Problem("language", language, _("use one of %s") % ", ".join(LANGUAGES)))
