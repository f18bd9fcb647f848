"""Hold the rules against what is known of a shot. Plain: it reads no shot and no database row by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.workflows.keywords import Match, find, parse_keywords
from apps.workflows.rules import RecommendationRule


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a shot: ``where`` is "description" or "action", ``who`` the character whose action it is."""

    where: str
    text: str
    who: str = ""


@dataclass(frozen=True, kw_only=True)
class ShotFacts:
    """What rules are held against. ``seconds`` with handles; ``camera_moves``: slugs of presets."""

    said: Sequence[Said] = ()
    characters: int = 0
    keyframe: bool = False
    previous_clip: bool = False
    dialogue: bool = False
    seconds: float = 0.0
    camera_moves: frozenset[str] = frozenset()

    def as_json(self) -> list[Any]:
        """Everything that a recommendation rests on, in a fixed order."""
        return [
            [[one.where, one.who, one.text] for one in self.said],
            *(self.characters, self.keyframe, self.previous_clip, self.dialogue, round(self.seconds, 3)),
            sorted(self.camera_moves),
        ]


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword that stands in the shot's text, and where."""

    keyword: str
    text: str
    where: str
    who: str

    def as_json(self) -> dict[str, str]:
        return {"keyword": self.keyword, "text": self.text, "where": self.where, "who": self.who}


@dataclass(frozen=True, kw_only=True)
class Holds:
    """A rule that holds for a shot: the words that spoke for it, and the conditions it asked for."""

    rule: RecommendationRule
    words: tuple[Word, ...] = ()
    conditions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is kept of it: the rule may be edited later, the reason stays."""
        return {
            "rule": self.rule.slug,
            "name": self.rule.name,
            "name_ko": self.rule.name_ko,
            "reason": self.rule.reason,
            "reason_ko": self.rule.reason_ko,
            "weight": self.rule.weight,
            "words": [word.as_json() for word in self.words],
            "conditions": list(self.conditions),
        }


@dataclass(kw_only=True)
class Choice:
    """A template that rules speak for, and the recipe the heaviest of them names."""

    template: str
    recipe: str = ""
    reasons: list[Holds] = field(default_factory=list)

    @property
    def score(self) -> int:
        """The weights of its reasons, added."""
        return sum(reason.rule.weight for reason in self.reasons)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Every template that a rule speaks for, the heaviest first, and words that were read and left out."""

    choices: tuple[Choice, ...]
    denied: tuple[Word, ...] = ()


def judge(rules: Iterable[RecommendationRule], facts: ShotFacts) -> Judged:
    """Hold active rules against a shot. Templates that weigh the same stand by name: always in one order."""
    choices: dict[str, Choice] = {}
    denied: dict[Word, None] = {}
    for rule in rules:
        if not rule.active:
            continue
        words = list(_words(rule, facts))
        denied |= dict.fromkeys(word for word, match in words if match.denied)
        held = _held(rule, facts, tuple(word for word, match in words if not match.denied))
        if held is not None:
            choice = choices.setdefault(rule.template, Choice(template=rule.template))
            choice.reasons.append(held)
            choice.recipe = choice.recipe or rule.recipe
    for choice in choices.values():
        choice.reasons.sort(key=lambda held: (-held.rule.weight, held.rule.slug))
    ordered = sorted(choices.values(), key=lambda choice: (-choice.score, choice.template))
    return Judged(choices=tuple(ordered), denied=tuple(denied))


def _held(rule: RecommendationRule, facts: ShotFacts, words: tuple[Word, ...]) -> Holds | None:
    if not words and keywords_of(rule):
        return None
    asked = list(_conditions(rule, facts))
    if not all(holds for _name, holds in asked):
        return None
    return Holds(rule=rule, words=words, conditions=tuple(name for name, _holds in asked))


def keywords_of(rule: RecommendationRule) -> list[str]:
    """A rule's keywords of both languages."""
    return parse_keywords(f"{rule.keywords}\n{rule.keywords_ko}")


def _words(rule: RecommendationRule, facts: ShotFacts) -> Iterator[tuple[Word, Match]]:
    keywords, exceptions = keywords_of(rule), parse_keywords(rule.exceptions)
    for said in facts.said if keywords else ():
        for match in find(said.text, keywords, exceptions=exceptions):
            yield Word(match.keyword, match.text, said.where, said.who), match


def _conditions(rule: RecommendationRule, facts: ShotFacts) -> Iterator[tuple[str, bool]]:
    """Each condition that the rule makes, and whether it holds."""
    moves = set(parse_keywords(rule.camera_moves))
    limits = (
        ("min_characters", rule.min_characters, lambda limit: facts.characters >= limit),
        ("max_characters", rule.max_characters, lambda limit: facts.characters <= limit),
        ("min_seconds", rule.min_seconds, lambda limit: facts.seconds >= limit),
        ("max_seconds", rule.max_seconds, lambda limit: facts.seconds <= limit),
        ("keyframe", rule.keyframe, lambda wanted: facts.keyframe == wanted),
        ("previous_clip", rule.previous_clip, lambda wanted: facts.previous_clip == wanted),
        ("dialogue", rule.dialogue, lambda wanted: facts.dialogue == wanted),
        ("camera_moves", moves or None, lambda wanted: bool(wanted & facts.camera_moves)),
    )
    for name, asked, holds in limits:
        if asked is not None:
            yield name if asked is not False else f"no_{name}", bool(holds(asked))
