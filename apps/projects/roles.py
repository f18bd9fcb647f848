"""Roles in a project, and what each may do to what. docs/roles.md is made of this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Role(models.TextChoices):
    """A member's role. Superusers may do everything everywhere."""

    ADMIN = "admin", _("admin")
    COORDINATOR = "coordinator", _("coordinator")
    SUPERVISOR = "supervisor", _("supervisor")
    ARTIST = "artist", _("artist")
    CLIENT = "client", _("client")


class Act(StrEnum):
    """Something a member does in a project."""

    WATCH = "watch"  # look at what was shared with the client: playlists, and the takes in them
    VIEW = "view"  # read everything of the project
    COMMENT = "comment"  # write review notes
    PLAN = "plan"  # create and edit sequences, shots, characters, casting
    RENDER = "render"  # submit, cancel, requeue, reprioritise
    REVIEW = "review"  # approve, ask for a retake, select
    MANAGE = "manage"  # members, settings of the project, deletion


class Extent(StrEnum):
    """How far a right reaches within the project."""

    ALL = "all"  # everything, whatever shot or stage it is of
    DEPARTMENT = (
        "department"  # what is of a stage of the member's departments; of every stage if none is named
    )
    ASSIGNED = "assigned"  # what is of a shot that is assigned to the member
    SHARED = "shared"  # what was shared with the client


Extents = frozenset[Extent]

NOTHING: Final[Extents] = frozenset()
_ALL: Final[Extents] = frozenset({Extent.ALL})
_ASSIGNED: Final[Extents] = frozenset({Extent.ASSIGNED})
_SHARED: Final[Extents] = frozenset({Extent.SHARED})
_DEPARTMENT: Final[Extents] = frozenset({Extent.DEPARTMENT})

ALLOWED: Final[Mapping[str, Mapping[Act, Extents]]] = {
    Role.ADMIN: dict.fromkeys(Act, _ALL),
    Role.COORDINATOR: {act: _ALL for act in Act if act is not Act.MANAGE},
    Role.SUPERVISOR: {
        Act.WATCH: _ALL,
        Act.VIEW: _ALL,
        Act.COMMENT: _DEPARTMENT | _ASSIGNED,
        Act.PLAN: _ASSIGNED,
        Act.RENDER: _DEPARTMENT | _ASSIGNED,
        Act.REVIEW: _DEPARTMENT,
    },
    Role.ARTIST: {
        Act.WATCH: _ALL,
        Act.VIEW: _ALL,
        Act.COMMENT: _ASSIGNED,
        Act.PLAN: _ASSIGNED,
        Act.RENDER: _ASSIGNED,
    },
    Role.CLIENT: {Act.WATCH: _SHARED, Act.COMMENT: _SHARED},
}
"""Who may do what to what. What does not stand here is refused."""


ACTS: Final[Mapping[Act, Promise]] = {
    Act.WATCH: pgettext_lazy("what a member may do", "look at what was shared"),
    Act.VIEW: pgettext_lazy("what a member may do", "view"),
    Act.COMMENT: pgettext_lazy("what a member may do", "write notes"),
    Act.PLAN: pgettext_lazy("what a member may do", "plan"),
    Act.RENDER: pgettext_lazy("what a member may do", "render"),
    Act.REVIEW: pgettext_lazy("what a member may do", "review"),
    Act.MANAGE: pgettext_lazy("what a member may do", "manage"),
}
"""The acts in words, for sentences."""

EXTENTS: Final[Mapping[Extent, Promise]] = {
    Extent.ALL: pgettext_lazy("how far a right reaches", "everything"),
    Extent.DEPARTMENT: pgettext_lazy("how far a right reaches", "own departments"),
    Extent.ASSIGNED: pgettext_lazy("how far a right reaches", "assigned shots"),
    Extent.SHARED: pgettext_lazy("how far a right reaches", "what was shared"),
}
"""How far a right reaches, in words."""


def roles_for(act: Act) -> list[Role]:
    """Return the roles that may do this, to something at least."""
    return [Role(role) for role, acts in ALLOWED.items() if act in acts]


def reaches_all(act: Act) -> bool:
    """Tell whether everybody who may do this may do it to everything in the project."""
    return all(ALLOWED[role][act] == _ALL for role in roles_for(act))


def _never() -> bool:
    return False


class Member(Protocol):
    """A membership, as far as rights go."""

    role: str
    departments: Any


@dataclass(frozen=True)
class Standing:
    """What somebody is in one project: their role, and the departments it is limited to (none: all)."""

    role: str
    departments: frozenset[str] = frozenset()

    @classmethod
    def of(cls, membership: Member) -> Standing:
        """What a membership makes of its user."""
        return cls(membership.role, frozenset(membership.departments))

    def extents(self, act: Act) -> Extents:
        """How far this reaches; NOTHING if it is not allowed at all."""
        told = ALLOWED.get(self.role, {}).get(act, NOTHING)
        return _ALL if Extent.DEPARTMENT in told and not self.departments else told

    def may(
        self, act: Act, *, stage: str = "", assigned: Callable[[], bool] = _never, shared: bool = False
    ) -> bool:
        """Tell whether this may be done to something of a stage; ``assigned`` is asked only if it matters."""
        extents = self.extents(act)
        return (
            Extent.ALL in extents
            or (Extent.SHARED in extents and shared)
            or (Extent.DEPARTMENT in extents and stage in self.departments)
            or (Extent.ASSIGNED in extents and assigned())
        )


NOBODY: Final = Standing("")
"""What somebody is in a project that they do not belong to."""
