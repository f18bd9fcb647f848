"""What a studio calls the states of a shot, and what a shot does by itself."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import construct_instance
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from apps.common.admin_forms import name_choices
from apps.common.show import HUES, NOTHING, badge, chips, hue, spoken
from apps.productions.automating import faults_of, may_write, remove_automation, save_automation, seen_by
from apps.productions.models import Automation, Deed, ShotStatus
from apps.productions.states import LEFT_ALONE, SHOT
from apps.productions.statuses import save_status
from apps.projects.admin_choices import PlainChoices
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import FarmAdmin
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.selectors import projects_for
from apps.projects.stages import Stage

FLAGS = ("is_done", "is_wip", "is_feedback_request", "is_retake")
_TOLD = ("title", "where", "sentence", "beginnings")
"""What somebody reads of an automation who may not change it."""


def state_choices() -> list[tuple[str, str]]:
    """The machine's states in the studio's words, in its order."""
    rows = ShotStatus.objects.filter(slug__in=SHOT.states)
    return [(row.slug, spoken(row, "name")) for row in rows]


class StatusForm(forms.ModelForm[ShotStatus]):
    """A new status says which state it is a shade of; afterwards that is fixed."""

    state = forms.ChoiceField(
        label=capfirst(gettext_lazy("state")),
        widget=UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("What may be done with a shot of this status."),
    )
    colour = forms.ChoiceField(label=capfirst(gettext_lazy("colour")), widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colour, own = self.fields.get("colour"), self.instance.colour
        if isinstance(colour, forms.ChoiceField):  # a colour that has two names keeps the one it has
            colour.choices = [(own if name == hue(own) else name, word) for name, word in HUES.items()]
        state = self.fields.get("state")
        if isinstance(state, forms.ChoiceField):
            state.choices = state_choices()


@admin.register(ShotStatus)
class ShotStatusAdmin(FarmAdmin):
    """Rename, recolour, reorder the machine's eight; add shades of a studio's own, archive them."""

    form = StatusForm
    list_display = ("slug", "shown", "of_state", "flags", "renderable", "closed", "order", "offered")
    fields = (
        ("slug", "state"),
        ("name", "name_ko"),
        ("order", "colour"),
        ("renderable", "closed"),
        FLAGS,
        ("is_default", "is_artist_allowed", "archived"),
    )
    ordering = ("order", "slug")
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # shots and their history speak of it: it is archived

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("renderable", "closed")
        return (
            ("slug", "of_state", "archived") if obj.is_own else ("slug", "of_state", "renderable", "closed")
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else (("slug", "of_state"), *self.fields[1:])

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        words = dict(state_choices())
        for row in rows:
            row.state_words = words

    def save_model(self, request: HttpRequest, obj: ShotStatus, form: Any, change: bool) -> None:
        save_status(obj, user=person_of(request))

    @admin.display(description=gettext_lazy("name"))
    def shown(self, status: ShotStatus) -> SafeString:
        return badge(spoken(status, "name"), status.colour)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def of_state(self, status: ShotStatus) -> SafeString | str:
        if status.is_own:
            return NOTHING
        words = getattr(status, "state_words", None) or dict(state_choices())
        return str(words[status.state])

    @admin.display(description=gettext_lazy("means"))
    def flags(self, status: ShotStatus) -> SafeString:
        titles = {column.name: str(column.verbose_name) for column in ShotStatus._meta.fields}
        return chips([titles[flag] for flag in (*FLAGS, "is_default") if getattr(status, flag)])

    @admin.display(description=gettext_lazy("offered"), ordering="archived")
    def offered(self, status: ShotStatus) -> SafeString:
        return badge(_("archived"), "grey") if status.archived else badge(_("offered"), "green")


class AutomationForm(forms.ModelForm[Automation]):
    """When … then …"""

    stage = forms.ChoiceField(
        label=capfirst(gettext_lazy("of the stage")), required=False, widget=UnfoldAdminSelectWidget()
    )
    from_states = forms.MultipleChoiceField(
        label=capfirst(gettext_lazy("only from")),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy(
            "None marked: from every status but final, on hold and omitted, which nothing leaves by itself."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stage, from_states = self.fields.get("stage"), self.fields.get("from_states")
        if isinstance(stage, forms.ChoiceField):
            stage.choices = [("", _("any")), *stage_choices()]
        if isinstance(from_states, forms.MultipleChoiceField):
            from_states.choices = [one for one in state_choices() if one[0] not in LEFT_ALONE]
        if "name" in self.fields and self.instance.builtin:
            self.fields["name"].disabled = True  # releases know theirs by name
        project = self.fields.get("project")
        if isinstance(project, forms.ModelChoiceField):
            project.empty_label = _("every project")

    def clean(self) -> dict[str, Any]:
        """Tell what the service would refuse beside its field; constraints, checked later, tell names."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            for problem in faults_of(construct_instance(self, copy(self.instance))):
                self.add_error(problem.field, str(problem.message))
        return cleaned


