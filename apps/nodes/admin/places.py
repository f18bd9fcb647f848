"""Pools and schedules of nodes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.common.admin import say_problems
from apps.common.errors import Refused
from apps.common.show import NOTHING, badge, link
from apps.nodes.hours import hours_of, windows_in, windows_text
from apps.nodes.models import Pool, Schedule
from apps.nodes.services.places import remove_pool, remove_schedule, save_pool, save_schedule
from apps.projects.admin_scope import FarmAdmin
from apps.projects.reach import person_of


class WithNodes(FarmAdmin):
    """Rows that nodes are sorted into."""

    search_fields = ("name",)
    actions = None  # each is deleted on its own page, by a service that looks who uses it

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(_nodes=Count("nodes"))
        return counted

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Delete, or say who still uses it."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refused:
            say_problems(request, refused)
            return HttpResponseRedirect(
                reverse(f"admin:nodes_{self.opts.model_name}_change", args=[object_id])
            )

    @admin.display(description=_("nodes"), ordering="_nodes")
    def node_count(self, row: Any) -> SafeString:
        address = f"{reverse('admin:nodes_node_changelist')}?{self.opts.model_name}__id__exact={row.pk}"
        return link(address, row._nodes)


@admin.register(Pool)
class PoolAdmin(WithNodes):
    list_display = ("name", "kept", "node_count", "note")
    fields = (("name", "dedicated"), "note")

    def save_model(self, request: HttpRequest, obj: Pool, form: Any, change: bool) -> None:
        save_pool(obj, user=person_of(request))

    def delete_model(self, request: HttpRequest, obj: Pool) -> None:
        remove_pool(obj, user=person_of(request))

    @admin.display(description=_("dedicated"), ordering="dedicated")
    def kept(self, pool: Pool) -> SafeString:
        return badge(_("dedicated"), "amber") if pool.dedicated else NOTHING


class ScheduleForm(forms.ModelForm[Schedule]):
    """Working hours as people write them."""

    hours = forms.CharField(
        label=_("Working hours"),
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 4, "placeholder": "mon-fri 19:00-08:00\nsat,sun 00:00-24:00"}
        ),
        help_text=_(
            "One window a line: days, then a span. An end that is not after its beginning is on the next "
            "day. Outside these hours a node finishes what it has and takes nothing."
        ),
    )

    class Meta:
        model = Schedule
        fields = ("name", "timezone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            self.fields["timezone"].help_text = _("Such as Asia/Seoul or Europe/Berlin.")
        if not self.instance._state.adding:
            hours = hours_of(self.instance.timezone, self.instance.windows)
            self.initial["hours"] = windows_text(hours.windows)

    def clean_hours(self) -> str:
        """A browser ends lines otherwise than history does."""
        hours: str = self.cleaned_data["hours"]
        return "\n".join(hours.splitlines())

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        try:
            windows = windows_in(told.get("hours", ""))
            if "timezone" in told and "hours" in told:
                hours = hours_of(told["timezone"], windows)
                self.instance.windows = [window.as_json() for window in hours.windows]
        except Refused as refused:
            for problem in refused.problems:
                field = "timezone" if problem.field == "timezone" else "hours"
                self.add_error(field, ValidationError(f"“{problem.value}”: {problem.message}"))
        return told


@admin.register(Schedule)
class ScheduleAdmin(WithNodes):
    form = ScheduleForm
    list_display = ("name", "timezone", "plan", "node_count")
    fields = (("name", "timezone"), "hours")

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        save_schedule(obj, user=person_of(request))

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        remove_schedule(obj, user=person_of(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return (("name", "timezone"), "plan")
        return self.fields

    @admin.display(description=_("working hours"))
    def plan(self, schedule: Schedule) -> SafeString:
        try:
            windows = hours_of(schedule.timezone, schedule.windows).windows
        except Refused as refused:
            return badge(str(refused), "red")
        return format_html_join("", "<div>{}</div>", ((str(window),) for window in windows))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ("name", "timezone", "plan")
        return ()
