"""A filter of the shot list: by the look a shot wears."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.common.show import spoken
from apps.presets.models import Look
from apps.presets.selectors import seen_by
from apps.productions.preset_looks import wearing


class WearsLook(admin.SimpleListFilter):
    """Shots that have every preset of a look."""

    title = gettext_lazy("look")
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        looks = seen_by(Look.objects.filter(archived=False), request.user)
        return [(str(look.pk), spoken(look, "name")) for look in looks]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        key = self.value()
        if key is None:
            return queryset
        if key not in {value for value, _label in self.lookup_choices}:
            return queryset.none()
        return wearing(queryset, Look.objects.get(pk=key))
