"""What is done to the jobs ticked in the list, however many: cancel, requeue, pause, priority, change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import say_problems
from apps.common.errors import NotAllowed, Refused
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.renders.admin.fields import clock
from apps.renders.admin.requeueing import ask_to_requeue
from apps.renders.admin.steer_form import SteerForm
from apps.renders.models import Job, Priority
from apps.renders.selectors import WHAT_JOBS_ARE_OF
from apps.renders.services import control
from apps.renders.services.steering import Outcome, Wishes
from apps.renders.states import OPEN

SHOWN = 100
"""Jobs a question lists by name."""


class JobActions(ScopedAdmin):
    """The actions of the list of jobs."""

    actions = (
        "pause_jobs",
        "resume_jobs",
        "make_low",
        "make_normal",
        "make_high",
        "make_urgent",
        "steer_jobs",
        "requeue_jobs",
        "cancel_jobs",
    )

    @admin.action(description=gettext_lazy("Pause"), permissions=["render"])
    def pause_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._change(request, jobs, {"paused": True})

    @admin.action(description=gettext_lazy("Resume"), permissions=["render"])
    def resume_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._change(request, jobs, {"paused": False})

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

    @admin.action(description=gettext_lazy("When and where…"), permissions=["render"])
    def steer_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Ask what to change, then change it."""
        chosen = self._allowed(request, jobs.filter(state__in=OPEN))
        count = chosen.count()
        if not count:
            messages.warning(request, _("None of the selected jobs is open."))
            return None
        form = SteerForm(chosen, request.POST if request.POST.get("confirmed") else None)
        if form.is_valid() and self._steered(request, chosen, form):
            return None
        title = ngettext("Change %(count)d job", "Change %(count)d jobs", count) % {"count": count}
        return self._ask(request, chosen, "steer_jobs", title, form=form, clock=clock())

    @admin.action(description=gettext_lazy("Requeue…"), permissions=["render"])
    def requeue_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Say how many first: a whole list may be chosen."""
        return ask_to_requeue(self, request, jobs)

    @admin.action(description=gettext_lazy("Cancel…"), permissions=["render"])
    def cancel_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Ask first: rendered time is lost with a cancel."""
        chosen = self._allowed(request, jobs.filter(state__in=OPEN))
        count = chosen.count()
        if not count:
            messages.warning(request, _("None of the selected jobs is open."))
            return None
        if request.POST.get("confirmed"):
            dependents = request.POST.get("dependents") == "1"
            try:
                cancelled = control.cancel_jobs(chosen, user=person_of(request), dependents=dependents)
            except NotAllowed as refused:
                messages.error(request, str(refused))
                return None
            messages.success(
                request,
                ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", cancelled)
                % {"count": cancelled},
            )
            return None
        title = ngettext("Cancel %(count)d job?", "Cancel %(count)d jobs?", count) % {"count": count}
        return self._ask(request, chosen, "cancel_jobs", title)

    def _steered(self, request: HttpRequest, jobs: QuerySet[Job], form: SteerForm) -> bool:
        """Change the jobs; False if that was refused, and why stands in the form."""
        wishes = form.wishes()
        if not wishes:
            messages.info(request, _("Nothing was changed."))
            return True
        try:
            outcome = control.change_jobs(
                jobs, wishes, user=person_of(request), reason=form.cleaned_data["reason"]
            )
        except Refused as refused:
            for problem in refused.problems[:SHOWN]:
                field = problem.field if problem.field in form.fields else None
                words = str(problem.message)
                form.add_error(field, f"{problem.value}: {words}" if problem.value else words)
            return False
        tell(request, outcome)
        return True

    def _prioritise_all(self, request: HttpRequest, jobs: QuerySet[Job], priority: Priority) -> None:
        self._change(request, jobs, {"priority": priority})

    def _change(self, request: HttpRequest, jobs: QuerySet[Job], wishes: Wishes) -> None:
        try:
            outcome = control.change_jobs(self._allowed(request, jobs), wishes, user=person_of(request))
        except Refused as refused:
            say_problems(request, refused)
        else:
            tell(request, outcome)

    def _allowed(self, request: HttpRequest, jobs: QuerySet[Job]) -> QuerySet[Job]:
        """The same jobs, if the person may render every one of them."""
        reach = reach_of(request)
        covered = reach.covers(Act.RENDER, **WHAT_JOBS_ARE_OF)
        if not reach.everything and jobs.order_by().exclude(covered).exists():
            raise PermissionDenied
        return jobs

    def _ask(
        self, request: HttpRequest, jobs: QuerySet[Job], action: str, title: str, **more: Any
    ) -> HttpResponse:
        """Ask about a selection; the answer comes back to the same list with the same ticks."""
        shown = jobs.select_related("shot__sequence", "template_version__template")[:SHOWN]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "jobs": shown,
            "more_jobs": max(0, jobs.count() - SHOWN),
            "ticked": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "action": action,
            "back": request.get_full_path(),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            **more,
        }
        template = "steer_many" if action == "steer_jobs" else "confirm_cancel"
        return TemplateResponse(request, f"admin/renders/job/{template}.html", context)


def tell(request: HttpRequest, outcome: Outcome) -> None:
    """Say what became of a selection."""
    changed = len(outcome.changed)
    messages.success(
        request, ngettext("%(count)d job changed.", "%(count)d jobs changed.", changed) % {"count": changed}
    )
    if outcome.in_flight:
        messages.warning(
            request,
            ngettext(
                "%(count)d job is on a node already and stays as it is.",
                "%(count)d jobs are on a node already and stay as they are.",
                len(outcome.in_flight),
            )
            % {"count": len(outcome.in_flight)},
        )
    if outcome.closed:
        messages.info(
            request,
            ngettext("%(count)d job is closed.", "%(count)d jobs are closed.", len(outcome.closed))
            % {"count": len(outcome.closed)},
        )
