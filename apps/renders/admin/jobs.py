"""Jobs: what renders, what waits and why, what failed and in whose words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly
from apps.common.errors import NotAllowed, Refused
from apps.common.show import badge, link, tier_text
from apps.nodes.services import STEER
from apps.projects.admin_scope import MyProjects, ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders import cells, selectors
from apps.renders.models import Attempt, Job, JobDependency, Priority
from apps.renders.services import control
from apps.renders.states import OPEN, REQUEUEABLE, JobState
from apps.renders.warnings import warning_sentences
from apps.renders.why import why
from apps.review.gallery import with_files

PRIORITY_TONES = {
    Priority.LOW: "grey",
    Priority.NORMAL: "blue",
    Priority.HIGH: "amber",
    Priority.URGENT: "red",
}


def priority_badge(job: Job) -> SafeString:
    """Show a job's priority class."""
    return badge(job.get_priority_display(), PRIORITY_TONES[Priority(job.priority)])


@admin.register(Job)
class JobAdmin(ReadOnly, ScopedAdmin):
    """Jobs are made by Render; here they are followed, cancelled, requeued, reprioritised."""

    list_display = (
        "code",
        "of_shot",
        "template",
        "size",
        "state_now",
        "urgency",
        "tier",
        "node",
        "take",
        "in_batch",
    )
    list_select_related = ("shot__sequence", "template_version__template", "batch", "project")
    list_filter = (
        ("project", MyProjects),
        ("shot__sequence", MyProjects),
        "state",
        "priority",
        "kind",
        "tier_gb",
        ("template_version__template", MyProjects),
    )
    search_fields = ("code", "batch__code", "shot__code", "shot__sequence__code", "failure_message")
    ordering = ("-created_at",)
    list_per_page = 100
    list_filter_sheet = True  # the width is for the columns
    list_after_template = "admin/renders/job/follow.html"
    change_form_template = "admin/renders/job/page.html"
    actions = ("cancel_jobs", "requeue_jobs", "make_low", "make_normal", "make_high", "make_urgent")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("template_version__graph", "template_version__manifest")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        cells.dress(rows)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/cancel/", view(self.cancel_view), name="renders_job_cancel"),
            path("<path:object_id>/requeue/", view(self.requeue_view), name="renders_job_requeue"),
            path("<path:object_id>/pause/", view(self.pause_view), name="renders_job_pause"),
            path("<path:object_id>/priority/", view(self.priority_view), name="renders_job_priority"),
        ]
        return own + super().get_urls()

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Cancel."""

        def deed(job: Job) -> str | None:
            if control.cancel(job, user=person_of(request)):
                return _("%(job)s is cancelled.") % {"job": job.code}
            messages.warning(request, _("%(job)s was closed already.") % {"job": job.code})
            return None

        return self.perform(request, object_id, Act.RENDER, deed)

    def requeue_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Requeue."""

        def deed(job: Job) -> str | None:
            if control.requeue(job, user=person_of(request)):
                return _("%(job)s is in the queue again.") % {"job": job.code}
            messages.warning(request, _("%(job)s cannot be requeued from its state.") % {"job": job.code})
            return None

        return self.perform(request, object_id, Act.RENDER, deed)

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Pause and Resume."""

        def deed(job: Job) -> str:
            paused = request.POST.get("paused") == "1"
            control.pause(job, paused=paused, user=person_of(request))
            if paused:
                return _("%(job)s is held back; what a node already has goes on.") % {"job": job.code}
            return _("%(job)s goes on.") % {"job": job.code}

        return self.perform(request, object_id, Act.RENDER, deed)

    def priority_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a change of priority."""

        def deed(job: Job) -> str | None:
            wanted = request.POST.get("priority", "")
            if wanted not in map(str, Priority.values):
                messages.error(request, _("“%(wanted)s” is no priority.") % {"wanted": wanted})
                return None
            control.prioritise(job, priority=Priority(int(wanted)), user=person_of(request))
            return _("%(job)s now has priority %(priority)s.") % {
                "job": job.code,
                "priority": Priority(int(wanted)).label,
            }

        return self.perform(request, object_id, Act.RENDER, deed)

    @admin.action(description=gettext_lazy("Cancel…"), permissions=["render"])
    def cancel_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Ask first: rendered time is lost with a cancel."""
        chosen = self._allowed(request, jobs.filter(state__in=OPEN))
        if not chosen:
            messages.warning(request, _("None of the selected jobs is open."))
            return None
        if request.POST.get("confirmed"):
            cancelled = self._each(request, chosen, lambda job: control.cancel(job, user=person_of(request)))
            messages.success(
                request,
                ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", cancelled)
                % {"count": cancelled},
            )
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("Cancel %(count)d job?", "Cancel %(count)d jobs?", len(chosen))
            % {"count": len(chosen)},
            "jobs": chosen,
            "action": "cancel_jobs",
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/renders/job/confirm_cancel.html", context)

    @admin.action(description=gettext_lazy("Requeue"), permissions=["render"])
    def requeue_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        chosen = self._allowed(request, jobs.filter(state__in=REQUEUEABLE))
        requeued = self._each(request, chosen, lambda job: control.requeue(job, user=person_of(request)))
        messages.success(
            request,
            ngettext("%(count)d job requeued.", "%(count)d jobs requeued.", requeued) % {"count": requeued},
        )

    @admin.action(description=gettext_lazy("Priority: low"), permissions=["render"])
    def make_low(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise_all(request, jobs, Priority.LOW)

    @admin.action(description=gettext_lazy("Priority: normal"), permissions=["render"])
    def make_normal(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise_all(request, jobs, Priority.NORMAL)

    @admin.action(description=gettext_lazy("Priority: high"), permissions=["render"])
    def make_high(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise_all(request, jobs, Priority.HIGH)

    @admin.action(description=gettext_lazy("Priority: urgent"), permissions=["render"])
    def make_urgent(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise_all(request, jobs, Priority.URGENT)

    def _prioritise_all(self, request: HttpRequest, jobs: QuerySet[Job], priority: Priority) -> None:
        def deed(job: Job) -> bool:
            control.prioritise(job, priority=priority, user=person_of(request))
            return True

        done = self._each(request, self._allowed(request, jobs.filter(state__in=OPEN)), deed)
        messages.success(
            request,
            _("%(count)d open jobs now have priority %(priority)s.")
            % {"count": done, "priority": priority.label},
        )

    def _allowed(self, request: HttpRequest, jobs: QuerySet[Job]) -> list[Job]:
        rows = list(jobs.select_related("project", "shot__sequence", "template_version__template"))
        if any(not self.may(request, Act.RENDER, job) for job in rows):
            raise PermissionDenied
        return rows

    def _each(self, request: HttpRequest, jobs: list[Job], deed: Callable[[Job], bool]) -> int:
        """Do it to every job; say what was refused; return how many moved."""
        done = 0
        for job in jobs:
            try:
                done += deed(job)
            except (Refused, NotAllowed) as refused:
                messages.error(request, f"{job.code}: {refused}")
        return done

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job: Job = context["original"]
        cells.dress([job])
        attempts = list(Attempt.objects.filter(job=job).select_related("node").order_by("-number"))
        may = self.may(request, Act.RENDER, job)
        take = getattr(job, "take", None)
        context |= {
            "attempts": attempts,
            "story": selectors.story(job),
            "why": why(job),
            "sees_nodes": request.user.has_perm(STEER),
            "warnings": warning_sentences(job.warnings),
            "waits_for": JobDependency.objects.filter(job=job).select_related("depends_on"),
            "waited_for_by": JobDependency.objects.filter(depends_on=job).select_related("job"),
            "take": with_files([take])[0] if take else None,
            "may_cancel": may and job.state in OPEN,
            "may_pause": may and job.state in (JobState.READY, JobState.BLOCKED),
            "may_requeue": may and job.state in REQUEUEABLE,
            "priorities": Priority if may and job.state in OPEN else (),
            "job_list": [job],
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
        return f"{job.width} × {job.height}{frames}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_now(self, job: Job) -> SafeString:
        return cells.cell("state", job)

    @admin.display(description=gettext_lazy("priority"), ordering="priority")
    def urgency(self, job: Job) -> SafeString:
        return priority_badge(job)

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
