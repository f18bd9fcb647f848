"""Subscriptions are made, changed and ended; inboxes are read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.news import PERSONAL, tell
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.nodes.services import STEER
from apps.notices.kinds import FARM, OF_NODES, OFFERED, Kind
from apps.notices.models import Delivery, Notice, Road, Subscription
from apps.notices.selectors import inbox_of, subscriptions_of
from apps.notices.services.addresses import AddressRefused, check_url
from apps.notices.services.secrets import new_salt, secret_of
from apps.projects.roles import Act
from apps.projects.selectors import may, projects_for

logger = logging.getLogger(__name__)

CHANGEABLE = (
    "name",
    "project",
    "kinds",
    "only_mine",
    "road",
    "url",
    "address",
    "language",
    "active",
)


def subscribe(*, user: User, shared: bool = False, **wanted: Any) -> tuple[Subscription, str]:
    """Make a subscription of the user's, or a shared channel; return it with its webhook's secret.

    The secret is "" for other roads. It is told this once. Raises Refused, or NotAllowed.
    """
    row = Subscription(owner=None if shared else user, salt=new_salt())
    _set(row, wanted)
    check(row, user=user)
    if row.owner_id is None:
        with changing(Subscription, actor=user) as change:
            row.save(force_insert=True)
            change.born(row)
    else:
        row.save(force_insert=True)
    logger.info("subscribed", extra=_facts(row, user))
    return row, secret_of(row) if row.road == Road.WEBHOOK else ""


def change(row: Subscription, *, user: User, row_version: int | None = None, **wanted: Any) -> str:
    """Change a subscription; return a new secret if its webhook goes elsewhere now, else "".

    A secret is known to whoever has the old address: a new one gets a new secret. ``row_version``: of the
    subscription as it was read; None where the caller has claimed it. Raises Stale, Refused, NotAllowed.
    """
    require_own(row, user)
    with _claimed(row, user, row_version):
        before = (row.road, row.url)
        _set(row, wanted)
        check(row, user=user)
        moved = row.road == Road.WEBHOOK and before != (row.road, row.url)
        if moved:
            row.salt = new_salt()
        row.blocked_until, row.failures = None, 0
        row.save(update_fields=[*CHANGEABLE, "salt", "blocked_until", "failures", "updated_at"])
    logger.info("subscription changed", extra=_facts(row, user))
    return secret_of(row) if moved else ""


def end(row: Subscription, *, user: User, row_version: int | None = None) -> None:
    """End a subscription; what it told goes with it. What stands by itself can only be switched off.

    ``row_version``: see change. Raises Stale, Refused, NotAllowed.
    """
    require_own(row, user)
    if row.standing:
        told = _("this one comes by itself; switch it off instead (active: false)")
        raise Refused(Problem("standing", row.standing, told, code="standing"))
    facts = _facts(row, user)
    with _claimed(row, user, row_version):
        row.delete()
    logger.info("subscription ended", extra=facts)


def new_secret(row: Subscription, *, user: User) -> str:
    """Return a new secret; what the old one signed from now on is nothing."""
    require_own(row, user)
    if row.road != Road.WEBHOOK:
        raise Refused(Problem("road", row.road, _("only a webhook has a secret")))
    row.salt = new_salt()
    row.save(update_fields=["salt", "updated_at"])
    logger.info("webhook has a new secret", extra=_facts(row, user))
    return secret_of(row)


def ping(row: Subscription, *, user: User) -> Notice:
    """Send a test by this subscription's road."""
    require_own(row, user)
    now = database_now()
    with transaction.atomic():
        notice = Notice.objects.create(
            subscription=row,
            recipient=row.owner if row.road == Road.INBOX else None,
            project=row.project,
            kind=Kind.PING,
            about=FARM,
            open=False,
            first_at=now,
            last_at=now,
        )
        if notice.recipient_id is not None:
            tell(PERSONAL, [notice.recipient_id])
        if row.road != Road.INBOX:
            Delivery.objects.create(subscription=row, notice=notice, next_try_at=now)
            Subscription.objects.filter(pk=row.pk).update(blocked_until=None)
    return notice


def mark_read(keys: Iterable[UUID] | None, *, user: User) -> int:
    """Mark notices of the user's inbox as read, all of them with None; return how many were unread.

    What happens later is a new notice.
    """
    unread = inbox_of(user).filter(read_at__isnull=True)
    rows = unread if keys is None else unread.filter(pk__in=list(keys))
    marked = rows.update(read_at=database_now(), open=False)
    if marked:
        tell(PERSONAL, [user.pk])
    return marked


