"""Roles in a project, and what each may do."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A member's role. Superusers may do everything everywhere."""

    ADMIN = "admin", _("admin")
    COORDINATOR = "coordinator", _("coordinator")
    ARTIST = "artist", _("artist")
    VIEWER = "viewer", _("viewer")


class Act(StrEnum):
    """Something a member does in a project."""

    VIEW = "view"
    PLAN = "plan"  # create and edit sequences, shots, characters, casting
    RENDER = "render"  # submit, cancel, requeue, reprioritise
    REVIEW = "review"  # approve, ask for a retake
    MANAGE = "manage"  # members, settings of the project, deletion


ALLOWED: dict[str, frozenset[Act]] = {
    Role.ADMIN: frozenset(Act),
    Role.COORDINATOR: frozenset({Act.VIEW, Act.PLAN, Act.RENDER, Act.REVIEW}),
    Role.ARTIST: frozenset({Act.VIEW, Act.PLAN, Act.RENDER}),
    Role.VIEWER: frozenset({Act.VIEW}),
}


def roles_for(act: Act) -> list[str]:
    """Name the roles that may do this, for error messages."""
    return [str(role) for role, acts in ALLOWED.items() if act in acts]
