"""The project switch in the header: which projects there are, and the press that turns to one of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.common.ids import uuid_in
from apps.projects.admin_scope import back_to
from apps.projects.models import Project
from apps.projects.picker import FILTER, MOST_OFFERED, list_address, offered, remember
from apps.projects.reach import person_of

SHOTS = "admin:productions_shot_changelist"
HOME = "admin:index"


@require_safe
def choices_view(request: HttpRequest) -> HttpResponse:
    """The inside of the opened switch: the person's projects, as many as fit."""
    projects = list(offered(person_of(request))[: MOST_OFFERED + 1])
    context = {
        "projects": projects[:MOST_OFFERED],
        "more": len(projects) > MOST_OFFERED,
        "next": request.GET.get("next", ""),
        "chosen": request.GET.get("chosen", ""),
    }
    return TemplateResponse(request, "parts/project_choices.html", context)


@require_POST
def choose_view(request: HttpRequest) -> HttpResponse:
    """Remember the project that was picked, and show the page as it is for that project."""
    person, told = person_of(request), request.POST.get("project", "")
    project: Project | None = None
    if told:
        key = uuid_in(told)
        project = offered(person).filter(pk=key).first() if key is not None else None
        if project is None:
            raise Http404
    remember(person, project)
    if project is not None:
        messages.success(request, _("You are in %(project)s now.") % {"project": project.code})
    return HttpResponseRedirect(_address(back_to(request, ""), project))


def _address(before: str, project: Project | None) -> str:
    """The same list for that project; from any other page its shots, or home for all projects."""
    try:
        found = resolve(urlsplit(before).path)
    except Resolver404:
        return list_address(SHOTS, project) if project else reverse(HOME)
    name = f"{found.namespace}:{found.url_name}" if found.namespace else found.url_name or ""
    if name in lists_by_project():
        return list_address(name, project)
    return list_address(SHOTS, project) if project else before


def lists_by_project() -> set[str]:
    """The lists that can be narrowed to a project."""
    return {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        for model, page in admin.site._registry.items()
        if any(one[0] == FILTER.partition("__")[0] for one in page.list_filter if isinstance(one, tuple))
    }
