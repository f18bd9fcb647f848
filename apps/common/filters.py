"""Filters of the API's lists. django-filter has no types: it is imported here and nowhere else."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from rest_framework.request import Request

from apps.common.errors import Problem, Refused

BooleanFilter = filters.BooleanFilter
CharFilter = filters.CharFilter
DateTimeFilter = filters.IsoDateTimeFilter
ChoiceFilter = filters.ChoiceFilter
MultipleChoiceFilter = filters.MultipleChoiceFilter
UUIDFilter = filters.UUIDFilter

BOOLEANS: Final = ("", "true", "false", "1", "0")


class FilterBackend(filters.DjangoFilterBackend):  # type: ignore[misc]
    """Filters that name what would be right. A list refuses every parameter it does not know.

    Answering as if a mistyped filter were not there would show too many rows.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        if getattr(view, "action", "") == "list":
            self._refuse_unknown(request, queryset, view)
        return super().filter_queryset(request, queryset, view)

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        for name, field in filterset.form.fields.items() if filterset else ():
            sent = request.query_params.get(name, "")
            if isinstance(field, forms.NullBooleanField) and sent.lower() not in BOOLEANS:
                raise Refused(
                    Problem(name, sent, _("write true or false"))
                )  # Django would read it as neither
            if isinstance(field, forms.ChoiceField):
                known = ", ".join(str(value) for value, _label in _pairs(field) if value)
                field.error_messages["invalid_choice"] = _("choose one of %s") % known
        return filterset

    def _refuse_unknown(self, request: Request, queryset: QuerySet[Any], view: Any) -> None:
        filterset = self.get_filterset_class(view, queryset)
        known = [*(filterset.base_filters if filterset else ())]
        if hasattr(view, "search_fields"):
            known.append("search")
        known += [view.paginator.limit_query_param, view.paginator.offset_query_param]
        told = _("not a parameter of this list; known are %s") % ", ".join(known)
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            raise Refused(
                *(
                    Problem(name, request.query_params[name], told, code="unknown_parameter")
                    for name in unknown
                )
            )


def _pairs(field: Any) -> list[tuple[Any, Any]]:
    return list(field.choices)  # the stubs allow a callable here; Django has called it


class FilterSet(filters.FilterSet):  # type: ignore[misc]
    """Filters of one list."""


class ByProject(FilterSet):
    """``?project=FROST``: rows of one project."""

    project = CharFilter(field_name="project__code")
