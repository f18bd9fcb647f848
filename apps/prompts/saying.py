"""A prompt told to people and programs: with reasons in words and lengths in sentences, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from apps.prompts.aspects import Change
from apps.prompts.encoders import CHUNK, POOLED, REFUSED, TRAINED, Estimate, estimates
from apps.prompts.models import PromptBuild, PromptEdit
from apps.prompts.preview import Preview
from apps.prompts.reasons import negative_note, reason

_SEGMENT = {"role": "", "text": "", "source": "", "source_id": "", "label": "", "row": "", "field": ""}


def estimate_in_words(length: Estimate) -> str:
    """Say how long a text is for an encoder, and what becomes of it."""
    facts = {"title": length.title, "tokens": length.tokens, "limit": length.limit, "chunks": length.chunks}
    if length.characters:
        told = _("%(title)s: %(tokens)d of %(limit)d characters")
    elif length.chunks > 1:
        told = _("%(title)s: about %(tokens)d tokens, read in %(chunks)d pieces of %(limit)d")
    else:
        told = _("%(title)s: about %(tokens)d of %(limit)d tokens")
    return " · ".join([told % facts, *_consequences(length)])


def _consequences(length: Estimate) -> list[str]:
    said = {
        CHUNK: _("what stands in a later piece counts less"),
        POOLED: _("it sums up the beginning only; the other encoder reads it all"),
        TRAINED: _("longer than the model saw in training: the end may not be heeded"),
        REFUSED: _("too long: it will be refused"),
    }
    told = [said[length.beyond]] if length.beyond else []
    return [*told, _("it does not know Korean letters")] if length.deaf else told


def tokens_told(lengths: Iterable[Estimate]) -> list[dict[str, Any]]:
    """Estimates with their sentences."""
    return [asdict(length) | {"told": estimate_in_words(length)} for length in lengths]


def segments_told(segments: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Segments with their reasons in words; what an older composer did not know is empty."""
    return [
        {**_SEGMENT, "language": "", "why": "", **segment, "reason": reason(segment.get("why", ""))}
        for segment in segments
    ]


def build_told(build: PromptBuild) -> dict[str, Any]:
    """All of a build, kept or not."""
    heard = bool(build.negative) and not build.negative_ignored
    return {
        "shot": build.shot_id,
        "channel": build.channel,
        "language": build.language,
        "composer": build.composer,
        "positive": build.positive,
        "negative": build.negative,
        "negative_ignored": build.negative_ignored,
        "negative_note": negative_note(build.negative_ignored) if build.negative_ignored else "",
        "by_hand": build.by_hand,
        "composed": {
            role: build.composed.get(role, getattr(build, role)) for role in ("positive", "negative")
        },
        "segments": segments_told(build.segments),
        "left_out": segments_told(build.left_out),
        "loras": build.loras,
        "tokens": tokens_told(estimates(build.positive, build.encoders)),
        "negative_tokens": tokens_told(estimates(build.negative, build.encoders)) if heard else [],
        "content_hash": build.content_hash,
    }


def change_told(change: Change) -> dict[str, Any]:
    """What changed since a text was written by hand."""
    return {"aspect": change.aspect, "told": change.told, "was": list(change.was), "now": list(change.now)}


def edit_told(edit: PromptEdit) -> dict[str, Any]:
    """A text by hand. ``positive`` and ``negative`` are null where the composer goes on writing."""
    return {
        "channel": edit.channel,
        "language": edit.language,
        "positive": edit.positive,
        "negative": edit.negative,
        "edited_by": edit.edited_by,
        "edited_at": edit.updated_at,
        "row_version": edit.row_version,
    }


def preview_told(preview: Preview) -> dict[str, Any]:
    """All of a preview."""
    return {
        **build_told(preview.build),
        "shot": preview.shot.full_code,
        "edit": edit_told(preview.edit) if preview.edit is not None else None,
        "changes": [change_told(change) for change in preview.changes],
        "missing_triggers": preview.missing_triggers,
        "difference": {
            "positive": [asdict(run) for run in preview.positive_words],
            "negative": [asdict(run) for run in preview.negative_words],
        },
    }
