"""Rules for presets: how terms are read, when a rule is broken, and every rule that ships."""

from __future__ import annotations

import re

import pytest

from apps.presets.library import read_library
from apps.presets.rules import (
    SETTINGS,
    TIMES,
    WEATHERS,
    BadTerm,
    Choice,
    LookFacts,
    Rule,
    Term,
    broken,
    parse,
)
from apps.presets.shipped import read_looks, read_rules, ready
from apps.productions.models import Setting, TimeOfDay, Weather
from tests.unit.presets.examples import EXAMPLES

LIBRARY = read_library()
PARAMS = {f"{preset.category}/{preset.slug}": preset.params for preset in LIBRARY.presets}
SHIPPED = {rule.slug: ready(rule) for rule in read_rules()}
FIELDS = {"time": "time_of_day", "weather": "weather", "setting": "setting", "kind": "kind"}


def shot(words: str) -> LookFacts:
    """A shot written as examples.py writes it."""
    presets, facts = [], {}
    for word in words.split():
        name, equals, value = word.partition("=")
        if word.startswith("+"):
            presets.append(Choice("studio/own", {word[1:]: True}))
        elif not equals:
            presets.append(Choice(word, PARAMS[word]))
        elif name == "year":
            facts["year"] = int(value)
        else:
            facts[FIELDS[name]] = value  # type: ignore[assignment]
    return LookFacts(presets=tuple(presets), **facts)  # type: ignore[arg-type]


def holds(line: str, words: str) -> bool:
    """Whether a condition holds for a shot: a conflict between it and nothing but itself."""
    rule = Rule("r", "conflicts", "hard", parse(line), parse(line), "told")
    return bool(broken([rule], shot(words)))


def test_a_line_reads_as_alternatives_and_a_bare_one_takes_the_subject_before_it() -> None:
    assert parse("time_of_day:night | midnight|preset:time_of_day/night-exterior\n\nyear: <1912") == (
        (
            Term("time_of_day", "night"),
            Term("time_of_day", "midnight"),
            Term("preset", "time_of_day/night-exterior"),
        ),
        (Term("year", "<1912"),),
    )


@pytest.mark.parametrize(
    ("line", "because"),
    (
        ("sun:high", "preset:"),
        ("night", "preset:"),
        ("preset:close-up", "preset:shot_size/close-up"),
        ("weather:hail", "weather:sunny"),
        ("year:1912", "year:<1912"),
        ("param:focal_mm>", "param:focal_mm>=200"),
        ("setting:outside", "setting:interior"),
        ("preset:mood/tense|__import__('os')", "preset:shot_size/close-up"),
    ),
)
def test_what_cannot_be_read_says_how_it_is_written(line: str, because: str) -> None:
    with pytest.raises(BadTerm, match=re.escape(because)):
        parse(line)


@pytest.mark.parametrize(
    ("line", "yes", "no"),
    (
        ("preset:mood/tense", "mood/tense", "mood/serene"),
        ("category:mood", "mood/serene", "era/1980s"),
        ("param:anamorphic", "lens_focal/anamorphic-40mm", "lens_focal/35mm"),
        ("param:focal_mm>=135", "lens_focal/135mm-tele", "lens_focal/85mm-portrait"),
        ("param:focal_mm=50", "lens_focal/50mm-normal", "mood/tense"),
        ("weather:rain|snow", "weather=snow", "weather=fog"),
        ("time_of_day:dawn", "time=dawn", ""),
        ("setting:interior", "setting=interior", "setting=exterior"),
        ("year:<1912", "year=1911", "year=1912"),
        ("year:>=1912", "year=1912", ""),
        ("kind:image", "kind=image", "kind=video"),
    ),
)
def test_a_term_holds_for_what_it_says_and_never_for_what_is_not_known(line: str, yes: str, no: str) -> None:
    assert holds(line, yes)
    assert not holds(line, no)


@pytest.mark.parametrize(
    ("kind", "words", "is_broken"),
    (
        ("conflicts", "mood/tense time=night", True),
        ("conflicts", "mood/tense time=day", False),
        ("conflicts", "time=night", False),
        ("requires", "mood/tense time=night", False),
        ("requires", "mood/tense time=day", True),
        ("requires", "time=day", False),
    ),
)
def test_a_rule_speaks_only_where_everything_in_when_holds(kind: str, words: str, is_broken: bool) -> None:
    rule = Rule(
        "r", kind, "hard", parse("category:mood"), parse("time_of_day:night\ntime_of_day:dusk"), "told"
    )
    assert bool(broken([rule], shot(words))) is is_broken


def test_hard_rules_are_told_first_and_each_says_because_of_what() -> None:
    soft = Rule("soft", "conflicts", "info", parse("category:mood"), parse("time_of_day:night"), "perhaps")
    hard = Rule("hard", "conflicts", "hard", parse("preset:mood/tense"), parse("time_of_day:night"), "never")
    told = broken([soft, hard], shot("mood/tense time=night"))
    assert [one.rule.slug for one in told] == ["hard", "soft"]
    assert told[0].because == (Term("preset", "mood/tense"), Term("time_of_day", "night"))
    assert told[0].presets == ("mood/tense",)


def test_the_values_rules_know_are_those_that_shots_and_locations_have() -> None:
    assert tuple(Weather.values) == WEATHERS
    assert tuple(TimeOfDay.values) == TIMES
    assert tuple(Setting.values) == SETTINGS


def test_59_rules_ship_each_in_english_and_korean() -> None:
    rules = read_rules()
    assert len(rules) == 59
    for rule in rules:
        assert rule.message.endswith((".", "meant.")), rule.slug
        assert re.search(r"[가-힣]", rule.message_ko), rule.slug
    assert len({rule.message for rule in rules}) == len(rules)
    assert {rule.severity for rule in rules} == {"hard", "warning", "info"}


def test_every_shipped_rule_has_its_examples() -> None:
    assert EXAMPLES.keys() == SHIPPED.keys()


@pytest.mark.parametrize("slug", SHIPPED)
def test_a_shipped_rule_is_broken_by_its_example_and_not_by_the_one_beside_it(slug: str) -> None:
    wrong, right = EXAMPLES[slug]
    assert broken([SHIPPED[slug]], shot(wrong)), wrong
    assert not broken([SHIPPED[slug]], shot(right)), right


def test_16_looks_ship_each_in_english_and_korean_and_none_breaks_a_rule_by_itself() -> None:
    looks = read_looks()
    assert len(looks) == 16
    exclusive = {category.slug for category in LIBRARY.categories if category.exclusive}
    for look in looks:
        assert re.search(r"[가-힣]", look.name_ko) and re.search(r"[가-힣]", look.description_ko), look.slug
        categories = [ref.partition("/")[0] for ref in look.presets]
        once = [name for name in categories if name in exclusive]
        assert len(once) == len(set(once)), look.slug
        told = broken(SHIPPED.values(), shot(" ".join(look.presets)))
        assert not told, (look.slug, [one.rule.slug for one in told])
