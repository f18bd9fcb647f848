"""Jobs: what renders, what waits and why, what failed and in whose words."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly
from apps.common.searching import SearchesByWords, pointing_at
from apps.common.show import link, tier_text
from apps.nodes.models import Node
from apps.nodes.services import STEER
from apps.productions.finding import shots_named
from apps.projects.admin_filters import MyProjects
from apps.projects.roles import Act
from apps.renders import cells, selectors
from apps.renders.admin.fields import clock
from apps.renders.admin.job_actions import JobActions
from apps.renders.admin.job_buttons import JobButtons
from apps.renders.admin.job_filters import DeadlineFilter, HeldFilter, TierFilter
from apps.renders.admin.steer_form import steer_form
from apps.renders.models import Attempt, Job, JobDependency, JobMaterial, RenderBatch
from apps.renders.states import OPEN, REQUEUEABLE, JobState
from apps.renders.warnings import warning_sentences
from apps.renders.why import why
from apps.review.conforming import Lengths, lengths
from apps.review.gallery import with_files
from apps.workflows.models import Kind

LONGEST_NUMBER = 10


@admin.register(Job)
class JobAdmin(SearchesByWords, ReadOnly, JobButtons, JobActions):
    """Jobs are made by Render; here they are followed, cancelled, requeued, reprioritised."""

    list_display = (
        "code",
        "of_shot",
        "template",
        "size",
        "state_now",
        "urgency",
        "conditions",
        "tier",
        "node",
        "take",
        "in_batch",
    )
    list_select_related = (
        "shot__sequence",
        "template_version__template",
        "batch",
        "project",
        "pool",
        "pinned_to",
    )
    list_filter = (
        ("project", MyProjects),
        ("shot__sequence", MyProjects),
        "state",
        "priority",
        HeldFilter,
        DeadlineFilter,
        "kind",
        TierFilter,
        "pool",
        ("template_version__template", MyProjects),
    )
    search_fields = ("code", "batch__code", "shot__code", "pinned_to__name", "tags", "failure_message")
    ordering = ("-created_at",)
    list_per_page = 100
    list_filter_sheet = True  # the width is for the columns
    list_after_template = "admin/renders/job/follow.html"
    shot_path = "shot"
    stage_path = "stage"
    change_form_template = "admin/renders/job/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer(
            "template_version__graph",
            "template_version__manifest",
            "pinned_to__classes",
            "pinned_to__models_by_folder",
        )

    def holding(self, word: str) -> Q:
        """A job's code from its beginning (or its number), its batch, shot, node, tags, what went wrong."""
        return (
            Q(code__startswith=code_said(word))
            | pointing_at("batch", RenderBatch.objects.filter(code__icontains=word))
            | pointing_at("shot", shots_named(word))
            | pointing_at("pinned_to", Node.objects.filter(name__icontains=word))
            | (~Q(tags="") & Q(tags__icontains=word))
            | (~Q(failure_message="") & Q(failure_message__icontains=word))
        )

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        cells.dress(rows)
        for row in rows:
            row.may_steer = row.state in OPEN and self.may(request, Act.RENDER, row)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/cancel/", view(self.cancel_view), name="renders_job_cancel"),
            path("<path:object_id>/requeue/", view(self.requeue_view), name="renders_job_requeue"),
            path("<path:object_id>/pause/", view(self.pause_view), name="renders_job_pause"),
            path("<path:object_id>/priority/", view(self.priority_view), name="renders_job_priority"),
            path("<path:object_id>/steer/", view(self.steer_view), name="renders_job_steer"),
        ]
        return own + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job: Job = context["original"]
        cells.dress([job])
        attempts = list(Attempt.objects.filter(job=job).select_related("node").order_by("-number"))
        may = self.may(request, Act.RENDER, job)
        take = getattr(job, "take", None)
        if take:
            with_files([take])
        context |= {
            "attempts": attempts,
            "peaks": any(attempt.report.get("peak_mib") for attempt in attempts),
            "story": selectors.story(job),
            "why": why(job),
            "sees_nodes": request.user.has_perm(STEER),
            "lengths": _lengths(job, take),
            "warnings": warning_sentences(job.warnings),
            "waits_for": JobDependency.objects.filter(job=job).select_related("depends_on"),
            "waited_for_by": JobDependency.objects.filter(depends_on=job).select_related("job"),
            "take": take,
            "may_cancel": may and job.state in OPEN,
            "asks_cancel": request.GET.get("cancel") == "ask",
            "may_pause": may and job.state in (JobState.READY, JobState.BLOCKED),
            "may_requeue": may and job.state in REQUEUEABLE,
            "conditions": cells.conditions(job),
            "steer": steer_form(request, Job.objects.filter(pk=job.pk))
            if may and job.state in OPEN
            else None,
            "clock": clock(),
            "job_list": [job],
            "job_materials": JobMaterial.objects.filter(job=job).select_related("material").order_by("role"),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("shot"), ordering="shot__code")
    def of_shot(self, job: Job) -> SafeString:
        address = reverse("admin:productions_shot_change", args=[job.shot_id])
        return link(address, f"{job.shot.full_code} · {job.get_kind_display()} {job.take_number}")

    @admin.display(description=gettext_lazy("template"), ordering="template_version__template__slug")
    def template(self, job: Job) -> SafeString:
        return format_html("{}<br><small>{}</small>", job.template_version, job.precision)

    @admin.display(description=gettext_lazy("size"))
    def size(self, job: Job) -> str:
        frames = f" × {job.frames}" if job.frames > 1 else ""
        return f"{job.width} × {job.height}{frames}" if job.width else f"{_('as its source')}{frames}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_now(self, job: Job) -> SafeString:
        return cells.cell("state", job)

    @admin.display(description=gettext_lazy("priority"), ordering="priority")
    def urgency(self, job: Job) -> SafeString:
        shown = cells.cell("priority", job)
        if not getattr(job, "may_steer", False):
            return shown
        return format_html('<span class="sf-row">{}{}</span>', shown, _steps(job))

    @admin.display(description=gettext_lazy("when and where"), ordering="deadline")
    def conditions(self, job: Job) -> SafeString:
        return cells.conditions(job)

    @admin.display(description=gettext_lazy("tier"), ordering="tier_gb")
    def tier(self, job: Job) -> str:
        return tier_text(job.tier_gb)

    @admin.display(description=gettext_lazy("node"))
    def node(self, job: Job) -> SafeString:
        return cells.cell("node", job)

    @admin.display(description=gettext_lazy("take"))
    def take(self, job: Job) -> SafeString:
        return cells.cell("take", job)

    @admin.display(description=gettext_lazy("batch"), ordering="batch__code")
    def in_batch(self, job: Job) -> SafeString:
        return link(reverse("admin:renders_renderbatch_change", args=[job.batch_id]), job.batch.code)


def code_said(word: str) -> str:
    """The beginning of the job code that somebody means: "j000012", or its number alone."""
    numbered = word.isascii() and word.isdigit() and len(word) < LONGEST_NUMBER
    return f"J{int(word):06}" if numbered else word.upper()


def _lengths(job: Job, take: Any) -> Lengths | None:
    """How long the shot is, what was ordered for it, and what came back (until then: what was ordered)."""
    if not job.length or job.kind == Kind.FRAMES:
        return None
    file = take.original if take else None
    return lengths(job.length, frames=file.frames if file else job.frames, fps=file.fps if file else job.fps)


def _steps(job: Job) -> SafeString:
    """Two small buttons that raise and lower the priority where it stands."""
    address = reverse("admin:renders_job_priority", args=[job.pk])
    return format_html_join(
        "",
        '<button type="button" class="sf-step" title="{}" aria-label="{}" hx-post="{}" hx-swap="none" '
        """hx-params="step,csrfmiddlewaretoken" hx-vals='{{"step": "{}"}}'>{}</button>""",
        (
            (label, f"{label}: {job.code}", address, step, sign)
            for step, sign, label in (("up", "▲", _("raise the priority")), ("down", "▼", _("lower it")))
        ),
    )
