"""What folders have to say, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from apps.folders.services.planning import Fate
from apps.workflows import saidwords
from workflows.wording import said_from

FATES: Final[Mapping[Fate, tuple[str | Promise, str]]] = {
    Fate.EXISTS: (pgettext_lazy("of a folder", "exists"), "green"),
    Fate.NEW: (pgettext_lazy("of a folder", "new"), "blue"),
    Fate.UPDATE: (pgettext_lazy("of a folder", "update"), "teal"),
    Fate.KEPT: (pgettext_lazy("of a folder", "published"), "violet"),
    Fate.REFUSED: (pgettext_lazy("of a folder", "refused"), "red"),
}
"""The word and the colour of each fate."""


def in_words(told: str) -> str:
    """Say a sentence of the path language."""
    return saidwords.in_words(told)


def fates(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """Word, colour and count of each fate that there is."""
    return [
        (str(word), tone, counts[fate.value]) for fate, (word, tone) in FATES.items() if counts[fate.value]
    ]


def refusals(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Path and reason of what the last confirm left alone."""
    return [
        (one["path"], saidwords.in_words(said_from(one) or one.get("why", "")))
        for one in report.get("refused", ())
    ]
