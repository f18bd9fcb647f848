"""Sequences, shots, locations: the plan of a film.

The rendering side of the shot pages (thumbnails, jobs, Render) is added by apps.renders, which
registers its own, richer ShotAdmin over this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin_forms import become
from apps.common.counting import count_of
from apps.common.show import NOTHING, badge, chips, clamped, icon, link, spoken
from apps.productions import admin_characters, admin_statuses  # noqa: F401 - they register their pages
from apps.productions.admin_assigning import AssignedFilter, AssignsShots
from apps.productions.admin_bulk import ChangesMany
from apps.productions.admin_casting import CastsShots
from apps.productions.admin_cells import STATUS, EditsCells
from apps.productions.admin_filters import MeaningFilter, StatusFilter
from apps.productions.admin_forms import CastingForm, EpisodeForm, LocationForm, SequenceForm, ShotForm
from apps.productions.admin_library import UsedPresetAdmin, WornLookAdmin
from apps.productions.admin_list import LooksAtShots
from apps.productions.editing import RULED, check_presets, set_presets
from apps.productions.locking import lock_shot, unlock_shot
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter
from apps.productions.preset_apply import used_by
from apps.productions.preset_check import preset_check_view
from apps.productions.preset_filter import WearsLook
from apps.productions.preset_looks import look_from_shot, looks_of
from apps.productions.preset_pages import open_page, presets_view
from apps.productions.services import (
    ShotFields,
    act_of_move,
    create_episode,
    create_sequence,
    create_shot,
    move_shot_status,
    move_shots,
    statuses_from,
)
from apps.productions.states import ON_HOLD, READY, SHOT
from apps.projects.admin_scope import MyProjects, ScopedAdmin, ScopedInline, label_of
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act

__all__ = ["ShotAdmin", "UsedPresetAdmin", "WornLookAdmin"]


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


class CastingInline(ScopedInline):
    model = ShotCharacter
    form = CastingForm
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
class ShotAdmin(LooksAtShots, EditsCells, CastsShots, ChangesMany, AssignsShots, ScopedAdmin):
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
        return super().get_queryset(request).prefetch_related("casting__character", "assignees")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        prefetch_related_objects(rows, "shot_presets__preset")

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

    def may_move(self, request: HttpRequest, shot: Shot, to: str) -> bool:
        """Tell whether the machine and the person's role allow this step."""
        now = str(shot.status_id)
        there = to == now  # another shade of it
        return (there or to in SHOT.moves.get(now, ())) and self.may(request, act_of_move(now, to), shot)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A locked shot's page is to read."""
        return not (obj is not None and obj.locked) and super().has_change_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"productions_shot_{name}"
            )
            for name, view in (
                ("status", self.move_view),
                ("lock", self.lock_view),
                ("unlock", self.unlock_view),
                ("keep_look", self.keep_look_view),
            )
        ]
        own += [
            path("presets/", self.admin_site.admin_view(self.presets_page), name="productions_shot_presets"),
            path(
                "preset-check/",
                self.admin_site.admin_view(preset_check_view),
                name="productions_shot_preset_check",
            ),
        ]
        return own + super().get_urls()

    def lock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the lock button of the shot page."""

        def deed(shot: Shot) -> str:
            mine = lock_shot(shot, user=person_of(request))
            return _("Locked.") if mine else _("Somebody else was quicker; see the status now.")

        return self.perform(request, object_id, Act.PLAN, deed)

    def unlock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the unlock button of the shot page."""

        def deed(shot: Shot) -> str:
            mine = unlock_shot(shot, user=person_of(request))
            return _("Unlocked.") if mine else _("Somebody else was quicker; see the status now.")

        return self.perform(request, object_id, Act.PLAN, deed)

    @admin.action(description=gettext_lazy("Mark as ready"), permissions=["edit"])
    def mark_ready(self, request: HttpRequest, shots: QuerySet[Shot]) -> None:
        self._move_all(request, shots, READY)

    @admin.action(description=gettext_lazy("Put on hold"), permissions=["edit"])
    def put_on_hold(self, request: HttpRequest, shots: QuerySet[Shot]) -> None:
        self._move_all(request, shots, ON_HOLD)

    @admin.action(description=gettext_lazy("Presets and looks…"), permissions=["edit"])
    def give_presets(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse:
        return open_page(self, request, shots.values_list("pk", flat=True))

    def presets_page(self, request: HttpRequest) -> HttpResponse:
        """Show what giving presets comes to, or do it."""
        return presets_view(self, request)

    def keep_look_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep the shot's presets as a look of its film."""

        def deed(shot: Shot) -> str:
            look = look_from_shot(shot, name=request.POST.get("name", ""), user=person_of(request))
            return _("Kept as the look “%(look)s”.") % {"look": look}

        return self.perform(request, object_id, Act.PLAN, deed)

    def _move_all(self, request: HttpRequest, shots: QuerySet[Shot], to: str) -> None:
        movable = [shot for shot in shots if to != shot.status_id and self.may_move(request, shot, to)]
        moved = move_shots(movable, to=to, user=person_of(request))
        if moved:
            messages.success(request, _("%(moved)d shots changed.") % {"moved": moved})
        if len(shots) > moved:
            left = _("%(left)d shots stay as they are: their status or your role does not allow this step.")
            messages.warning(request, left % {"left": len(shots) - moved})

    def move_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a status button of the shot page."""
        to = request.POST.get("to", "")

        def deed(shot: Shot) -> str:
            if not self.may(request, act_of_move(str(shot.status_id), to), shot):
                raise PermissionDenied
            moved = move_shot_status(shot, to=to, user=person_of(request))
            return _("Status changed.") if moved else _("Somebody else was quicker; see the status now.")

        return self.perform(request, object_id, Act.VIEW, deed)

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

    @admin.display(description=gettext_lazy("shot"), ordering="sequence__order")
    def name(self, shot: Shot) -> str:
        return shot.full_code

    @admin.display(description=gettext_lazy("order"))
    def rank(self, shot: Shot) -> SafeString:
        """Its place in the sequence; shotlist.js makes a handle of it where shots may be put in order."""
        return format_html('<span class="sf-rank" data-shot="{}">{}</span>', shot.pk, shot.order)

    @admin.display(description=gettext_lazy("description"))
    def what(self, shot: Shot) -> SafeString:
        return self.editable(shot, "what", clamped(spoken(shot, "description")))

    @admin.display(description=gettext_lazy("cast"))
    def cast(self, shot: Shot) -> SafeString:
        return chips([spoken(cast.character, "name") for cast in shot.casting.all()])

    @admin.display(description=gettext_lazy("location"), ordering="location__code")
    def place(self, shot: Shot) -> SafeString:
        return self.editable(shot, "place", spoken(shot.location, "name") if shot.location else NOTHING)

    @admin.display(description=gettext_lazy("weather"), ordering="weather")
    def weather(self, shot: Shot) -> SafeString:
        told = [str(one) for one in (shot.get_weather_display(), shot.get_time_of_day_display()) if one]
        return self.editable(shot, "weather", " · ".join(told) or NOTHING)

    @admin.display(description=gettext_lazy("presets"))
    def used_presets(self, shot: Shot) -> SafeString:
        return chips([spoken(used.preset, "name") for used in shot.shot_presets.all()], at_most=2)

    @admin.display(description=gettext_lazy("frames"), ordering="frames")
    def length(self, shot: Shot) -> SafeString:
        told = f"{shot.frames} · {shot.frames / shot.project.fps:.1f} s"
        if shot.handles:
            handles = _("%(count)d frames of handles on each side") % {"count": shot.handles}
            shown = format_html('{}<br><small title="{}">± {}</small>', told, handles, shot.handles)
            return self.editable(shot, "length", shown)
        return self.editable(shot, "length", told)

    @admin.display(description=gettext_lazy("notes"))
    def note(self, shot: Shot) -> SafeString:
        return self.editable(shot, "note", clamped(shot.notes))

    @admin.display(description=gettext_lazy("status"), ordering="status__order")
    def condition(self, shot: Shot) -> SafeString:
        shown = badge(spoken(shot.shown_status, "name"), shot.shown_status.colour)
        if shot.locked:
            who = _("locked by %(user)s") % {"user": shot.locked_by}
            shown = format_html('{} <span class="sf-lock" title="{}">{}</span>', shown, who, icon("lock"))
        shown = self.editable(shot, STATUS, shown)
        if not shot.retake_count:
            return shown
        told = ngettext("%(count)d retake", "%(count)d retakes", shot.retake_count)
        return format_html("{}<small>{}</small>", shown, told % {"count": shot.retake_count})
