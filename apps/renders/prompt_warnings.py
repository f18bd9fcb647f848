"""What a coordinator should know of a prompt before it renders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from apps.prompts.encoders import REFUSED, TRAINED
from apps.prompts.preview import Preview
from apps.renders.warnings import Warned

TYPED: Final = frozenset({"shot", "hand"})
"""Sources of negative text that somebody typed for this very shot, and would not like to see ignored."""
LONGEST_QUOTED: Final = 80


def prompt_warnings(preview: Preview, template: str) -> Iterator[Warned]:
    """Warn of text that is not heard, not understood, too long, or by hand and perhaps outdated."""
    build = preview.build
    typed = [one for one in build.segments if one["role"] == "negative" and one["source"] in TYPED]
    if build.negative_ignored and typed:
        said = ", ".join(one["text"] for one in typed)[:LONGEST_QUOTED]
        yield Warned("negative_ignored", {"template": template, "text": said})
    for length in preview.tokens:
        facts = {"encoder": length.title, "tokens": str(length.tokens), "limit": str(length.limit)}
        if length.beyond == TRAINED:
            yield Warned("prompt_long", facts)
        elif length.beyond == REFUSED:
            yield Warned("prompt_too_long", facts)
        if length.deaf:
            yield Warned("prompt_deaf", {"encoder": length.title, "template": template})
    if build.by_hand and preview.edit is not None:
        facts = {"by": preview.edit.edited_by}
        if preview.changes:
            changed = ",".join(change.aspect for change in preview.changes)
            yield Warned("prompt_outdated", {**facts, "aspects": changed})
        else:
            yield Warned("prompt_by_hand", facts)
    if missing := preview.missing_triggers:
        yield Warned("trigger_missing", {"words": ", ".join(missing)})
