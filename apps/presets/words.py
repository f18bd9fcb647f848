"""Rules, and which of them are broken, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.common.show import spoken
from apps.presets.models import CinematicPreset, PresetCategory, PresetRule
from apps.presets.rules import BadTerm, Broken, Term, parse

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
    names = _names(terms, {project})
    return {term: _called(term, project, names) for term in terms}


def rules_in_words(rules: Iterable[PresetRule]) -> dict[tuple[UUID, str], list[str]]:
    """What the terms of rules' ``when`` and ``other`` are called in the page's language, by key and field.

    Two queries, or none. What cannot be read (any more) is told as it is written.
    """
    found = list(rules)
    written = {(rule.pk, name): getattr(rule, name) for rule in found for name in ("when", "other")}
    read = {place: _terms(text) for place, text in written.items()}
    names = _names(
        {term for some in read.values() for term in some or ()}, {rule.project_id for rule in found}
    )
    homes = {rule.pk: rule.project_id for rule in found}
    return {
        (key, name): [_called(term, homes[key], names) for term in some]
        if some is not None
        else written[key, name].splitlines()
        for (key, name), some in read.items()
    }


def _terms(text: str) -> list[Term] | None:
    try:
        return [term for condition in parse(text) for term in condition]
    except BadTerm:
        return None


_Names = Mapping[tuple[UUID | None, str, str], str]
"""Whose (None: the studio's), subject, value → what it is called."""


def _names(terms: Collection[Term], projects: Collection[UUID | None]) -> _Names:
    there = Q(project=None) | Q(project__in=[project for project in projects if project])
    refs = {term.value for term in terms if term.subject == "preset"}
    slugs = {term.value for term in terms if term.subject == "category"}
    names: dict[tuple[UUID | None, str, str], str] = {}
    if refs:
        rows = CinematicPreset.objects.filter(there, slug__in={ref.partition("/")[2] for ref in refs})
        for row in rows.select_related("category"):
            names[row.project_id, "preset", row.ref] = spoken(row, "name")
    if slugs:
        told = _("a preset of “%(category)s”")
        for category in PresetCategory.objects.filter(there, slug__in=slugs):
            called = told % {"category": spoken(category, "name")}
            names[category.project_id, "category", category.slug] = called
    return names


def _called(term: Term, project: UUID | None, names: _Names) -> str:
    own = names.get((project, term.subject, term.value))
    return own or names.get((None, term.subject, term.value)) or _in_words(term)


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
