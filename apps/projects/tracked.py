"""What is remembered of a project: its settings, and who is in it with which role."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ledger.documents import Children, Computed, Document, Reference, track
from apps.projects.models import Membership, Project
from apps.projects.rates import frame_rate_of
from apps.projects.roles import Act
from apps.projects.selectors import require

PROJECT = Reference(model=Project, of="")
PERSON = Reference(model=User, by=("username",), of="")


def _may_manage(projects: Sequence[Project], user: User) -> None:
    for project in projects:
        require(user, Act.MANAGE, project)


def _rate(told: str) -> dict[str, int]:
    rate = frame_rate_of(told)
    return {"fps_num": rate.numerator, "fps_den": rate.denominator}


track(
    Document(
        model=Project,
        kind="project",
        project="pk",
        left_out=("paused", "paused_by"),  # the farm's wishes, which are events of their own
        computed={
            "fps": Computed(
                columns=("fps_num", "fps_den"),
                read=lambda num, den: str(Fraction(num, den)),
                write=_rate,
                label=_("frames per second"),
            )
        },
        children={
            "members": Children(
                model=Membership,
                parent="project",
                key=("user",),
                references={"user": PERSON},
                label=_("members"),
            ),
        },
        steered=("members",),  # their services keep an admin, and hear of who leaves
        permit=_may_manage,
    )
)
