"""The project switch, for the header."""

from __future__ import annotations

from typing import Any

from django import template

from apps.projects.picker import last_project, project_of
from apps.projects.reach import reach_of
from apps.projects.roles import Act

register = template.Library()


@register.inclusion_tag("parts/project_switch.html", takes_context=True)
def project_switch(context: template.Context) -> dict[str, Any]:
    """Show which project this page is about, and the way to another."""
    request = context.get("request")
    if request is None or not request.user.is_authenticated or not reach_of(request).anywhere(Act.VIEW):
        return {"shown": False}
    return {
        "shown": True,
        "project": project_of(request),
        "last": last_project(request),
        "next": request.get_full_path(),
    }
