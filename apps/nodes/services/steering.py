"""What operators do to nodes. ``user`` None is the farm itself (a command on its own machine)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.lines import lines
from apps.common.machines import move
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.services.health import recover
from apps.nodes.services.hours import keep_hours
from apps.nodes.services.watching import watch_software
from apps.nodes.states import DESIRED, Desired
from apps.nodes.tags import tags_text
from apps.nodes.words import OPERATOR_SAYS_WELL

STEER: Final = "nodes.change_node"
LONGEST_REASON: Final = 200
LONGEST_NOTE: Final = 2_000


class Place(TypedDict, total=False):
    """Where a node belongs. ``tags`` are words."""

    pool: Pool | None
    schedule: Schedule | None
    tags: list[str]


def require_steering(user: User | None) -> None:
    """Raise NotAllowed, naming the permission it takes, unless the user may steer nodes."""
    if user is not None and not user.has_perm(STEER):
        told = _("%(user)s may not steer nodes; that takes the permission %(permission)s")
        raise NotAllowed(told % {"user": user, "permission": STEER})


@contextmanager
def at_version(node: Node, sent: int, *fields: str, user: User) -> Iterator[None]:
    """Change what people set of a node, unless somebody else changed one of these fields meanwhile.

    What the node reports makes no edit stale. Raises Stale, Conflict; then nothing was changed.
    """
    with changing(Node, [node.pk], actor=user):
        require_unchanged(node, sent, *fields)
        yield


def set_desired(node: Node, desired: str, *, user: User | None, reason: str = "") -> bool:
    """Drain, pause or activate a node; False if that is wished already.

    It finishes what it has, also what is staged. It hears so with its next report, within 5 s.
    """
    require_steering(user)
    _bounded("reason", reason, LONGEST_REASON)
    others = tuple(wish for wish in Desired if wish != desired)
    return move(
        DESIRED,
        node,
        from_=others,
        to=Desired(desired),
        actor=_name(user),
        reason=reason or "desired state",
        changes={"desired_by": _name(user), "desired_reason": reason},
    )


def set_note(node: Node, note: str, *, user: User | None) -> None:
    """Pin a maintenance note to a node, signed and dated; an empty one takes it off."""
    require_steering(user)
    note = lines(note).strip()
    _bounded("note", note, LONGEST_NOTE)
    signed = {"note_by": _name(user), "note_at": database_now()} if note else {"note_by": "", "note_at": None}
    with changing(Node, [node.pk], actor=_name(user)):
        Node.objects.filter(pk=node.pk).update(note=note, **signed)


def bound_golden_renders(node: Node, minutes: int | None, *, user: User | None) -> None:
    """Say after how many minutes a golden render is given up on this node; None: as on the whole farm."""
    require_steering(user)
    low, high = settings.MIN_PROVE_MINUTES, settings.MAX_PROVE_MINUTES
    if minutes is not None and not low <= minutes <= high:
        told = _("write minutes from %(low)d to %(high)d, or nothing") % {"low": low, "high": high}
        raise Refused(Problem("prove_minutes", str(minutes), told))
    with changing(Node, [node.pk], actor=_name(user)):
        Node.objects.filter(pk=node.pk).update(prove_minutes=minutes)


def assign(node: Node, *, user: User | None, **place: Unpack[Place]) -> None:
    """Give a node a pool, a schedule, tags: what is named changes. Raises Refused for what is no tag."""
    require_steering(user)
    changes: dict[str, object] = {name: place[name] for name in ("pool", "schedule") if name in place}
    if "tags" in place:
        changes["tags"] = tags_text(place["tags"])
    if "schedule" in place:
        changes |= {"works_until": None, "works_by": ""}
    if changes:
        with changing(Node, [node.pk], actor=_name(user)):
            Node.objects.filter(pk=node.pk).update(**changes)
        keep_hours(database_now())


def work_until(node: Node, until: datetime | None, *, user: User | None) -> None:
    """Let a node work until then, whatever its schedule says; None: as its schedule says again."""
    require_steering(user)
    now = database_now()
    if until is not None and until <= now:
        told = _("that is over; it is %(now)s by the farm's clock") % {
            "now": timezone.localtime(now).isoformat(timespec="seconds")
        }
        raise Refused(Problem("until", until.isoformat(timespec="seconds"), told))
    if until is not None and Node.objects.filter(pk=node.pk, schedule=None).exists():
        told = _("%(node)s has no schedule: it works at all hours") % {"node": node.name}
        raise Refused(Problem("until", until.isoformat(timespec="seconds"), told))
    with changing(Node, [node.pk], actor=_name(user)):
        Node.objects.filter(pk=node.pk).update(works_until=until, works_by=_name(user) if until else "")
    keep_hours(now)


def say_well(node: Node, *, user: User | None) -> bool:
    """Give a node work again that was concluded SICK or DEAF; False if it was not."""
    require_steering(user)
    return recover(node, actor=_name(user), reason=OPERATOR_SAYS_WELL)


def accept_software(node: Node, *, user: User | None) -> None:
    """Take what runs on a node now for what should run there."""
    require_steering(user)
    now = Node.objects.only("software", "software_mark").get(pk=node.pk)
    if not now.software:
        told = _("%(node)s has not told yet what runs there") % {"node": node.name}
        raise Refused(Problem("software", "", told))
    Node.objects.filter(pk=node.pk).update(baseline=now.software, baseline_mark=now.software_mark)
    watch_software()


def _bounded(field: str, text: str, most: int) -> None:
    if len(text) > most:
        raise Refused(Problem(field, f"{text[:40]}…", _("at most %d characters") % most))


def _name(user: User | None) -> str:
    return user.get_username() if user else "operator"
