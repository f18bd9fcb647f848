"""What is remembered of material: what it is called, what it is to its shot, and who took it away."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.documents import BOOKKEEPING, Document, track
from apps.materials.models import Material
from apps.productions.tracked import SEQUENCE, SHOT
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.projects.tracked import PROJECT

_SAID = frozenset({"project", "sequence", "shot", "kind", "name", "removed_by"})
"""Everything else is its file's."""


def _may_plan(materials: Sequence[Material], user: User) -> None:
    gone = [one for one in materials if one._state.adding or one.removed_at is not None]
    if gone:
        told = _("this was taken away; add the file again")
        raise Refused(*(Problem("material", one.name, told, code="gone") for one in gone))
    for material in materials:
        require(user, Act.PLAN, material.project, shot=material.shot_id)


track(
    Document(
        model=Material,
        kind="material",
        label=("name",),
        references={"project": PROJECT, "sequence": SEQUENCE, "shot": SHOT},
        left_out=tuple(
            column.name for column in Material._meta.concrete_fields if column.name not in _SAID | BOOKKEEPING
        ),
        steered=("project", "sequence", "shot", "removed_by"),
        permit=_may_plan,
    )
)
