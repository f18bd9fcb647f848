"""Which project a page is about, and which one a person picked last.

Nothing is kept in a session: a page is about the project that its address names (a filter, or the project of
its row). What is remembered of a person only decides what the links of the sidebar begin with.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import User
from apps.common.ids import uuid_in
from apps.projects.models import Project
from apps.projects.selectors import projects_for

FILTER: Final = "project__id__exact"
"""By what every list of a film's rows is narrowed to one project."""
PROJECT_OF_PAGE: Final = "_shotfarm_project"
"""Where a page of one row notes its row's project, on the request."""
_SEEN: Final = "_shotfarm_picked"
MOST_OFFERED: Final = 40


def offered(user: User) -> QuerySet[Project]:
    """The projects a person may turn to, archived ones aside."""
    return projects_for(user).filter(archived=False).order_by("code")


def project_of(request: HttpRequest) -> Project | None:
    """The project that a page is about, None for all of them, or for one that the person does not see."""
    key = getattr(request, PROJECT_OF_PAGE, None) or uuid_in(request.GET.get(FILTER, ""))
    return _among(request).get(key) if key is not None else None


def last_project(request: HttpRequest) -> Project | None:
    """The project that the person picked last, None if none, or if it is not theirs any more."""
    key = getattr(request.user, "last_project_id", None)
    return _among(request).get(key) if key is not None else None


def remember(user: User, project: Project | None) -> None:
    """Remember which project a person picked; None for all of them."""
    User.objects.filter(pk=user.pk).update(last_project_id=project.pk if project else None)


def list_address(name: str, project: Project | None, **filters: str) -> str:
    """The address of a list, narrowed to a project and by other filters."""
    asked = {FILTER: str(project.pk)} if project else {}
    query = urlencode(asked | filters)
    return f"{reverse(name)}?{query}" if query else reverse(name)


def _among(request: HttpRequest) -> dict[UUID, Project]:
    """Those two, among what the person sees: one query a request as a rule, none where neither is named."""
    seen: dict[UUID, Project | None] = getattr(request, _SEEN, {})
    named = (
        getattr(request, PROJECT_OF_PAGE, None),
        uuid_in(request.GET.get(FILTER, "")),
        getattr(request.user, "last_project_id", None),
    )
    unknown = {key for key in named if key is not None} - seen.keys()
    if unknown:
        rows = projects_for(request.user).filter(pk__in=unknown).only("code", "name", "name_ko")
        seen |= dict.fromkeys(unknown) | {project.pk: project for project in rows}
        setattr(request, _SEEN, seen)
    return {key: project for key, project in seen.items() if project is not None}
