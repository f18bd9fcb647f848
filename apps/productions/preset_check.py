"""What rules say of a shot form as it is being filled in. Nothing is saved, and nothing need be complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from apps.presets.models import CinematicPreset
from apps.presets.picker import PresetPicker
from apps.presets.rules import Broken, LookFacts, broken_when_rendered
from apps.presets.selectors import chosen, rules_in, seen_by
from apps.presets.words import shown
from apps.productions.models import Location, Sequence
from apps.productions.preset_facts import year_of
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.selectors import scoped

FRAGMENT = "admin/presets/problems.html"
FIELD = "picked"


def preset_check_view(request: HttpRequest) -> HttpResponse:
    """Answer the picker after each change with the rules that are broken now."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not reach_of(request).anywhere(Act.VIEW):
        raise PermissionDenied
    problems, project = _broken_by(request)
    return render(request, FRAGMENT, {"problems": shown(problems, project)})


def _broken_by(request: HttpRequest) -> tuple[tuple[Broken, ...], UUID | None]:
    """The rules that are broken, and the film whose they are."""
    sent, person = request.POST, person_of(request)
    keys = PresetPicker().value_from_datadict(sent, request.FILES, FIELD)
    presets = seen_by(CinematicPreset.objects.select_related("category"), person).filter(
        pk__in=[key for text in keys if (key := _key(text))]
    )
    sequence = _row(sent, "sequence", scoped(Sequence.objects.select_related("project"), person))
    location = _row(sent, "location", scoped(Location.objects.all(), person))
    facts = LookFacts(
        presets=chosen(presets),
        weather=sent.get("weather", ""),
        time_of_day=sent.get("time_of_day", ""),
        setting=location.setting if location else "",
        year=year_of(sequence),
    )
    project = sequence.project_id if sequence else None
    return broken_when_rendered(rules_in([project])[project], facts), project


def _row(sent: Mapping[str, str], field: str, rows: Any) -> Any:
    key = _key(sent.get(field, ""))
    return rows.filter(pk=key).first() if key else None


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
