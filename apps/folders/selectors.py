"""Which layout a project holds, where its things lie, and what was published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.folders.language.fields import Value
from apps.folders.language.layout import Layout, parse_layout, write_or_none
from apps.folders.models import Mount, PathTemplate, ProjectFolders, Publication
from apps.folders.mounts import SYSTEMS, path_on
from apps.projects.models import Project

Paths = dict[str, str | None]
USUAL: Final = "studio"
"""The layout of projects that name none."""


def newest_layouts() -> QuerySet[PathTemplate]:
    """The newest version of each layout."""
    newest = PathTemplate.objects.filter(slug=OuterRef("slug")).order_by("-number")
    return PathTemplate.objects.filter(pk=Subquery(newest.values("pk")[:1])).order_by("slug")


def layout_version(slug: str, number: int | None = None) -> PathTemplate:
    """Return a version of a layout, the newest without a number. Raises Refused, naming what there is."""
    rows = PathTemplate.objects.filter(slug=slug).order_by("-number")
    found = (rows if number is None else rows.filter(number=number)).first()
    if found is None:
        known = ", ".join(map(str, newest_layouts())) or "–"
        named = slug if number is None else f"{slug} v{number}"
        raise Refused(
            Problem("layout", named, _("there is no such layout; there are: %s") % known, "unknown_layout")
        )
    return found


def held_by(project: Project) -> PathTemplate:
    """Return the version that a project holds; before it holds one, the newest of the layout it names."""
    folders = ProjectFolders.objects.select_related("template").filter(project=project).first()
    return folders.template if folders else layout_version(project.path_template or USUAL)


def held_by_each(projects: Mapping[UUID, str]) -> dict[UUID, PathTemplate]:
    """The same for many projects, with the layout that each names, in two queries."""
    rows = ProjectFolders.objects.filter(project__in=projects).select_related("template")
    held = {row.project_id: row.template for row in rows}
    if held.keys() != projects.keys():
        newest = {template.slug: template for template in newest_layouts()}
        named = {key: newest.get(slug or USUAL) for key, slug in projects.items() if key not in held}
        held |= {key: template for key, template in named.items() if template is not None}
    return held


def layout_of(template: PathTemplate) -> Layout:
    """Return what a version says; it was judged when it was saved."""
    return _parsed(template.text)


@lru_cache(maxsize=32)
def _parsed(text: str) -> Layout:
    return parse_layout(text)


def mounts() -> dict[str, str]:
    """Where each system finds the root of what is published; systems nobody told of are absent."""
    return dict(Mount.objects.values_list("system", "root"))


def on_each_system(path: str | None, roots: Mapping[str, str]) -> Paths:
    """Write a path for each system; None where nobody told where the root is mounted."""
    return {
        system: path_on(system, roots[system], path) if path and system in roots else None
        for system in SYSTEMS
    }


def home_of(layout: Layout, subject: str, values: Mapping[str, Value | None]) -> str | None:
    """Return the folder of a project, a shot …; None where the layout has none, or the code makes none."""
    return write_or_none(layout.home(subject), values)


def published_of(takes: Iterable[UUID]) -> dict[UUID, list[Publication]]:
    """What was published of each take, in one query."""
    found: dict[UUID, list[Publication]] = {}
    for row in Publication.objects.filter(take__in=list(takes)).order_by("path"):
        if row.take_id is not None:
            found.setdefault(row.take_id, []).append(row)
    return found
