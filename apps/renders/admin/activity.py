"""Activity: every state change, who made it and why. Only ever read."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly
from apps.common.models import StateEvent
from apps.common.show import MACHINES, link, moment, state_badge
from apps.nodes.models import Node
from apps.nodes.states import NODE_HOURS
from apps.productions.automations import EVENTS
from apps.productions.models import Shot
from apps.productions.states import LABEL
from apps.projects.admin_scope import FarmAdmin
from apps.projects.models import Project
from apps.projects.reach import reach_of, sees_farm
from apps.projects.roles import Act
from apps.projects.selectors import projects_for
from apps.renders.models import Job, RenderBatch
from apps.renders.words import (
    changes_in_words,
    reason_in_words,
    scope_in_words,
    shot_status_names,
    state_label,
)

NODES: Final = ("node", "node_desired", "node_health", "node_software", NODE_HOURS, "node_block")
"""Machines whose events tell of nodes, which all projects share."""


class MachineFilter(admin.SimpleListFilter):
    """By what moved."""

    title = gettext_lazy("machine")
    parameter_name = "machine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(MACHINES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[StateEvent]) -> QuerySet[StateEvent]:
        return queryset.filter(machine=self.value()) if self.value() else queryset


@admin.register(StateEvent)
class StateEventAdmin(ReadOnly, FarmAdmin):
    """Events of the person's projects, and of nodes."""

    list_display = ("when", "what", "step", "actor", "why")
    list_display_links = None
    list_filter = (MachineFilter,)
    search_fields = ("actor", "reason")
    ordering = ("-id",)
    list_per_page = 100

    def get_queryset(self, request: HttpRequest) -> QuerySet[StateEvent]:
        events: QuerySet[StateEvent] = super().get_queryset(request)
        if reach_of(request).everything:
            return events
        mine = projects_for(request.user, Act.VIEW)
        seen = Q(story__in=Job.objects.filter(project__in=mine).values("pk"))
        seen |= Q(
            machine__in=("shot", LABEL, EVENTS), story__in=Shot.objects.filter(project__in=mine).values("pk")
        )
        seen |= Q(machine="batch_wish", story__in=RenderBatch.objects.filter(project__in=mine).values("pk"))
        seen |= Q(machine="project_wish", story__in=mine.values("pk"))
        if sees_farm(request):
            seen |= Q(machine__in=(*NODES, "farm_wish"))
        return events.filter(seen)

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        stories = {event.story for event in rows}
        names: dict[UUID, tuple[str, str]] = {}
        for job in Job.objects.filter(pk__in=stories).only("code"):
            names[job.pk] = ("admin:renders_job_change", job.code)
        for shot in Shot.objects.filter(pk__in=stories).select_related("sequence"):
            names[shot.pk] = ("admin:productions_shot_change", shot.full_code)
        for node in Node.objects.filter(pk__in=stories).only("name"):
            names[node.pk] = ("admin:nodes_node_change", node.name)
        for batch in RenderBatch.objects.filter(pk__in=stories).only("code"):
            names[batch.pk] = ("admin:renders_renderbatch_change", batch.code)
        for project in Project.objects.filter(pk__in=stories).only("code"):
            names[project.pk] = ("admin:projects_project_change", project.code)
        statuses = shot_status_names()
        for event in rows:
            event.told_of = names.get(event.story)
            event.came_from = state_label(event.machine, event.from_state, statuses)
            event.went_to = state_label(event.machine, event.to_state, statuses)

    @admin.display(description=gettext_lazy("at"), ordering="id")
    def when(self, event: StateEvent) -> str:
        return moment(event.at)

    @admin.display(description=gettext_lazy("what"))
    def what(self, event: Any) -> SafeString:
        if event.told_of is None:
            told = (
                scope_in_words(event.data["scope"]) if "scope" in event.data else MACHINES.get(event.machine)
            )
            return format_html('<span class="sf-dim">{}</span>', told or event.machine)
        page, name = event.told_of
        return format_html(
            "{} <small>{}</small>",
            link(reverse(page, args=[event.story]), name),
            MACHINES.get(event.machine, event.machine),
        )

    @admin.display(description=gettext_lazy("reason"))
    def why(self, event: StateEvent) -> str:
        happened = reason_in_words(str(event.data.get("why", "")))  # what set an automation off
        told = (changes_in_words(event.data), reason_in_words(event.reason), happened)
        return " · ".join(words for words in told if words)

    @admin.display(description=gettext_lazy("step"))
    def step(self, event: Any) -> SafeString:
        return format_html("{} → {}", event.came_from or "·", state_badge(event.to_state, event.went_to))
