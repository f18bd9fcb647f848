"""Filters by rows of a film: they offer what the person sees."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.common.admin_filters import FindsChoices
from apps.common.ids import uuid_in
from apps.projects.admin_choices import label_of
from apps.projects.models import Project
from apps.projects.picker import project_of
from apps.projects.selectors import projects_for


class MyProjects(FindsChoices, admin.RelatedFieldListFilter):
    """A filter that offers what the person sees, named in the page's language; in a list of one film what is
    that film's.
    """

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.find_as = field_path
        super().__init__(field, request, params, model, model_admin, field_path)

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        related, film = field.remote_field.model, project_of(request)
        rows = scoped_rows(related, request, model_admin).prefetch_related(None)
        offered = rows if film is None else rows_of_film(related, rows, film, model_admin)
        told: Any = self.lookup_val
        key = uuid_in(told[-1] if isinstance(told, list) and told else told or "")
        chosen = {"pk": key} if key is not None else {}
        among = None if offered is rows else rows
        return [(row.pk, label_of(row)) for row in self.few_of(offered, request, chosen, among)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Narrow the list; of many to many, by the table between, which finds no row twice."""
        field: Any = self.field
        chosen = self.used_parameters.get(self.lookup_kwarg)
        if not field.many_to_many or chosen is None or len(self.used_parameters) > 1:
            return super().queryset(request, queryset)
        try:
            pairs = field.remote_field.through._default_manager.filter(
                **{f"{field.m2m_reverse_field_name()}__in": chosen}
            )
        except (ValueError, ValidationError) as exc:
            raise IncorrectLookupParameters(exc) from exc
        return queryset.filter(pk__in=pairs.values(field.m2m_field_name()))


def scoped_rows(related: type[Model], request: HttpRequest, page: admin.ModelAdmin[Any]) -> QuerySet[Any]:
    """Return the rows of a related model as its own page would list them for this person."""
    if related is Project:
        return projects_for(request.user)
    queryset: QuerySet[Any] = page.admin_site.get_model_admin(related).get_queryset(request)
    return queryset


def rows_of_film(
    related: type[Model], rows: QuerySet[Any], film: Project, page: admin.ModelAdmin[Any]
) -> QuerySet[Any]:
    """Narrow rows to those that stand in a film, where rows of the kind belong to films at all."""
    if related is Project:
        return rows
    narrow = getattr(page.admin_site.get_model_admin(related), "of_film", None)
    narrowed: QuerySet[Any] = rows if narrow is None else narrow(rows, film)
    return narrowed