@contextmanager
def _claimed(row: Subscription, user: User, row_version: int | None) -> Iterator[None]:
    """Take a subscription at the version that was read, and remember what is changed of a channel's.

    A person's own is nobody else's to read of.
    """
    shared = row.owner_id is None
    with transaction.atomic(), changing(Subscription, [row.pk], actor=user) if shared else nullcontext():
        if row_version is not None:
            claim(row, row_version)
            row.refresh_from_db()
        yield


def check(row: Subscription, *, user: User) -> None:
    """Raise Refused with everything that is wrong with it, or NotAllowed if this takes another role."""
    check_sound(row)
    _require_rights(row, user)


def check_sound(row: Subscription) -> None:
    """Raise Refused with everything that is wrong with it, whoever says it."""
    problems = [*_problems(row)]
    if problems:
        raise Refused(*problems)


def _problems(row: Subscription) -> Iterable[Problem]:
    known = [value for value, _label in OFFERED]
    strange = [str(kind) for kind in row.kinds if kind not in known]
    if strange or not row.kinds:
        yield Problem("kinds", ", ".join(strange), _("choose one or more of %s") % ", ".join(known))
    if row.project is not None and OF_NODES & set(row.kinds):
        yield Problem(
            "kinds",
            ", ".join(sorted(OF_NODES & set(row.kinds))),
            _("nodes belong to no project: leave the project empty, or make another subscription for them"),
        )
    if row.owner is None and not row.name:
        yield Problem("name", "", _("name the channel"))
    if row.owner is None and row.only_mine:
        yield Problem("only_mine", "true", _("a shared channel submits nothing itself"))
    yield from _problems_of_road(row)


def _problems_of_road(row: Subscription) -> Iterable[Problem]:
    if row.road == Road.INBOX:
        if row.owner is None:
            yield Problem("road", row.road, _("a shared channel has no inbox: choose e-mail or webhook"))
        return
    if row.road == Road.WEBHOOK:
        try:
            check_url(row.url)
        except AddressRefused as refused:
            yield Problem("url", row.url, str(refused))
        return
    if not settings.MAIL_READY:
        yield Problem(
            "road",
            row.road,
            _("this farm sends no e-mail; SHOTFARM_SMTP is not set"),
            code="no_mail",
        )
    if row.owner is not None:
        if not row.owner.email:
            yield Problem("road", row.road, _("your account has no e-mail address"))
        return
    try:
        validate_email(row.address)
    except ValidationError:
        yield Problem("address", row.address, _("write an e-mail address"))


def may_subscribe(user: User) -> bool:
    """Tell whether there is anything the user could be told of."""
    return user.has_perm(STEER) or projects_for(user).exists()


def kinds_for(user: User) -> set[str]:
    """Return the kinds of notices the user may be told of: those about nodes are for who steers them."""
    kinds = {str(kind) for kind, _label in OFFERED}
    return kinds if user.has_perm(STEER) else kinds - OF_NODES


def _require_rights(row: Subscription, user: User) -> None:
    if not may_subscribe(user):
        raise NotAllowed(_("This takes a membership in at least one project."))
    if OF_NODES & set(row.kinds) and not user.has_perm(STEER):
        raise NotAllowed(_("Notices about nodes take the permission %s.") % STEER)
    if row.owner is not None:
        if row.project is not None and not may(user, Act.VIEW, row.project):
            raise NotAllowed(_("You are no member of this project."))
        return
    if user.is_superuser:
        return
    if row.project is None or not may(user, Act.MANAGE, row.project):
        raise NotAllowed(
            _("A shared channel is made by an admin of its project; one for all projects by a superuser.")
        )


def may_share(user: User) -> bool:
    """Tell whether the user may make shared channels anywhere."""
    return user.is_superuser or projects_for(user, Act.MANAGE).exists()


def require_own(row: Subscription, user: User) -> None:
    """Raise NotAllowed unless it is the user's own, or a channel that they manage."""
    if not subscriptions_of(user).filter(pk=row.pk).exists():
        raise NotAllowed(_("This subscription is somebody else's."))


def _set(row: Subscription, wanted: dict[str, Any]) -> None:
    for field, value in wanted.items():
        if field not in CHANGEABLE:
            raise TypeError(f"a subscription's {field} is not set by hand")
        setattr(row, field, value)
    if row.road != Road.WEBHOOK:
        row.url = ""
    if row.road != Road.EMAIL or row.owner is not None:
        row.address = ""


def _facts(row: Subscription, user: User) -> dict[str, str]:
    return {"subscription": str(row.pk), "road": row.road, "by": user.get_username()}
