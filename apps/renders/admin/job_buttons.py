"""What the buttons of one job do: cancel, requeue, pause, priority, when and where."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders import cells
from apps.renders.admin.steer_form import SteerForm, steered
from apps.renders.models import Job, Priority
from apps.renders.services import control
from apps.renders.services.steering import Wishes


class JobButtons(ScopedAdmin):
    """The buttons on a job's page and in its row."""

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Cancel (the page has asked already): the job, and, if wished, all that waits for it."""

        def deed(job: Job) -> str | None:
            if request.POST.get("dependents") == "1":
                chosen = Job.objects.filter(pk=job.pk)
                done = control.cancel_jobs(chosen, user=person_of(request), dependents=True)
                return ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", done) % {
                    "count": done
                }
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

        def deed(job: Job) -> str | None:
            paused = request.POST.get("paused") == "1"
            if not control.pause(job, paused=paused, user=person_of(request)):
                messages.warning(request, _("%(job)s was closed already.") % {"job": job.code})
                return None
            if paused:
                return _("%(job)s is held back; what a node already has goes on.") % {"job": job.code}
            return _("%(job)s goes on.") % {"job": job.code}

        return self.perform(request, object_id, Act.RENDER, deed)

    def priority_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a change of priority: to a class, or one step up or down from where it is.

        The list asks by htmx and gets the cell alone.
        """
        seen: list[Job] = []

        def deed(job: Job) -> str | None:
            seen.append(job)
            wanted = _wanted_priority(job, request.POST)
            if wanted is None:
                sent = request.POST.get("priority", "")
                messages.error(request, _("“%(wanted)s” is no priority.") % {"wanted": sent})
                return None
            control.prioritise(job, priority=wanted, user=person_of(request))
            return _("%(job)s now has priority %(priority)s.") % {"job": job.code, "priority": wanted.label}

        answer = self.perform(request, object_id, Act.RENDER, deed)
        if "HX-Request" in request.headers and seen:
            list(messages.get_messages(request))  # the cell itself says it
            return HttpResponse(cells.cell("priority", Job.objects.get(pk=seen[0].pk), swap=True))
        return answer

    def steer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a change of when and where."""

        def deed(job: Job) -> str | None:
            form = SteerForm(Job.objects.filter(pk=job.pk), request.POST)
            page = self.address_of(job)
            return steered(request, page, form, lambda wishes, why: _told(job, wishes, why, request))

        return self.perform(request, object_id, Act.RENDER, deed)


def _wanted_priority(job: Job, sent: QueryDict) -> Priority | None:
    """The priority class a button asks for; None if it is none."""
    classes = list(Priority)
    if (step := sent.get("step")) in ("up", "down"):
        place = classes.index(Priority(job.priority)) + (1 if step == "up" else -1)
        return classes[min(max(place, 0), len(classes) - 1)]
    wanted = sent.get("priority", "")
    return Priority(int(wanted)) if wanted in map(str, Priority.values) else None


def _told(job: Job, wishes: Wishes, reason: str, request: HttpRequest) -> str:
    control.change_job(job, wishes, user=person_of(request), reason=reason)
    return _("%(job)s is changed.") % {"job": job.code}
