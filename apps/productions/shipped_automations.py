"""The automations that come with a release: what a shot does by itself unless a studio switches it off."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_noop

from apps.productions.models import Deed, Trigger
from apps.productions.states import APPROVED, DRAFT, IN_PROGRESS, READY, REVIEW


@dataclass(frozen=True)
class Shipped:
    """One automation that moves a shot, by its name."""

    order: int
    name: str
    trigger: str
    from_states: tuple[str, ...]
    target_id: str


SHIPPED: Final = (
    Shipped(
        1000,
        gettext_noop("a render was submitted"),
        Trigger.RENDER_SUBMITTED,
        (DRAFT, READY),
        IN_PROGRESS,
    ),
    Shipped(1010, gettext_noop("a take came back"), Trigger.TAKE_ARRIVED, (IN_PROGRESS, READY), REVIEW),
    Shipped(
        1020,
        gettext_noop("a take is approved: the shot, too"),
        Trigger.TAKE_APPROVED,
        (READY, IN_PROGRESS, REVIEW),
        APPROVED,
    ),
    Shipped(
        1030,
        gettext_noop("a retake is asked for: ready again"),
        Trigger.TAKE_RETAKE,
        (REVIEW, IN_PROGRESS, APPROVED),
        READY,
    ),
    Shipped(
        1040,
        gettext_noop("an approval is taken back: look at it again"),
        Trigger.APPROVAL_LOST,
        (APPROVED,),
        REVIEW,
    ),
)
"""In the order they are carried out; a studio's own begin at 100."""


def ship(*, apps: Apps, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Write the automations of this release; called after every migrate, and harmless twice.

    A row nobody edited (its version is 0) follows the release. What was edited or switched off stays so: a
    shipped row cannot be deleted.
    """
    if "automation" not in apps.all_models["productions"]:
        return  # migrated back to before there were automations
    rows = apps.get_model("productions", "Automation")._default_manager.using(using)
    known = {row.name: row for row in rows.filter(builtin=True)}
    for shipped in SHIPPED:
        facts = asdict(shipped) | {"from_states": list(shipped.from_states), "deed": str(Deed.MOVE)}
        facts |= {"builtin": True, "trigger": str(shipped.trigger)}
        row = known.get(shipped.name)
        if row is None:
            rows.create(**facts)
        elif row.row_version == 0 and any(getattr(row, name) != value for name, value in facts.items()):
            rows.filter(pk=row.pk, row_version=0).update(**facts)
