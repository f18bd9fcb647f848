"""What goes with what: rules held against a shot's presets and facts. Pure: a table, no row, no eval.

A term is ``subject:value``; alternatives stand behind ``|``, and one without a subject takes the one before::

    preset:camera_movement/dolly-zoom        this preset is chosen
    category:camera_movement                 any preset of the category is
    param:anamorphic     param:focal_mm>=200 a chosen preset has this parameter (and it is so large)
    time_of_day:night|midnight|preset:time_of_day/night-exterior
    weather:rain         setting:interior    the shot's own fields, its location's setting
    year:<1912           kind:image          when the film plays; what is rendered (image | video)

One line is one condition. In ``when`` every line must hold; in ``other`` each line is one more
alternative. What is not known of a shot (no year, no kind) holds for no term, so it breaks no conflict.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

REQUIRES: Final = "requires"
CONFLICTS: Final = "conflicts"
HARD: Final = "hard"
WARNING: Final = "warning"
_SEVERITIES: Final = {HARD: 0, WARNING: 1, "info": 2}

SETTINGS: Final = ("interior", "exterior")
WEATHERS: Final = ("sunny", "cloudy", "overcast", "rain", "storm", "snow", "fog", "haze")
TIMES: Final = ("day", "night", "golden_hour", "blue_hour", "dawn", "dusk", "midnight")
"""The values of a location's setting and of a shot's weather and time of day, as productions keep them."""
KINDS: Final = ("image", "video")

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_REF: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*/[a-z0-9]+(?:[-_][a-z0-9]+)*")
_WORD: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_YEAR: Final = re.compile(r"(?P<sign>[<>]=?|=)(?P<figure>\d{1,4})")
_PARAM: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:(?P<sign>[<>]=?|=)(?P<figure>\d+(?:\.\d+)?))?")


class BadTerm(ValueError):
    """A term that cannot be read; ``known``: how it might be written."""

    def __init__(self, term: str, known: str) -> None:
        super().__init__(f"{term}: {known}")
        self.term = term
        self.known = known


@dataclass(frozen=True)
class Choice:
    """A preset chosen for a shot."""

    ref: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """Slug of its category."""
        return self.ref.partition("/")[0]


@dataclass(frozen=True)
class LookFacts:
    """What is known of a shot. Values as the models write them; "" and None: unknown."""

    presets: tuple[Choice, ...] = ()
    weather: str = ""
    time_of_day: str = ""
    setting: str = ""
    year: int | None = None
    kind: str = ""


@dataclass(frozen=True)
class Term:
    """One alternative of a condition."""

    subject: str
    value: str

    def __str__(self) -> str:
        return f"{self.subject}:{self.value}"


Condition = tuple[Term, ...]
"""Alternatives: it holds where one of them does."""


@dataclass(frozen=True)
class Rule:
    """A rule ready to be held against shots."""

    slug: str
    kind: str
    severity: str
    when: tuple[Condition, ...]
    other: tuple[Condition, ...]
    message: str
    message_ko: str = ""


@dataclass(frozen=True)
class Broken:
    """A rule that a shot breaks, and because of which terms."""

    rule: Rule
    because: tuple[Term, ...]

    @property
    def hard(self) -> bool:
        """Whether it refuses a save."""
        return self.rule.severity == HARD

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets it is about."""
        return tuple(term.value for term in self.because if term.subject == "preset")


def _preset(value: str, facts: LookFacts) -> bool:
    return any(choice.ref == value for choice in facts.presets)


def _category(value: str, facts: LookFacts) -> bool:
    return any(choice.category == value for choice in facts.presets)


def _param(value: str, facts: LookFacts) -> bool:
    asked = _PARAM.fullmatch(value)
    assert asked is not None  # noqa: S101 - parse_term has read it
    return any(_measures(choice.params.get(asked["name"]), asked) for choice in facts.presets)


def _measures(found: Any, asked: re.Match[str]) -> bool:
    if asked["sign"] is None:
        return bool(found)
    return isinstance(found, int | float) and _COMPARE[asked["sign"]](found, float(asked["figure"]))


