"""What forms and filters offer to choose: rows of the person's projects, named in the page's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from apps.common.admin_forms import name_choices
from apps.common.show import spoken
from apps.projects.models import Project
from apps.projects.picker import PROJECT_OF_PAGE
from apps.projects.reach import reach_of
from apps.projects.roles import Act
from apps.projects.selectors import scoped


def label_of(row: Model) -> str:
    """Name a row to choose: its code, and its name in the page's language."""
    if not hasattr(row, "name_ko"):
        return str(row)
    return f"{getattr(row, 'code', '')} {spoken(row, 'name')}".strip()


class PlainChoices:
    """Fields that choose other rows, without the buttons that add, change and delete those."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # The rows chosen from have pages of their own; four little buttons beside each choice are noise.
            wrapper = field.widget
            wrapper.can_add_related = wrapper.can_change_related = False
            wrapper.can_delete_related = wrapper.can_view_related = False
        return field


class ScopedChoices(PlainChoices):
    """Foreign keys offer rows of the person's projects; on the page of a row, of that row's project.

    ``paths_to_project`` names the path for fields whose model has no page of its own; ``grouped_by``
    puts an inline's choices into groups.
    """

    admin_site: admin.AdminSite
    choosing_act: Act = Act.PLAN
    paths_to_project: Mapping[str, str] = {}
    grouped_by: Mapping[str, Callable[[Any], str]] = {}
    listed_once = False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if "queryset" not in kwargs:
            rows = self.choices_for(db_field, request)
            if rows is not None:
                kwargs["queryset"] = rows
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(  # type: ignore[misc]  # a mixin
            db_field, request, **kwargs
        )
        if field is not None:
            name_choices(field, label_of)
        if field is not None and self.listed_once:
            # Listed once for all rows of the inline: a query per row is a query too many.
            field.choices = self.listed(db_field, field)
        return field

    def choices_for(self, db_field: ForeignKey[Any, Any], request: HttpRequest) -> QuerySet[Any] | None:
        """Return the rows this person may choose from; None leaves Django's default."""
        related: type[Model] = db_field.remote_field.model
        path = self.paths_to_project.get(db_field.name) or self.path_to_project(related)
        if path is None:
            return None
        project: UUID | None = getattr(request, PROJECT_OF_PAGE, None)
        rows = related._default_manager.all()
        if project is not None and path != "pk":
            return scoped(rows, request.user, path=path).filter(**{path: project})
        # A new row may be made where the person does this to everything.
        return rows.filter(reach_of(request).covers(self.choosing_act, path=path))

    def path_to_project(self, related: type[Model]) -> str | None:
        """Return the path from a model to its project, None if it belongs to no project."""
        if related is Project:
            return "pk"
        try:
            page = self.admin_site.get_model_admin(related)
        except NotRegistered:
            return None
        path: str | None = getattr(page, "project_path", None)
        return path

    def listed(self, db_field: Field[Any, Any], field: ModelChoiceField[Any]) -> list[Any]:
        """Return the choices as a list, in groups where ``grouped_by`` names the field."""
        group_of = self.grouped_by.get(db_field.name)
        blank: list[Any] = [("", "–")]
        if group_of is None:
            return blank + [(row.pk, field.label_from_instance(row)) for row in field.queryset or ()]
        groups: dict[str, list[tuple[Any, str]]] = {}
        for row in field.queryset or ():
            groups.setdefault(group_of(row), []).append((row.pk, field.label_from_instance(row)))
        return blank + list(groups.items())
