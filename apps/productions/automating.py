"""Automations are written, changed, switched off: what makes no sense or goes round is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused, lacks_permission
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.productions.models import Automation, Deed, Trigger
from apps.productions.states import LEFT_ALONE, SHOT, way
from apps.projects.roles import Act
from apps.projects.selectors import projects_for, require
from apps.projects.stages import Stage

OF_STATUSES: Final = (Trigger.SHOT_REACHED, Trigger.SEQUENCE_REACHED)
OF_TAKES: Final = (
    Trigger.TAKE_ARRIVED,
    Trigger.TAKE_APPROVED,
    Trigger.TAKE_SELECTED,
    Trigger.TAKE_RETAKE,
    Trigger.APPROVAL_LOST,
)


def seen_by(user: User) -> QuerySet[Automation]:
    """The studio's automations and those of the person's projects."""
    return Automation.objects.filter(Q(project=None) | Q(project__in=projects_for(user)))


def may_write(user: User, row: Automation, verb: str = "change") -> bool:
    """Tell whether somebody may add, change or delete: the studio's by Django's permission, a project's by
    managing it.
    """
    if row.project is None:
        return user.has_perm(f"productions.{verb}_automation")
    return projects_for(user, Act.MANAGE).filter(pk=row.project.pk).exists()


def save_automation(row: Automation, *, user: User | None) -> Automation:
    """Write a new or changed automation. Raises Refused with all that is wrong, NotAllowed."""
    new = row._state.adding
    _require(user, row, "add" if new else "change")
    with changing(Automation, [] if new else [row.pk], actor=user) as change:
        require_sound(row)
        clean(row)
        if not new:
            row.row_version = Automation.objects.values_list("row_version", flat=True).get(pk=row.pk) + 1
        row.save(force_insert=new)
        if new:
            change.born(row)
    return row


def remove_automation(row: Automation, *, user: User | None) -> None:
    """Delete one that a studio wrote. Raises Refused for a shipped one: that is switched off."""
    _require(user, row, "delete")
    if row.builtin:
        told = _("this came with the release; switch it off instead")
        raise Refused(Problem("automation", row.name, told, code="shipped"))
    with changing(Automation, [row.pk], actor=user):
        row.delete()


def _require(user: User | None, row: Automation, verb: str) -> None:
    if user is None:
        return
    if row.project is not None:
        require(user, Act.MANAGE, row.project)
    elif not user.has_perm(permission := f"productions.{verb}_automation"):
        raise lacks_permission(user, permission)


def require_sound(row: Automation) -> None:
    """Raise Refused, with all that is wrong, unless an automation makes sense and goes round with no other.

    Holds the others until the transaction ends, which there must be.
    """
    if problems := list(faults_of(row)):
        raise Refused(*problems)
    others = Automation.objects.select_for_update(of=("self",)).select_related("status", "target")
    round_ = _goes_round(row, [one for one in others.filter(active=True) if one.pk != row.pk])
    if round_ and row.active:
        names = " → ".join(f"“{one.name}”" for one in round_)
        told = _("this would go round for ever: %s") % names
        raise Refused(Problem("target", row.target.name if row.target else "", told, code="goes_round"))


def faults_of(row: Automation) -> Iterator[Problem]:
    """Tell, field by field, why an automation as it stands makes no sense."""
    if row.trigger not in Trigger.values:
        yield Problem("trigger", row.trigger, _("choose one of: %s") % ", ".join(Trigger.values))
    if row.deed not in Deed.values:
        yield Problem("deed", row.deed, _("choose one of: %s") % ", ".join(Deed.values))
    if row.trigger in OF_STATUSES and row.status is None:
        yield Problem("status", "", _("say which status it waits for"), code="required")
    elif row.trigger not in OF_STATUSES and row.status is not None:
        yield Problem("status", row.status.slug, _("this is for statuses that are reached; leave it empty"))
    if row.stage and row.stage not in Stage.values:
        yield Problem("stage", row.stage, _("choose one of: %s") % ", ".join(Stage.values))
    if row.stage and row.trigger not in OF_TAKES:
        yield Problem("stage", row.stage, _("only a take has a stage; leave it empty"))
    if row.deed == Deed.SELECT and row.trigger not in (set(OF_TAKES) - {Trigger.TAKE_SELECTED}):
        yield Problem("deed", row.deed, _("a take can be selected only when one comes or is judged"))
    unknown = [state for state in row.from_states if state not in SHOT.states or state in LEFT_ALONE]
    if unknown:
        known = ", ".join(state for state in SHOT.states if state not in LEFT_ALONE)
        yield Problem("from_states", ", ".join(map(str, unknown)), _("choose among: %s") % known)
    yield from _wrong_target(row)


def _wrong_target(row: Automation) -> Iterator[Problem]:
    if row.deed != Deed.MOVE:
        if row.target is not None:
            yield Problem("target", row.target.slug, _("this moves no shot; leave it empty"))
        return
    if row.target is None:
        yield Problem("target", "", _("say which status the shot gets"), code="required")
        return
    if row.target.archived:
        yield Problem("target", row.target.slug, _("this status is archived; choose another"))
    sources = row.from_states or [state for state in SHOT.states if state not in LEFT_ALONE]
    if not any(state in SHOT.states and way(state, row.target.state) for state in sources):
        yield Problem("target", row.target.slug, _("no way leads there from where it may begin"))


def _goes_round(row: Automation, others: list[Automation]) -> list[Automation]:
    """The way by which a deed sets its own automation off again, ends included; empty if none does."""
    rows = [one for one in (*others, row) if _reach_meets(one, row)]

    def sets_off(one: Automation) -> list[Automation]:
        target = one.target
        if one.deed != Deed.MOVE or target is None:
            return []
        names = {target.pk, target.state}
        return [other for other in rows if other.trigger in OF_STATUSES and other.status_id in names]

    ways = [[row]]
    seen = {row.pk}
    while ways:
        path = ways.pop()
        for following in sets_off(path[-1]):
            if following.pk == row.pk:
                return [*path, row]
            if following.pk not in seen:
                seen.add(following.pk)
                ways.append([*path, following])
    return []


def _reach_meets(one: Automation, other: Automation) -> bool:
    return None in (one.project_id, other.project_id) or one.project_id == other.project_id
