"""Where things lie, for many rows at once: two queries for their layouts, one for the mounts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from uuid import UUID

from apps.folders.language.layout import Layout
from apps.folders.selectors import Paths, held_by_each, home_of, layout_of, mounts, on_each_system
from apps.folders.subjects import values_of
from apps.productions.models import Shot
from apps.projects.models import Project


class Located:
    """Answers for one page or one request; what it has read it remembers."""

    def __init__(self) -> None:
        self._layouts: dict[UUID, Layout | None] = {}

    @cached_property
    def roots(self) -> dict[str, str]:
        """Where each system finds the root."""
        return mounts()

    def prime(self, projects: Iterable[Project]) -> None:
        """Read the layouts of these projects together."""
        missing = {one.pk: one.path_template for one in projects if one.pk not in self._layouts}
        if missing:
            held = held_by_each(missing)
            self._layouts |= {key: layout_of(held[key]) if key in held else None for key in missing}

    def folder_of_project(self, project: Project) -> str | None:
        """The project's folder below the root."""
        layout = self._layout(project)
        return home_of(layout, "project", {"project": project.code}) if layout else None

    def folder_of_shot(self, shot: Shot) -> str | None:
        """The shot's folder below the root; its project and sequence, with the episode, should be at hand."""
        layout = self._layout(shot.project)
        return home_of(layout, "shot", values_of(shot)) if layout else None

    def paths(self, path: str | None) -> Paths:
        """A path as each system writes it."""
        return on_each_system(path, self.roots)

    def _layout(self, project: Project) -> Layout | None:
        self.prime((project,))
        return self._layouts[project.pk]
