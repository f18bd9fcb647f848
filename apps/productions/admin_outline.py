"""Episodes, sequences and locations: what a film's shots are grouped by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin_forms import become
from apps.common.counting import count_of
from apps.common.show import link, spoken
from apps.productions.admin_forms import EpisodeForm, LocationForm, SequenceForm
from apps.productions.models import Episode, Location, Sequence
from apps.productions.services import create_episode, create_sequence
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of


class ShotCount(ScopedAdmin):
    """A list that counts the shots of each row and leads to them."""

    shots_by = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(_shots=count_of(self.model, "shots"))
        return counted

    @admin.display(description=gettext_lazy("shots"), ordering="_shots")
    def shot_count(self, row: Any) -> SafeString:
        address = f"{reverse('admin:productions_shot_changelist')}?{self.shots_by}__id__exact={row.pk}"
        return link(address, row._shots)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, row: Any) -> str:
        return spoken(row, "name")


@admin.register(Episode)
class EpisodeAdmin(ScopedAdmin):
    list_display = ("code", "title", "project", "sequence_count", "order")
    list_select_related = ("project",)
    list_filter = (("project", MyProjects),)
    search_fields = ("code", "name", "name_ko")
    form = EpisodeForm
    fields = (("project", "code", "order"), ("name", "name_ko"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(_sequences=count_of(Episode, "sequences"))
        return counted

    def save_model(self, request: HttpRequest, obj: Episode, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        created = create_episode(
            project=obj.project, name=obj.name, name_ko=obj.name_ko, code=obj.code, user=person_of(request)
        )
        become(obj, created)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, row: Any) -> str:
        return spoken(row, "name")

    @admin.display(description=gettext_lazy("sequences"), ordering="_sequences")
    def sequence_count(self, row: Any) -> SafeString:
        address = f"{reverse('admin:productions_sequence_changelist')}?episode__id__exact={row.pk}"
        return link(address, row._sequences)


@admin.register(Sequence)
class SequenceAdmin(ShotCount):
    shots_by = "sequence"
    list_display = ("code", "title", "project", "episode", "shot_count", "casting", "order")
    list_select_related = ("project", "episode")
    list_filter = (("project", MyProjects), ("episode", MyProjects))
    search_fields = ("code", "name", "name_ko")
    form = SequenceForm
    fields = (("project", "code", "order", "period_year"), ("name", "name_ko", "episode"))

    def save_model(self, request: HttpRequest, obj: Sequence, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        created = create_sequence(
            project=obj.project,
            name=obj.name,
            name_ko=obj.name_ko,
            code=obj.code,
            period_year=obj.period_year,
            episode=obj.episode,
            user=person_of(request),
        )
        become(obj, created)

    @admin.display(description=gettext_lazy("casting"))
    def casting(self, row: Sequence) -> SafeString:
        return link(f"{reverse('admin:productions_shot_casting')}?sequence={row.pk}", _("Casting"))


@admin.register(Location)
class LocationAdmin(ShotCount):
    shots_by = "location"
    list_display = ("code", "title", "project", "prompt_text", "shot_count")
    list_select_related = ("project",)
    list_filter = (("project", MyProjects),)
    search_fields = ("code", "name", "name_ko", "prompt", "prompt_ko")
    form = LocationForm
    fields = (("project", "code", "setting"), ("name", "name_ko"), ("prompt", "prompt_ko"))

    @admin.display(description=gettext_lazy("prompt text"))
    def prompt_text(self, location: Location) -> str:
        return spoken(location, "prompt")
