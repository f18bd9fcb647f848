"""The library's pages with what only shots know: which of one's shots use a preset or wear a look."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.common.show import NOTHING, link
from apps.presets.admin import CinematicPresetAdmin, LookAdmin
from apps.presets.models import CinematicPreset, Look
from apps.productions.models import ShotPreset
from apps.projects.reach import reach_of
from apps.projects.selectors import scoped

admin.site.unregister([CinematicPreset, Look])


@admin.register(CinematicPreset)
class UsedPresetAdmin(CinematicPresetAdmin):
    """Presets, and in how many shots each is used."""

    list_display = (*CinematicPresetAdmin.list_display[:-1], "used_in", "state")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        used = ShotPreset.objects.filter(preset__in=[row.pk for row in rows])
        if not reach_of(request).everything:
            used = scoped(used, request.user, path="shot__project")
        counted = used.order_by().values_list("preset").annotate(shots=Count("pk"))
        counts = dict(counted)
        for row in rows:
            row.used = counts.get(row.pk, 0)

    @admin.display(description=gettext_lazy("used in"))
    def used_in(self, preset: Any) -> SafeString:
        address = f"{reverse('admin:productions_shot_changelist')}?presets__id__exact={preset.pk}"
        return link(address, preset.used) if preset.used else NOTHING


@admin.register(Look)
class WornLookAdmin(LookAdmin):
    """Looks; on a look's page, which shots wear it."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "worn_by")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shots = ((gettext_lazy("Shots"), {"fields": ("worn_by",)}),) if obj is not None else ()
        return (*super().get_fieldsets(request, obj), *shots)

    @admin.display(description=gettext_lazy("shots with all of these presets"))
    def worn_by(self, look: Look) -> SafeString:
        address = f"{reverse('admin:productions_shot_changelist')}?look={look.pk}"
        return link(address, gettext_lazy("show them"))
