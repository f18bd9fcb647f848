"""Limits: at most so many jobs of some templates at once. They are set here, and kept as orders are sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.renders import holding
from apps.renders.models import Limit
from apps.renders.scheduling.match import Pick
from apps.renders.services import bus
from apps.workflows.models import WorkflowTemplate


class LimitFields(TypedDict, total=False):
    """What is said of a limit. ``templates``: slugs; ``most`` 0 lets none start."""

    name: str
    most: int
    note: str
    templates: Sequence[str]


def save_limit(limit: Limit, said: LimitFields, *, user: User) -> Limit:
    """Make a new limit or change one, which the caller has claimed. It counts from the next tick; what
    renders goes on.

    Raises NotAllowed without the permission, Refused for what is wrong.
    """
    require_setting(user, "add" if limit._state.adding else "change")
    for name in ("name", "most", "note"):
        if name in said:
            setattr(limit, name, said[name])
    templates = _templates(said["templates"]) if "templates" in said else None
    clean(limit)
    new = limit._state.adding
    with changing(Limit, [] if new else [limit.pk], actor=user) as change:
        limit.save(force_insert=new)
        if new:
            change.born(limit)
        if templates is not None:
            limit.templates.set(templates)
        transaction.on_commit(bus.poke)
    return limit


def delete_limit(limit: Limit, *, user: User) -> None:
    """Take a limit away. Raises NotAllowed without the permission."""
    require_setting(user, "delete")
    with changing(Limit, [limit.pk], actor=user):
        limit.delete()
        transaction.on_commit(bus.poke)


def within_limits(picks: Sequence[Pick]) -> list[Pick]:
    """Leave out picks that would go beyond a limit; call it in the transaction that writes their attempts.

    A limit counts orders when they are sent, and is locked till they are: two dispatchers that lead for a
    moment count one after the other, so it is never gone beyond. One that is lowered calls nothing back.
    """
    limits = Limit.objects.filter(templates__in={pick.waiting.template_id for pick in picks})
    keys = set(limits.values_list("pk", flat=True))
    rows = list(Limit.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True))
    uses = {use.limit.pk: use.limit.most - use.in_flight for use in holding.uses(rows)}
    of: dict[UUID, list[UUID]] = defaultdict(list)
    for limit_id, template_id in Limit.templates.through.objects.filter(limit__in=keys).values_list(
        "limit_id", "workflowtemplate_id"
    ):
        of[template_id].append(limit_id)
    kept = []
    for pick in picks:
        concerned = of[pick.waiting.template_id]
        if all(uses[key] > 0 for key in concerned):
            kept.append(pick)
            for key in concerned:
                uses[key] -= 1
    return kept


def require_setting(user: User, deed: str) -> None:
    """Raise NotAllowed, naming the permission it takes, unless the user may add, change or delete limits."""
    permission = f"renders.{deed}_limit"
    if not user.has_perm(permission):
        told = _("%(user)s may not set limits; that takes the permission %(permission)s")
        raise NotAllowed(told % {"user": user, "permission": permission})


def _templates(slugs: Sequence[str]) -> list[WorkflowTemplate]:
    found = {row.slug: row for row in WorkflowTemplate.objects.filter(slug__in=slugs)}
    known = ", ".join(WorkflowTemplate.objects.order_by("slug").values_list("slug", flat=True))
    told = _("no such template; there are: %s") % (known or _("none"))
    unknown = [slug for slug in slugs if slug not in found]
    if unknown:
        raise Refused(*(Problem("templates", slug, told, code="unknown_template") for slug in unknown))
    if not found:
        raise Refused(Problem("templates", "", _("name at least one template; there are: %s") % known))
    return list(found.values())
