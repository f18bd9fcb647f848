"""What is remembered of a project: its settings, and who is in it with which role."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ledger.documents import Children, Document, Reference, track
from apps.projects.models import Membership, Project
from apps.projects.roles import Act
from apps.projects.selectors import require

PROJECT = Reference(model=Project, of="")
PERSON = Reference(model=User, by=("username",), of="")


def _may_manage(projects: Sequence[Project], user: User) -> None:
    for project in projects:
        require(user, Act.MANAGE, project)


track(
    Document(
        model=Project,
        kind="project",
        project="pk",
        left_out=("paused", "paused_by"),  # the farm's wishes, which are events of their own
        children={
            "members": Children(
                model=Membership,
                parent="project",
                key=("user",),
                references={"user": PERSON},
                label=_("members"),
            ),
        },
        permit=_may_manage,
    )
)
