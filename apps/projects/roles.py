"""Roles in a project, and what each may do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

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

    VIEW = "view"
    PLAN = "plan"  # create and edit sequences, shots, characters, casting
    RENDER = "render"  # submit, cancel, requeue, reprioritise
    REVIEW = "review"  # approve, ask for a retake
    COMMENT = "comment"  # write review notes
    MANAGE = "manage"  # members, settings of the project, deletion


ALLOWED: dict[str, frozenset[Act]] = {
    Role.ADMIN: frozenset(Act),
    Role.COORDINATOR: frozenset({Act.VIEW, Act.PLAN, Act.RENDER, Act.REVIEW, Act.COMMENT}),
    Role.SUPERVISOR: frozenset({Act.VIEW, Act.RENDER, Act.REVIEW, Act.COMMENT}),
    Role.ARTIST: frozenset({Act.VIEW, Act.PLAN, Act.RENDER, Act.COMMENT}),
    Role.CLIENT: frozenset({Act.VIEW, Act.COMMENT}),
}


ACTS: Final[Mapping[Act, Promise]] = {
    Act.VIEW: pgettext_lazy("what a member may do", "view"),
    Act.PLAN: pgettext_lazy("what a member may do", "plan"),
    Act.RENDER: pgettext_lazy("what a member may do", "render"),
    Act.REVIEW: pgettext_lazy("what a member may do", "review"),
    Act.COMMENT: pgettext_lazy("what a member may do", "comment"),
    Act.MANAGE: pgettext_lazy("what a member may do", "manage"),
}
"""The acts in words, for sentences."""


def roles_for(act: Act) -> list[Role]:
    """Return the roles that may do this."""
    return [Role(role) for role, acts in ALLOWED.items() if act in acts]
