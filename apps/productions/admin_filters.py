"""Filters of the shot list: by the status people read, and by what statuses mean."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.common.show import spoken
from apps.productions.models import Shot, ShotStatus

MEANINGS: Final[dict[str, Promise]] = {
    "is_feedback_request": gettext_lazy("to check"),
    "is_wip": gettext_lazy("work in progress"),
    "is_retake": gettext_lazy("retake"),
    "is_done": gettext_lazy("done"),
}


def with_flag(shots: QuerySet[Shot], flag: str) -> QuerySet[Shot]:
    """Shots whose status, as people read it, has this mark."""
    marked = list(ShotStatus.objects.filter(**{flag: True}).values_list("slug", flat=True))
    return shots.filter(Q(studio_status__in=marked) | Q(studio_status=None, status__in=marked))


class StatusFilter(admin.SimpleListFilter):
    """The machine's status with all its shades, or one shade."""

    title = gettext_lazy("status")
    parameter_name = "status__slug__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(row.slug, spoken(row, "name")) for row in ShotStatus.objects.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shot]) -> QuerySet[Shot]:
        slug = self.value()
        return queryset.filter(Q(status=slug) | Q(studio_status=slug)) if slug else queryset


class MeaningFilter(admin.SimpleListFilter):
    """By what a studio's statuses mean."""

    title = gettext_lazy("meaning")
    parameter_name = "meaning"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(MEANINGS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shot]) -> QuerySet[Shot]:
        flag = self.value()
        return with_flag(queryset, flag) if flag in MEANINGS else queryset
