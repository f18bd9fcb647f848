"""Batches: what one press of Render asked for, and how far it is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly
from apps.common.show import moment
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.renders import cells
from apps.renders.admin.fields import clock
from apps.renders.admin.job_actions import tell
from apps.renders.admin.steer_form import SteerForm, steer_form, steered
from apps.renders.models import Job, RenderBatch
from apps.renders.outlook import Outlook
from apps.renders.progress import tallies, tally_cell
from apps.renders.selectors import WHAT_JOBS_ARE_OF
from apps.renders.services import control
from apps.renders.services.requeueing import requeueable
from apps.renders.services.steering import Wishes

SHOWN_JOBS = 200


@admin.register(RenderBatch)
class RenderBatchAdmin(ReadOnly, ScopedAdmin):
    list_display = ("code", "project", "note", "progress", "submitted_by", "when")
    list_select_related = ("project", "submitted_by")
    list_filter = (("project", MyProjects),)
    search_fields = ("code", "note")
    ordering = ("-created_at",)
    list_after_template = "admin/renders/renderbatch/follow.html"
    change_form_template = "admin/renders/renderbatch/page.html"

    def may(self, request: HttpRequest, act: Act, row: Any = None) -> bool:
        """A batch is of the shots and stages of its jobs: what is done to it takes the right to each."""
        if row is None or act is not Act.RENDER:
            return super().may(request, act, row)
        return reach_of(request).may_each(act, row.project_id, row.jobs.all(), **WHAT_JOBS_ARE_OF)

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        counted = tallies([row.pk for row in rows])
        for row in rows:
            row.tally = counted[row.pk]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/cancel/",
                self.admin_site.admin_view(self.cancel_view),
                name="renders_renderbatch_cancel",
            ),
            path(
                "<path:object_id>/pause/",
                self.admin_site.admin_view(self.pause_view),
                name="renders_renderbatch_pause",
            ),
            path(
                "<path:object_id>/requeue/",
                self.admin_site.admin_view(self.requeue_view),
                name="renders_renderbatch_requeue",
            ),
            path(
                "<path:object_id>/steer/",
                self.admin_site.admin_view(self.steer_view),
                name="renders_renderbatch_steer",
            ),
        ]
        return own + super().get_urls()

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Cancel what is open” (the page has asked already)."""

        def deed(batch: RenderBatch) -> str:
            cancelled = control.cancel_batch(batch, user=person_of(request))
            told = ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", cancelled)
            return told % {"count": cancelled}

        return self.perform(request, object_id, Act.RENDER, deed)

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Pause and Resume."""

        def deed(batch: RenderBatch) -> str:
            paused = request.POST.get("paused") == "1"
            reason = request.POST.get("reason", "").strip()[:200]
            control.pause_batch(batch, paused=paused, user=person_of(request), reason=reason)
            if paused:
                return _("%(batch)s is held back; what a node already has goes on.") % {"batch": batch.code}
            return _("%(batch)s goes on.") % {"batch": batch.code}

        return self.perform(request, object_id, Act.RENDER, deed)

    def requeue_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Requeue what failed” (the page has asked already)."""

        def deed(batch: RenderBatch) -> str:
            done = control.requeue_batch(batch, user=person_of(request))
            return ngettext("%(count)d job requeued.", "%(count)d jobs requeued.", done) % {"count": done}

        return self.perform(request, object_id, Act.RENDER, deed)

    def steer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a change of priority, times or place for every open job of the batch."""

        def deed(batch: RenderBatch) -> str | None:
            def change(wishes: Wishes, reason: str) -> None:
                tell(request, control.change_batch(batch, wishes, user=person_of(request), reason=reason))

            form = SteerForm(Job.objects.filter(batch=batch), request.POST)
            return steered(request, self.address_of(batch), form, change)

        return self.perform(request, object_id, Act.RENDER, deed)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        batch: RenderBatch = context["original"]
        jobs = Job.objects.filter(batch=batch).select_related("shot__sequence", "template_version__template")
        jobs = jobs.defer("template_version__graph", "template_version__manifest")
        tally = tallies([batch.pk])[batch.pk]
        may_render = self.may(request, Act.RENDER, batch)
        context |= {
            "jobs": cells.dress(jobs.order_by("created_at", "code")[:SHOWN_JOBS]),
            "tally": tally,
            "eta": Outlook().of_batch(batch) if tally.open else None,
            "more_jobs": max(0, tally.total - SHOWN_JOBS),
            "may_pause": may_render and (tally.open > 0 or batch.paused),
            "may_cancel": may_render and tally.open > 0,
            "steer": steer_form(request, Job.objects.filter(batch=batch))
            if may_render and tally.open
            else None,
            "clock": clock(),
            "asks": request.GET.get("cancel") == "ask",
            "asks_requeue": request.GET.get("requeue") == "ask",
            "requeueable": requeueable(batch.jobs.all(), user=person_of(request)).count(),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, batch: Any) -> SafeString:
        return tally_cell(batch, batch.tally)

    @admin.display(description=gettext_lazy("submitted"), ordering="created_at")
    def when(self, batch: RenderBatch) -> str:
        return moment(batch.created_at)
