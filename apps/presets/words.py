"""Broken rules in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.common.show import spoken
from apps.presets.models import CinematicPreset, PresetCategory, in_library
from apps.presets.rules import Broken, Term

_YEARS: Final[Mapping[str, Promise]] = {
    "<": gettext_lazy("before %(year)s"),
    "<=": gettext_lazy("until %(year)s"),
    ">": gettext_lazy("after %(year)s"),
    ">=": gettext_lazy("from %(year)s on"),
    "=": gettext_lazy("in %(year)s"),
}
_KINDS: Final[Mapping[str, Promise]] = {
    "image": gettext_lazy("as a picture"),
    "video": gettext_lazy("as a video"),
}
_FACTS: Final[Mapping[str, Promise]] = {
    "weather": gettext_lazy("weather"),
    "time_of_day": gettext_lazy("time of day"),
    "setting": gettext_lazy("location"),
}


def said(told: Broken) -> str:
    """What a broken rule tells people, in the page's language."""
    korean = (get_language() or "en").startswith("ko")
    return (told.rule.message_ko if korean else "") or told.rule.message


def told(problems: Iterable[Broken]) -> list[dict[str, Any]]:
    """Broken rules as the API shows them: why, in terms, which are the same in every language."""
    return [
        {
            "rule": one.rule.slug,
            "severity": one.rule.severity,
            "message": said(one),
            "because": [str(term) for term in one.because],
        }
        for one in problems
    ]


def shown(problems: Iterable[Broken], project: UUID | None) -> list[dict[str, Any]]:
    """Broken rules as pages of a film (None: the studio's) show them, wholly in words; see terms_in_words."""
    found = list(problems)
    return shown_in(terms_in_words(found, project), found)


def shown_in(words: Mapping[Term, str], problems: Iterable[Broken]) -> list[dict[str, Any]]:
    """Broken rules as pages show them, by words that were read for many at once."""
    found = list(problems)
    return [
        {**row, "because": [words[term] for term in one.because]}
        for row, one in zip(told(found), found, strict=True)
    ]


def terms_in_words(problems: Iterable[Broken], project: UUID | None) -> dict[Term, str]:
    """What the terms that rules were broken by are called in the page's language: two queries, or none.

    A name that the film's library lacks is told as it is written.
    """
    terms = {term for one in problems for term in one.because}
    names = _presets({term.value for term in terms if term.subject == "preset"}, project)
    names |= _categories({term.value for term in terms if term.subject == "category"}, project)
    return {term: names.get((term.subject, term.value)) or _in_words(term) for term in terms}


def _presets(refs: set[str], project: UUID | None) -> dict[tuple[str, str], str]:
    if not refs:
        return {}
    slugs = {ref.partition("/")[2] for ref in refs}
    rows = CinematicPreset.objects.filter(in_library(project), slug__in=slugs).select_related("category")
    return {("preset", row.ref): spoken(row, "name") for row in rows if row.ref in refs}


def _categories(slugs: set[str], project: UUID | None) -> dict[tuple[str, str], str]:
    if not slugs:
        return {}
    rows = PresetCategory.objects.filter(in_library(project), slug__in=slugs)
    told = _("a preset of “%(category)s”")
    return {("category", row.slug): told % {"category": spoken(row, "name")} for row in rows}


def _year(value: str) -> str:
    sign, year = value.rstrip("0123456789"), value.lstrip("<>=")
    return str(_YEARS[sign]) % {"year": year}


def _param(value: str) -> str:
    return _("a preset with “%(parameter)s”") % {"parameter": re.sub(r"([<>]=?|=)", r" \1 ", value)}


_WORDS: Final[Mapping[str, Callable[[str], str]]] = {
    "year": _year,
    "param": _param,
    "kind": lambda value: str(_KINDS[value]),
}


def _in_words(term: Term) -> str:
    if term.subject in _FACTS:
        # What productions call their weathers, times and settings is translated there, by these words.
        return f"{_FACTS[term.subject]}: {_(term.value.replace('_', ' '))}"
    return _WORDS[term.subject](term.value) if term.subject in _WORDS else term.value
