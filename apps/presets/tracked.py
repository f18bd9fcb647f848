"""What is remembered of the preset library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from apps.accounts.models import User
from apps.common.errors import lacks_permission
from apps.ledger.documents import Document, Reference, track
from apps.presets.models import CinematicPreset, PresetCategory

CATEGORY = Reference(model=PresetCategory, by=("slug",), of="")


def _may_change(permission: str) -> Callable[[Sequence[Any], User], None]:
    def permit(rows: Sequence[Any], user: User) -> None:
        if not user.has_perm(permission):
            raise lacks_permission(user, permission)

    return permit


track(
    Document(
        model=PresetCategory,
        kind="preset_category",
        label=("slug",),
        project="",
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
        project="",
        references={"category": CATEGORY},
        left_out=("library_hash",),
        permit=_may_change("presets.change_cinematicpreset"),
    )
)
