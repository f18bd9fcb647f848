"""What is remembered of the preset library, the studio's and each project's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused, lacks_permission
from apps.ledger.documents import Children, Document, Reference, track
from apps.presets.models import (
    CinematicPreset,
    LibraryModel,
    Look,
    LookPreset,
    PresetCategory,
    PresetOverride,
    PresetRule,
)
from apps.presets.selectors import preset_names
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


def _named_once(model: type[LibraryModel], *within: str) -> Callable[[Mapping[Any, Any]], None]:
    """What history brings back takes no key that a film's row and the studio's would then share."""

    def check(values: Mapping[Any, Any]) -> None:
        same = model._default_manager.filter(**{name: OuterRef(name) for name in (*within, "slug")})
        films, studios = same.filter(project__isnull=False), same.filter(project=None)
        both = (Q(project=None) & Exists(films)) | (Q(project__isnull=False) & Exists(studios))
        told = gettext("something else has taken its place meanwhile (a code that is in use again, perhaps)")
        shared = model._default_manager.filter(both, pk__in=list(values))
        if problems := [Problem("slug", str(row), told, code="taken") for row in shared]:
            raise Refused(*problems)

    return check


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
        check=_named_once(PresetCategory),
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
        check=_named_once(CinematicPreset, "category__slug"),
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
        check=_named_once(Look),
        spoken={"presets": preset_names},
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
        check=_named_once(PresetRule),
    )
)
