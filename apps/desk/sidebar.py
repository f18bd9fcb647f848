"""Who sees which entry of the sidebar."""

from __future__ import annotations

from django.http import HttpRequest

from apps.notices.selectors import unread_count
from apps.projects.picker import last_project, list_address
from apps.projects.reach import reach_of, sees_farm
from apps.projects.roles import Act

__all__ = ["everybody", "list_of_last_project", "member", "sees_farm", "sees_users", "unread", "watcher"]


def member(request: HttpRequest) -> bool:
    """Anyone with a role in a project."""
    return reach_of(request).anywhere(Act.VIEW)


def watcher(request: HttpRequest) -> bool:
    """Anyone who may look at something of a project: members, and clients at what was shared with them."""
    return reach_of(request).anywhere(Act.WATCH)


def list_of_last_project(request: HttpRequest, name: str, **filters: str) -> str:
    """The address of a list, narrowed to the project that the reader turned to last."""
    return list_address(name, last_project(request), **filters)


def sees_users(request: HttpRequest) -> bool:
    """Those whom Django's permissions let at users."""
    return request.user.has_perm("accounts.view_user")


def everybody(request: HttpRequest) -> bool:
    """Whoever is here: an inbox is everybody's."""
    return True


def unread(request: HttpRequest) -> str:
    """How many notices the reader has not read; "" for none, so that no badge is drawn."""
    count = unread_count(request.user)
    return "99+" if count > 99 else str(count or "")
