"""Paths to copy, on the pages of projects, shots and takes."""

from __future__ import annotations

from typing import Any, Final

from django import template
from django.utils.safestring import SafeString

from apps.common.show import badge
from apps.folders.located import Located
from apps.folders.models import Publication, System
from apps.folders.selectors import published_of
from apps.folders.services.planning import Fate
from apps.folders.words import FATES
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.review.models import Take

register = template.Library()
MOST_FILES: Final = 12


@register.inclusion_tag("parts/paths.html")
def project_paths(project: Project) -> dict[str, Any]:
    """The project's folder on each system."""
    located = Located()
    return _shown(located, located.folder_of_project(project))


@register.inclusion_tag("parts/shot_files.html")
def shot_paths(shot: Shot) -> dict[str, Any]:
    """The shot's folder on each system, and its newest published files."""
    located = Located()
    files = Publication.objects.filter(shot=shot).order_by("-created_at")[:MOST_FILES]
    shown = _shown(located, located.folder_of_shot(shot))
    return {**shown, "files": [(row, _shown(located, row.path)) for row in files]}


@register.inclusion_tag("parts/published.html", takes_context=True)
def published_files(context: Any, take: Take) -> dict[str, Any]:
    """What was published of a take, with its paths, and the button that publishes it."""
    located = Located()
    rows = published_of([take.pk]).get(take.pk, [])
    return {
        "take": take,
        "files": [(row, _shown(located, row.path)) for row in rows],
        "may_publish": context.get("may_publish"),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def fate(of: Fate) -> SafeString:
    """The badge of what is to happen at a path."""
    word, tone = FATES[of]
    return badge(str(word), tone)


def _shown(located: Located, path: str | None) -> dict[str, Any]:
    labels = dict(System.choices)
    paths = located.paths(path)
    return {
        "path": path,
        "paths": [(labels[system], told) for system, told in paths.items() if told],
    }
