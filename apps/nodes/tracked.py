"""What is remembered of pools and schedules, and of what people set about a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.errors import Refused, lacks_permission
from apps.ledger.documents import BOOKKEEPING, Computed, Document, Reference, track
from apps.nodes.hours import hours_of, windows_in, windows_text
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.services.steering import require_steering

_SET_BY_PEOPLE: Final = frozenset(
    {"name", "pool", "schedule", "tags", "note", "prove_minutes", "works_until"}
)
"""Everything else of a node is what it reports, what is concluded, or a wish whose events tell all of it."""


def _permission(permission: str) -> Callable[[Sequence[Any], User], None]:
    def permit(rows: Sequence[Any], user: User) -> None:
        if not user.has_perm(permission):
            raise lacks_permission(user, permission)

    return permit


def _steering(nodes: Sequence[Node], user: User) -> None:
    require_steering(user)


def _hours_text(windows: Any) -> str:
    try:
        return windows_text(hours_of("UTC", windows).windows)
    except Refused:
        return str(windows)  # a row that no form let in


def _windows(text: str) -> Mapping[str, Any]:
    return {"windows": [window.as_json() for window in hours_of("UTC", windows_in(text)).windows]}


def _signed(by: str, at: datetime | None) -> str:
    return f"{by} {at.isoformat()}" if at else ""


def _signature(told: str | None) -> Mapping[str, Any]:
    by, _space, at = (told or "").rpartition(" ")
    return {"note_by": by, "note_at": datetime.fromisoformat(at) if at else None}


track(Document(model=Pool, kind="pool", label=("name",), project="", permit=_permission("nodes.change_pool")))
track(
    Document(
        model=Schedule,
        kind="schedule",
        label=("name",),
        project="",
        computed={
            "hours": Computed(
                columns=("windows",), read=_hours_text, write=_windows, label=_("working hours")
            )
        },
        permit=_permission("nodes.change_schedule"),
    )
)
track(
    Document(
        model=Node,
        kind="node",
        label=("name",),
        project="",
        references={
            "pool": Reference(model=Pool, by=("name",), of=""),
            "schedule": Reference(model=Schedule, by=("name",), of=""),
        },
        left_out=tuple(
            column.name
            for column in Node._meta.concrete_fields
            if column.name not in _SET_BY_PEOPLE | BOOKKEEPING
        ),
        computed={
            "signed": Computed(
                columns=("note_by", "note_at"), read=_signed, write=_signature, label=_("note signed")
            )
        },
        steered=("name", "works_until"),
        permit=_steering,
    )
)
