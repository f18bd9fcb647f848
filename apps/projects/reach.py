"""What the person behind a request may do where, read once per request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpRequest

from apps.accounts.models import User
from apps.projects.models import Membership
from apps.projects.roles import ALLOWED, Act
from apps.projects.selectors import Person

_REACH: Final = "_shotfarm_reach"
OPERATES: Final = ("nodes.view_node", "nodes.change_node")
"""Django's permissions of those who look after the farm, whether or not they belong to a film."""


@dataclass(frozen=True)
class Reach:
    """What one person may do where, read once per request."""

    everything: bool
    roles: Mapping[UUID, str]

    def may(self, act: Act, project: UUID | None) -> bool:
        """Tell whether the person may do this in this project."""
        return self.everything or (
            project is not None and act in ALLOWED.get(self.roles.get(project, ""), ())
        )

    def anywhere(self, act: Act) -> bool:
        """Tell whether there is a project in which the person may do this."""
        return self.everything or any(act in ALLOWED[role] for role in self.roles.values())


def reach_of(request: HttpRequest) -> Reach:
    """Return what the person behind this request may do; one query per request."""
    found: Reach | None = getattr(request, _REACH, None)
    if found is None:
        found = _read_reach(request.user)
        setattr(request, _REACH, found)
    return found


def sees_farm(request: HttpRequest) -> bool:
    """Tell whether the person sees what all projects share: members do, and whoever looks after nodes."""
    return reach_of(request).anywhere(Act.VIEW) or any(map(request.user.has_perm, OPERATES))


def _read_reach(person: Person) -> Reach:
    if not isinstance(person, User) or not person.is_active:
        return Reach(everything=False, roles={})
    if person.is_superuser:
        return Reach(everything=True, roles={})
    rows = Membership.objects.filter(user=person).values_list("project_id", "role")
    return Reach(everything=False, roles=dict(rows))


def person_of(request: HttpRequest) -> User:
    """Return the user of a request that the admin has let in."""
    if not isinstance(request.user, User):
        raise TypeError("an admin page was asked for by nobody")
    return request.user