def _year(value: str, facts: LookFacts) -> bool:
    asked = _YEAR.fullmatch(value)
    assert asked is not None  # noqa: S101 - parse_term has read it
    return facts.year is not None and _COMPARE[asked["sign"]](facts.year, int(asked["figure"]))


_HOLDS: Final[Mapping[str, Callable[[str, LookFacts], bool]]] = {
    "preset": _preset,
    "category": _category,
    "param": _param,
    "weather": lambda value, facts: facts.weather == value,
    "time_of_day": lambda value, facts: facts.time_of_day == value,
    "setting": lambda value, facts: facts.setting == value,
    "year": _year,
    "kind": lambda value, facts: facts.kind == value,
}


def _one_of(subject: str, values: tuple[str, ...]) -> tuple[re.Pattern[str], str]:
    return re.compile("|".join(values)), ", ".join(f"{subject}:{value}" for value in values)


_WRITTEN: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "preset": (_REF, "preset:shot_size/close-up"),
    "category": (_WORD, "category:camera_movement"),
    "param": (_PARAM, "param:anamorphic, param:focal_mm>=200"),
    "weather": _one_of("weather", WEATHERS),
    "time_of_day": _one_of("time_of_day", TIMES),
    "setting": _one_of("setting", SETTINGS),
    "year": (_YEAR, "year:<1912, year:>=2000"),
    "kind": _one_of("kind", KINDS),
}


def parse(text: str) -> tuple[Condition, ...]:
    """Read lines of terms. Raises BadTerm for the first one that cannot be read."""
    return tuple(_condition(line) for line in text.splitlines() if line.strip())


def _condition(line: str) -> Condition:
    terms: list[Term] = []
    for piece in line.split("|"):
        written = piece.strip()
        subject, colon, value = written.partition(":")
        if not colon:
            subject, value = (terms[-1].subject, written) if terms else ("", written)
        terms.append(_term(subject.strip(), value.replace(" ", ""), written))
    return tuple(terms)


def _term(subject: str, value: str, written: str) -> Term:
    if subject not in _WRITTEN:
        raise BadTerm(written, ", ".join(example for _pattern, example in _WRITTEN.values()))
    pattern, example = _WRITTEN[subject]
    if not pattern.fullmatch(value):
        raise BadTerm(written, example)
    return Term(subject, value)


def broken(rules: Iterable[Rule], facts: LookFacts) -> tuple[Broken, ...]:
    """The rules a shot breaks, the hard ones first, else in the order given."""
    found = [told for rule in rules if (told := _hold(rule, facts)) is not None]
    return tuple(sorted(found, key=lambda told: _SEVERITIES[told.rule.severity]))


def broken_when_rendered(rules: Iterable[Rule], facts: LookFacts) -> tuple[Broken, ...]:
    """The rules a shot breaks as it stands, then those that it breaks as a picture or as a video only.

    The latter refuse no save, however hard: both are made of a shot, so they are warnings here.
    """
    read = tuple(rules)
    found = {told.rule.slug: told for told in broken(read, facts)}
    for kind in KINDS:
        for told in broken(read, replace(facts, kind=kind)):
            softer = WARNING if told.hard else told.rule.severity
            found.setdefault(told.rule.slug, replace(told, rule=replace(told.rule, severity=softer)))
    return tuple(found.values())


def _hold(rule: Rule, facts: LookFacts) -> Broken | None:
    because: list[Term] = []
    for condition in rule.when:
        true = _true(condition, facts)
        if not true:
            return None
        because += true
    met = [term for condition in rule.other for term in _true(condition, facts)]
    if bool(met) is (rule.kind == REQUIRES):
        return None
    return Broken(rule, tuple(dict.fromkeys(because + met)))


def _true(condition: Condition, facts: LookFacts) -> list[Term]:
    return [term for term in condition if _HOLDS[term.subject](term.value, facts)]


def terms_of(rule: Rule) -> list[Term]:
    """Every term a rule names."""
    return [term for condition in (*rule.when, *rule.other) for term in condition]
