"""Filters of the API's lists. django-filter has no types: it is imported here and nowhere else."""

from __future__ import annotations

from django_filters import rest_framework as filters  # type: ignore[import-untyped]

CharFilter = filters.CharFilter
ChoiceFilter = filters.ChoiceFilter
MultipleChoiceFilter = filters.MultipleChoiceFilter
UUIDFilter = filters.UUIDFilter
FilterBackend = filters.DjangoFilterBackend


class FilterSet(filters.FilterSet):  # type: ignore[misc]
    """Filters of one list."""


class ByProject(FilterSet):
    """``?project=FROST``: rows of one project."""

    project = CharFilter(field_name="project__code")
