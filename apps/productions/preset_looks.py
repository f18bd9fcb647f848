"""Looks where shots are: keep a shot's presets as one, and which shots have all of one."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.show import spoken
from apps.presets.models import Look, LookPreset
from apps.presets.selectors import looks_for
from apps.presets.services.looks import create_look
from apps.productions.models import Shot, ShotPreset
from apps.productions.preset_apply import used_by
from apps.projects.models import Project


def look_from_shot(
    shot: Shot, *, name: str, user: User, name_ko: str = "", slug: str = "", project: Project | None = None
) -> Look:
    """Keep the presets of a shot as a look of its film. Raises Refused for a shot without any, NotAllowed."""
    presets = used_by([shot])[shot.pk]
    if not presets:
        raise Refused(Problem("presets", "", _("this shot has no presets to keep")))
    return create_look(
        project=project or shot.project,
        name=name.strip(),
        name_ko=name_ko.strip(),
        slug=slug,
        presets=[preset.ref for preset in presets],
        user=user,
    )


def wearing(shots: QuerySet[Shot], look: Look) -> QuerySet[Shot]:
    """Narrow shots to those that have every preset of a look, however they came by them."""
    parts = list(LookPreset.objects.filter(look=look).values_list("preset", flat=True))
    if not parts:
        return shots.none()
    for preset in parts:
        shots = shots.filter(Exists(ShotPreset.objects.filter(shot=OuterRef("pk"), preset=preset)))
    return shots


def looks_of(shot: Shot) -> dict[str, Any]:
    """The looks a shot may take, as its page lists them, and the names of those it wears: one query."""
    offered = (
        looks_for(shot.project_id)
        .prefetch_related(None)
        .annotate(
            _parts=Count("look_presets"),
            _worn=Count("look_presets", filter=Q(look_presets__preset__in=_presets_of(shot))),
        )
    )
    rows = [(look, spoken(look, "name")) for look in offered]
    return {
        "offered": [{"pk": look.pk, "title": title} for look, title in rows],
        "wearing": [title for look, title in rows if look._parts and look._parts == look._worn],
    }


def _presets_of(shot: Shot) -> QuerySet[ShotPreset, Any]:
    return ShotPreset.objects.filter(shot=shot).values("preset")
