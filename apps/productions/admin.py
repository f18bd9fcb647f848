"""The plan of a shot, and the lists of shots.

The rendering side of the shot pages (thumbnails, jobs, Render) is added by apps.renders, which
registers its own, richer ShotAdmin over this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.common.admin_forms import become
from apps.common.show import chips, spoken
from apps.productions import (  # noqa: F401 - they register their pages
    admin_characters,
    admin_outline,
    admin_statuses,
)
from apps.productions.admin_assigning import AssignedFilter, AssignsShots
from apps.productions.admin_bulk import ChangesMany
from apps.productions.admin_buttons import PressesShots
from apps.productions.admin_casting import CastsShots
from apps.productions.admin_columns import ShotColumns
from apps.productions.admin_filters import MeaningFilter, StatusFilter
from apps.productions.admin_forms import CastingForm, CastingFormSet, ShotForm
from apps.productions.admin_library import UsedPresetAdmin, WornLookAdmin
from apps.productions.admin_list import LooksAtShots
from apps.productions.editing import RULED, check_presets, set_presets
from apps.productions.models import Shot, ShotCharacter, ShotPreset
from apps.productions.preset_apply import used_by
from apps.productions.preset_check import preset_check_view
from apps.productions.preset_filter import WearsLook
from apps.productions.preset_looks import looks_of
from apps.productions.preset_pages import open_page, presets_view
from apps.productions.services import ShotFields, create_shot, statuses_from
from apps.projects.admin_choices import label_of
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin, ScopedInline
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act

__all__ = ["ShotAdmin", "UsedPresetAdmin", "WornLookAdmin"]


class CastingInline(ScopedInline):
    model = ShotCharacter
    form = CastingForm
    formset = CastingFormSet
    fields = (
        *("character", "costume", "costume_override", "costume_override_ko"),
        *("action", "action_ko", "lora_weight", "order"),
    )
    paths_to_project = {"costume": "character__project"}
    grouped_by = {"costume": lambda costume: label_of(costume.character)}

    def choices_for(self, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        rows = super().choices_for(db_field, request)
        return rows.select_related("character") if rows is not None and db_field.name == "costume" else rows


@admin.register(Shot)
class ShotAdmin(LooksAtShots, PressesShots, ShotColumns, CastsShots, ChangesMany, AssignsShots, ScopedAdmin):
    """The plan of a shot: what happens, who is in it, where, how it is framed."""

    form = ShotForm
    shot_path = "pk"
    list_display: tuple[str, ...] = (
        *("name", "rank", "what", "cast", "place", "weather", "used_presets"),
        *("length", "condition", "people", "note"),
    )
    list_display_links: tuple[str, ...] = ("name",)
    list_select_related = ("sequence", "status", "studio_status", "location", "project")
    list_filter: ClassVar[tuple[Any, ...]] = (
        ("project", MyProjects),
        ("sequence", MyProjects),
        StatusFilter,
        MeaningFilter,
        AssignedFilter,
        ("characters", MyProjects),
        ("location", MyProjects),
        ("presets", MyProjects),
        WearsLook,
    )
    stands_for: ClassVar[Mapping[str, str]] = {"continuity_from": "continues", "presets": "picked"}
    search_fields = ("code", "sequence__code", "description", "description_ko", "dialogue", "notes")
    ordering = ("sequence__order", "order", "code")
    actions: tuple[str, ...] = (
        *("mark_ready", "put_on_hold", "change_shots", "cast_shots", "give_presets", "assign_shots"),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("sequence", "location"),
                    ("code", "frames", "handles", "cut_in"),
                    ("continues", "continuity_keep", "continuity_frames"),
                    ("weather", "time_of_day", "seed"),
                    ("description", "description_ko"),
                    ("dialogue", "negative"),
                    ("notes", "order"),
                )
            },
        ),
        (gettext_lazy("Presets"), {"fields": ("picked", "preset_override")}),
    )

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        # Who may be cast is known once the shot has its project.
        return (CastingInline,) if obj is not None else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        cast = Prefetch("casting", ShotCharacter.objects.select_related("character"))
        return super().get_queryset(request).prefetch_related(cast, "assignees")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        prefetch_related_objects(rows, Prefetch("shot_presets", ShotPreset.objects.select_related("preset")))

    def save_model(self, request: HttpRequest, obj: Shot, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        told = {name: getattr(obj, name) for name in form.cleaned_data if name in ShotFields.__annotations__}
        told["continuity_from"] = obj.continuity_from
        created = create_shot(sequence=obj.sequence, code=obj.code, user=person_of(request), **told)
        become(obj, created)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "picked" in form.changed_data:
            set_presets(form.instance, form.cleaned_data["picked"])
        if RULED.union({"picked", "sequence"}) & set(form.changed_data):
            check_presets(form.instance)

    def _fields_of_form(self, request: HttpRequest, row: Any, document: Any) -> set[str]:
        """What somebody else did to the presets is this form's business: it holds the picker."""
        return super()._fields_of_form(request, row, document) | {"presets"}

    @admin.display(description=gettext_lazy("presets"))
    def picked(self, shot: Shot) -> SafeString:
        """What the picker says to those who may not change it."""
        used = used_by([shot])[shot.pk] if shot.pk else []
        return chips([spoken(preset, "name") for preset in used])

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A locked shot's page is to read."""
        return not (obj is not None and obj.locked) and super().has_change_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("presets/", self.admin_site.admin_view(self.presets_page), name="productions_shot_presets"),
            path(
                "preset-check/",
                self.admin_site.admin_view(preset_check_view),
                name="productions_shot_preset_check",
            ),
        ]
        return own + super().get_urls()

    @admin.action(description=gettext_lazy("Presets and looks…"), permissions=["edit"])
    def give_presets(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse:
        return open_page(self, request, shots.values_list("pk", flat=True))

    def presets_page(self, request: HttpRequest) -> HttpResponse:
        """Show what giving presets comes to, or do it."""
        return presets_view(self, request)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shot = context.get("original")
        if shot is not None:
            context["shot_looks"] = looks_of(shot)
            context["may_keep_look"] = reach_of(request).may(Act.PLAN, shot.project_id)
            context |= self.assigning_of(request, shot)
            context["may_lock"] = self.may(request, Act.PLAN, shot)
            context["next_statuses"] = [
                status
                for status in statuses_from(shot).values()
                if self.may_move(request, shot, status.state)
            ]
        return super().render_change_form(request, context, *args, **kwargs)
