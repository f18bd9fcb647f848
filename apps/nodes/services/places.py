"""Pools and schedules: what nodes are sorted into. Whoever calls for a row that is there has claimed it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Problem, Refused, lacks_permission
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.nodes.hours import hours_of
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.services.hours import keep_hours


def save_pool(pool: Pool, *, user: User | None) -> Pool:
    """Write a new or changed pool. Raises Refused for a bad or taken name."""
    _require(user, "nodes.add_pool" if pool._state.adding else "nodes.change_pool")
    clean(pool)
    _write(pool, user)
    return pool


def remove_pool(pool: Pool, *, user: User | None) -> None:
    """Delete a pool that no node is in. Jobs that asked for it may then run anywhere."""
    _require(user, "nodes.delete_pool")
    here = list(pool.nodes.order_by("name").values_list("name", flat=True)[:5])
    if here:
        told = _("nodes are in it: %(nodes)s; move them first") % {"nodes": ", ".join(here)}
        raise Refused(Problem("pool", pool.name, told, code="in_use"))
    with changing(Pool, [pool.pk], actor=user):
        pool.delete()


def save_schedule(schedule: Schedule, *, user: User | None) -> Schedule:
    """Write a new or changed schedule; its nodes follow at once. Raises Refused for what is none."""
    _require(user, "nodes.add_schedule" if schedule._state.adding else "nodes.change_schedule")
    hours = hours_of(schedule.timezone, schedule.windows)
    schedule.windows = [window.as_json() for window in hours.windows]
    clean(schedule)
    _write(schedule, user)
    keep_hours(database_now())
    return schedule


def remove_schedule(schedule: Schedule, *, user: User | None) -> None:
    """Delete a schedule; its nodes then work at all hours."""
    _require(user, "nodes.delete_schedule")
    nodes = list(schedule.nodes.order_by("pk").values_list("pk", flat=True))
    with changing(Node, nodes, actor=user), changing(Schedule, [schedule.pk], actor=user):
        schedule.delete()
    keep_hours(database_now())


def _write(row: Pool | Schedule, user: User | None) -> None:
    new = row._state.adding
    with changing(type(row), [] if new else [row.pk], actor=user) as change:
        row.save(force_insert=new)
        if new:
            change.born(row)


def _require(user: User | None, permission: str) -> None:
    if user is not None and not user.has_perm(permission):
        raise lacks_permission(user, permission)
