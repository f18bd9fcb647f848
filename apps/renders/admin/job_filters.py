"""Filters of the list of jobs that are no plain column."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.clock import database_now
from apps.renders.models import Job
from apps.renders.states import OPEN
from farm.tiers import NO_VRAM, TIERS_GB


class DeadlineFilter(admin.SimpleListFilter):
    """By how near the deadline of an open job is."""

    title = gettext_lazy("deadline")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("missed")), ("day", _("within a day")), ("any", _("has one")), ("none", _("none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        now = database_now()
        match self.value():
            case "late":
                return queryset.filter(state__in=OPEN, deadline__lte=now)
            case "day":
                return queryset.filter(
                    state__in=OPEN, deadline__gt=now, deadline__lte=now + timedelta(days=1)
                )
            case "any" | "none":
                return queryset.filter(deadline__isnull=self.value() == "none")
        return queryset


class TierFilter(admin.SimpleListFilter):
    """By VRAM tier: the rungs there are, not those that some half a million jobs happen to have."""

    title = gettext_lazy("tier (GB)")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(tier), str(tier)) for tier in (NO_VRAM, *TIERS_GB)] + [("none", _("none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        asked = self.value()
        if asked == "none":
            return queryset.filter(tier_gb=None)
        return queryset.filter(tier_gb=int(asked)) if asked and asked.isdecimal() else queryset


class HeldFilter(admin.SimpleListFilter):
    """By whether the job or its batch is paused."""

    title = gettext_lazy("paused")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("yes")), ("0", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(held=self.value() == "1") if self.value() in ("0", "1") else queryset
