"""Hold the preset rules against shots: what is known of a shot, and which rules it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.presets.models import CinematicPreset
from apps.presets.rules import Broken, LookFacts, Rule, broken, broken_when_rendered
from apps.presets.selectors import chosen, rules_in
from apps.presets.words import said
from apps.productions.models import Sequence as ShotSequence
from apps.productions.models import Shot, ShotPreset


def facts_of(shot: Shot, presets: Iterable[CinematicPreset]) -> LookFacts:
    """What rules may know of a shot with these presets. Read project, sequence and location with it."""
    place = shot.location if shot.location_id else None
    year = shot.sequence.period_year
    return LookFacts(
        presets=chosen(presets),
        weather=shot.weather,
        time_of_day=shot.time_of_day,
        setting=place.setting if place else "",
        year=year if year is not None else shot.project.period_year,
    )


def year_of(sequence: ShotSequence | None) -> int | None:
    """When it plays: the sequence says, else its project."""
    if sequence is None:
        return None
    return sequence.period_year if sequence.period_year is not None else sequence.project.period_year


def problems_of(shots: Sequence[Shot], *, rendered: bool = False) -> dict[UUID, tuple[Broken, ...]]:
    """The rules that each shot breaks as it stands, or (``rendered``) also as a picture or as a video.

    Read project, sequence and location with the shots; two queries more, however many there are.
    """
    rules = rules_in({shot.project_id for shot in shots})
    used: dict[UUID, list[CinematicPreset]] = {shot.pk: [] for shot in shots}
    for row in ShotPreset.objects.filter(shot__in=used).select_related("preset__category").order_by("order"):
        used[row.shot_id].append(row.preset)
    return {
        shot.pk: (broken_when_rendered if rendered else broken)(
            rules[shot.project_id], facts_of(shot, used[shot.pk])
        )
        for shot in shots
    }


def require_rules(keys: Sequence[UUID]) -> None:
    """Raise Refused, by shot, where one breaks a hard rule as it is saved now and nobody says why it may.

    Inside the caller's transaction, which is rolled back then. Three queries, however many shots.
    """
    shots = list(Shot.objects.filter(pk__in=keys).select_related("project", "sequence", "location"))
    broken_by = problems_of(shots)
    problems = [
        problem
        for shot in shots
        for problem in refusals(broken_by[shot.pk], shot.preset_override, field=f"{shot.full_code} presets")
    ]
    if problems:
        raise Refused(*problems)


def check(shot: Shot, presets: Iterable[CinematicPreset], rules: Iterable[Rule]) -> tuple[Broken, ...]:
    """The rules that a shot would break with these presets, also as a picture or a video."""
    return broken_when_rendered(rules, facts_of(shot, presets))


def refusals(told: Iterable[Broken], reason: str, *, field: str = "presets") -> list[Problem]:
    """A problem for each hard rule, unless somebody says why it is set aside."""
    if reason.strip():
        return []
    way_out = _("Change one of them, or say in “preset_override” why it may stand.")
    return [
        Problem(
            field, ", ".join(map(str, one.because)), f"{said(one)} {way_out}", f"preset_rule:{one.rule.slug}"
        )
        for one in told
        if one.hard
    ]
