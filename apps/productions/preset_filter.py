"""A filter of the shot list: by the look a shot wears."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.common.admin_filters import FindsChoices
from apps.common.ids import uuid_in
from apps.common.show import spoken
from apps.presets.models import Look, in_library
from apps.presets.selectors import seen_by
from apps.productions.preset_looks import wearing
from apps.projects.picker import project_of


class WearsLook(FindsChoices, admin.SimpleListFilter):
    """Shots that have every preset of a look: in a list of one film, of the studio's and the film's own."""

    title = gettext_lazy("look")
    parameter_name = find_as = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.offered = seen_by(Look.objects.filter(archived=False), request.user)
        film = project_of(request)
        here = self.offered if film is None else self.offered.filter(in_library(film.pk))
        key = uuid_in(self.value() or "")
        few = self.few_of(here, request, {"pk": key} if key is not None else {}, among=self.offered)
        return [(str(look.pk), spoken(look, "name")) for look in few]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        told = self.value()
        if told is None:
            return queryset
        key = uuid_in(told)
        look = self.offered.filter(pk=key).first() if key is not None else None
        return wearing(queryset, look) if look is not None else queryset.none()
