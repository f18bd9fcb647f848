"""Pages that say how many jobs will run again before they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.renders.models import Job
from apps.renders.services.requeueing import failures_of, requeue_jobs, requeueable
from apps.renders.words import FAILURES

SHOWN = 100


class NodeFailures(forms.Form):
    """Which failures of a node: of the last so many hours, of one class."""

    hours = forms.IntegerField(
        label=gettext_lazy("of the last (hours)"),
        min_value=1,
        max_value=24 * 365,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1}),
    )
    failure = forms.ChoiceField(
        label=gettext_lazy("failure"), required=False, widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["failure"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", _("any")), *((name, str(label)) for name, label in FAILURES.items())]

    def chosen(self, node: Node) -> QuerySet[Job]:
        """The jobs that the form speaks of; none while it is not valid."""
        if not self.is_valid():
            return Job.objects.none()
        since = database_now() - timedelta(hours=self.cleaned_data["hours"])
        return failures_of(node, since=since, failure_class=self.cleaned_data["failure"])


def ask_to_requeue(
    page: admin.ModelAdmin[Any], request: HttpRequest, jobs: QuerySet[Job]
) -> HttpResponse | None:
    """Answer the action of a job list: the question first, the deed when it comes back confirmed."""
    chosen = requeueable(jobs, user=person_of(request))
    count = chosen.count()
    if not count:
        messages.warning(request, _("None of the selected jobs ended without a take."))
        return None
    if request.POST.get("confirmed"):
        _say(request, requeue_jobs(jobs, user=person_of(request)))
        return None
    everything = request.POST.get("select_across") == "1"
    context = {
        **page.admin_site.each_context(request),
        "title": _title(count),
        "jobs": _shown(chosen),
        "more": max(0, count - SHOWN),
        "fields": [
            ("action", "requeue_jobs"),
            ("confirmed", "1"),
            ("index", "0"),
            ("select_across", "1" if everything else "0"),
            *((helpers.ACTION_CHECKBOX_NAME, key) for key in _ticked(request, everything=everything)),
        ],
        "action": request.get_full_path(),
        "back": reverse("admin:renders_job_changelist"),
    }
    return TemplateResponse(request, "admin/renders/job/confirm_requeue.html", context)


def requeue_node(page: admin.ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    """Requeue what failed on a node: choose, see how many, do it."""
    if not reach_of(request).anywhere(Act.RENDER):
        raise PermissionDenied
    node = get_object_or_404(Node, pk=object_id)
    asked = request.POST if request.method == "POST" else request.GET or {"hours": "24"}
    form = NodeFailures(asked)
    jobs = form.chosen(node)
    if request.method == "POST" and form.is_valid():
        _say(request, requeue_jobs(jobs, user=person_of(request)))
        return HttpResponseRedirect(reverse("admin:nodes_node_change", args=[node.pk]))
    chosen = requeueable(jobs, user=person_of(request))
    count = chosen.count()
    context = {
        **page.admin_site.each_context(request),
        "title": _("Requeue what failed on %(node)s") % {"node": node.name},
        "node": node,
        "form": form,
        "count": count,
        "label": _title(count),
        "jobs": _shown(chosen),
        "more": max(0, count - SHOWN),
    }
    return TemplateResponse(request, "admin/nodes/node/requeue.html", context)


def _ticked(request: HttpRequest, *, everything: bool) -> list[str]:
    ticked = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    return ticked[:1] if everything else ticked


def _shown(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.select_related("shot__sequence", "project").order_by("-created_at")[:SHOWN]


def _title(count: int) -> str:
    return ngettext("Requeue %(count)d job?", "Requeue %(count)d jobs?", count) % {"count": count}


def _say(request: HttpRequest, done: int) -> None:
    messages.success(
        request, ngettext("%(count)d job requeued.", "%(count)d jobs requeued.", done) % {"count": done}
    )
