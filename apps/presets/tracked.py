"""What is remembered of the preset library, the studio's and each project's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.errors import lacks_permission
from apps.ledger.documents import Children, Document, Reference, track
from apps.presets.models import (
    CinematicPreset,
    Look,
    LookPreset,
    PresetCategory,
    PresetOverride,
    PresetRule,
)
from apps.projects.roles import Act
from apps.projects.selectors import require, require_each
from apps.projects.tracked import PROJECT

CATEGORY = Reference(model=PresetCategory, by=("slug",), own="project")
PRESET = Reference(model=CinematicPreset, by=("category__slug", "slug"), own="project")


def _may_change(permission: str) -> Callable[[Sequence[Any], User], None]:
    def permit(rows: Sequence[Any], user: User) -> None:
        require_each(user, Act.PLAN, {row.project_id for row in rows if row.project_id})
        if any(row.project_id is None for row in rows) and not user.has_perm(permission):
            raise lacks_permission(user, permission)

    return permit


def _may_plan(rows: Sequence[PresetOverride], user: User) -> None:
    for row in rows:
        require(user, Act.PLAN, row.project)


track(
    Document(
        model=PresetCategory,
        kind="preset_category",
        label=("slug",),
        references={"project": PROJECT},
        left_out=("library_hash",),
        permit=_may_change("presets.change_presetcategory"),
    )
)
track(
    Document(
        model=CinematicPreset,
        kind="preset",
        label=("category__slug", "slug"),
        joined="/",
        references={"project": PROJECT, "category": CATEGORY},
        left_out=("library_hash",),
        permit=_may_change("presets.change_cinematicpreset"),
    )
)
track(
    Document(
        model=PresetOverride,
        kind="preset_override",
        label=("preset__category__slug", "preset__slug"),
        joined="/",
        references={"project": PROJECT, "preset": PRESET},
        permit=_may_plan,
    )
)
track(
    Document(
        model=Look,
        kind="look",
        label=("slug",),
        references={"project": PROJECT},
        left_out=("library_hash",),
        children={
            "presets": Children(
                model=LookPreset,
                parent="look",
                key=("preset",),
                references={"preset": PRESET},
                ordered="order",
                flat=True,
                label=_("presets"),
            ),
        },
        permit=_may_change("presets.change_look"),
    )
)
track(
    Document(
        model=PresetRule,
        kind="preset_rule",
        label=("slug",),
        references={"project": PROJECT},
        left_out=("library_hash",),
        permit=_may_change("presets.change_presetrule"),
    )
)
