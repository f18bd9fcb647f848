"""Rows of the render form that name files for inputs a job does not fill by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.characters.models import CharacterReference
from apps.materials.models import MaterialKind
from apps.materials.selectors import usable_by
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.admin.fields import choice, set_choices
from apps.review.models import Artifact, ArtifactRole
from apps.review.states import Media, Review
from apps.workflows.models import Kind, WorkflowTemplate
from apps.workflows.services import template_of
from workflows.roles import LATENT

ROWS: Final = 3
MOST_OFFERED: Final = 200
"""Takes on offer, the newest ones; files of one kind of material."""

Group = tuple[str, list[tuple[str, str]]]
"""Files of one sort, under their heading."""


class FilesForm(forms.Form):
    """For an input of the templates chosen, a file; each row may stay empty.

    Material comes first, by kind, then takes, then the characters' pictures.
    """

    input_1 = choice(gettext_lazy("input"))
    file_1 = choice(gettext_lazy("file"))
    input_2 = choice(gettext_lazy("input"))
    file_2 = choice(gettext_lazy("file"))
    input_3 = choice(gettext_lazy("input"))
    file_3 = choice(gettext_lazy("file"))

    def offer_files(
        self, project: Project, templates: Iterable[WorkflowTemplate], shots: Sequence[Shot]
    ) -> None:
        """Offer the inputs of these templates, the material that these shots can use, the project's files."""
        roles = {
            role: role
            for template in templates
            if template.current is not None
            for role in template_of(template.current).manifest.file_roles
            if role != LATENT  # a shot gets them of the one it continues
        }
        files = [*_material_of(shots), *_files_of(project)]
        for row in range(1, ROWS + 1):
            set_choices(self.fields[f"input_{row}"], [("", _("none")), *sorted(roles.items())])
            set_choices(self.fields[f"file_{row}"], [("", _("none")), *files])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        named: set[str] = set()
        for row in range(1, ROWS + 1):
            role, file = data.get(f"input_{row}"), data.get(f"file_{row}")
            if bool(role) != bool(file):
                self.add_error(f"file_{row}" if role else f"input_{row}", _("Choose both, or neither."))
            if role and role in named:
                self.add_error(f"input_{row}", _("This input is named above."))
            named.add(role or "")
        return data

    def names_files(self) -> bool:
        """Whether anything is chosen here, right or wrong."""
        return any(self.data.get(f"{what}_{row}") for row in range(1, ROWS + 1) for what in ("input", "file"))

    def files_for(self, roles: Iterable[str]) -> Mapping[str, UUID]:
        """The files named for these inputs."""
        data = self.cleaned_data
        rows = ((data[f"input_{row}"], data[f"file_{row}"]) for row in range(1, ROWS + 1))
        wanted = set(roles)
        return {role: UUID(file) for role, file in rows if role in wanted and file}

    def named(self) -> set[str]:
        """The inputs that a row names."""
        return {self.cleaned_data[f"input_{row}"] for row in range(1, ROWS + 1)} - {""}


def _material_of(shots: Sequence[Shot]) -> list[Group]:
    """What these shots can use, by kind; each says of what it is where that is not the one shot."""
    found = {one.pk: one for some in usable_by(shots).values() for one in some if one.state == Media.READY}
    groups: dict[str, list[tuple[str, str]]] = {str(kind.label): [] for kind in MaterialKind}
    for one in found.values():
        size = f"{one.width} × {one.height}" if one.width else f"{one.seconds or 0:g} s"
        whose = one.shot or one.sequence or one.project
        told = f"{one.name} · {size} · {whose if isinstance(whose, Shot) else whose.code}"
        groups[str(one.get_kind_display())].append((str(one.pk), told))
    return [(label, rows[:MOST_OFFERED]) for label, rows in groups.items() if rows]


def _files_of(project: Project) -> list[Group]:
    pictures = CharacterReference.objects.filter(character__project=project).select_related("character")
    takes = (
        Artifact.objects.filter(
            take__shot__project=project,
            role=ArtifactRole.PRIMARY,
            take__media_state=Media.READY,
        )
        .exclude(take__review_state=Review.REJECTED)
        .filter(~Q(take__kind=Kind.FRAMES) | Q(pk=Subquery(_first_of(OuterRef("take")))))
        .select_related("take__shot__sequence")
        .order_by("-take__created_at")[:MOST_OFFERED]
    )
    groups = [
        (_("takes"), [(str(one.pk), f"{one.take} · {_medium(one)}") for one in takes]),
        (
            _("characters"),
            [(str(one.pk), f"{one.character.code} {one.character.name} · {one}") for one in pictures],
        ),
    ]
    return [(label, rows) for label, rows in groups if rows]


def _first_of(take: OuterRef) -> QuerySet[Artifact, Any]:
    """The picture that stands for all of a take."""
    pictures = Artifact.objects.filter(take=take, role=ArtifactRole.PRIMARY)
    return pictures.order_by("key").values("pk")[:1]


def _medium(artifact: Artifact) -> str:
    return _("all its pictures") if artifact.take.kind == Kind.FRAMES else artifact.kind