def _named(obj: Any) -> str:
    return spoken(obj, "name")


def stage_choices() -> list[tuple[str, Any]]:
    """The stages whose takes can set something off."""
    return list(Stage.choices)


@admin.register(Automation)
class AutomationAdmin(PlainChoices, FarmAdmin):
    """The studio's own by Django's permissions; a project's by those who manage it."""

    form = AutomationForm
    list_display = ("order", "title", "where", "sentence", "active")
    list_display_links = ("order", "title")
    list_select_related = ("project", "status", "target")
    list_filter = (("project", MyProjects), "trigger", "deed", "active")
    list_filter_sheet = True
    search_fields = ("name", "name_ko")
    ordering = ("order", "name")
    actions = None
    fieldsets = (
        (None, {"fields": (("name", "name_ko"), ("project", "order", "active"))}),
        (gettext_lazy("When"), {"fields": (("trigger", "stage", "status"),)}),
        (gettext_lazy("Then"), {"fields": (("deed", "target"), "from_states")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Automation]:
        rows: QuerySet[Automation] = super().get_queryset(request)
        return rows.filter(pk__in=seen_by(person_of(request)).values("pk"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) or reach_of(request).anywhere(Act.MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return may_write(person_of(request), obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return not obj.builtin and may_write(person_of(request), obj, "delete")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("project",) if self.has_change_permission(request, obj) else (*_TOLD, "order", "active")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": (("title", "where"), "sentence", "beginnings", ("order", "active"))}),)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = projects_for(person_of(request), Act.MANAGE)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name in ("status", "target"):
            name_choices(field, _named)
        return field

    def save_model(self, request: HttpRequest, obj: Automation, form: Any, change: bool) -> None:
        save_automation(obj, user=person_of(request))

    def delete_model(self, request: HttpRequest, obj: Automation) -> None:
        remove_automation(obj, user=person_of(request))

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, row: Automation) -> SafeString:
        mark = badge(_("shipped"), "grey") if row.builtin else ""
        edited = badge(_("edited"), "amber") if row.builtin and row.row_version else ""
        return format_html("{} {} {}", automation_name(row), mark, edited)

    @admin.display(description=gettext_lazy("project"), ordering="project__code")
    def where(self, row: Automation) -> str:
        return row.project.code if row.project else _("every project")

    @admin.display(description=gettext_lazy("only from"))
    def beginnings(self, row: Automation) -> SafeString:
        return chips([word for state, word in state_choices() if state in row.from_states])

    @admin.display(description=gettext_lazy("when … then …"))
    def sentence(self, row: Automation) -> str:
        return sentence_of(row)


def automation_name(row: Automation) -> str:
    """Its name in the reader's language; a shipped one's is the farm's own."""
    return _(row.name) if row.builtin else spoken(row, "name")


def sentence_of(row: Automation) -> str:
    """Say the whole rule in one line."""
    when = str(row.get_trigger_display())
    if row.stage:
        when += f" ({dict(stage_choices()).get(row.stage, row.stage)})"
    if row.status is not None:
        when += f": {spoken(row.status, 'name')}"
    then = str(row.get_deed_display())
    if row.deed == Deed.MOVE and row.target is not None:
        then += f": {spoken(row.target, 'name')}"
    return f"{when} → {then}"
