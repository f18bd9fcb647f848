"""The rows of shot statuses: a studio renames the machine's eight and adds shades of its own."""

from __future__ import annotations

from django.db.models import F, Q
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Problem, Refused, lacks_permission
from apps.common.show import HUES, is_hue
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.productions.models import ShotStatus
from apps.productions.states import SHOT
from apps.projects.models import Membership, Project
from apps.projects.roles import Role


def save_status(status: ShotStatus, *, user: User | None) -> ShotStatus:
    """Write a new or changed status. One row of a state is its default; choosing another moves the mark.

    Raises Refused for what cannot be, NotAllowed without Django's permission.
    """
    new = status._state.adding
    permission = "productions.add_shotstatus" if new else "productions.change_shotstatus"
    if user is not None and not user.has_perm(permission):
        raise lacks_permission(user, permission)
    if status.state not in SHOT.states:
        told = _("choose one of: %s") % ", ".join(SHOT.states)
        raise Refused(Problem("state", status.state, told, code="unknown_state"))
    beside = ShotStatus.objects.filter(Q(state=status.state) | Q(pk=status.pk)).values_list("pk", flat=True)
    with changing(ShotStatus, list(beside), actor=user) as change:  # a mark that moves changes two of them
        before = None if new else ShotStatus.objects.select_for_update().get(pk=status.pk)
        _check(status, before)
        own = ShotStatus.objects.get(pk=status.state)
        if not status.is_own:
            status.renderable, status.closed = own.renderable, own.closed
        of_state = ShotStatus.objects.filter(state=status.state)
        was_default = before is not None and before.is_default
        if status.is_default and not was_default:
            of_state.filter(is_default=True).update(is_default=False, row_version=F("row_version") + 1)
        clean(status)
        if before is not None:
            status.row_version = before.row_version + 1
        status.save(force_insert=new)
        if new:
            change.born(status)
        if was_default and not status.is_default:
            of_state.filter(pk=status.state).update(is_default=True, row_version=F("row_version") + 1)
        if status.is_own:
            means = {"renderable": status.renderable, "closed": status.closed}
            others = of_state.exclude(pk=status.pk).exclude(**means)
            others.update(**means, row_version=F("row_version") + 1)
    return status


def _check(status: ShotStatus, before: ShotStatus | None) -> None:
    if before is not None and before.state != status.state:
        told = _("a status stays what it is of; add another, and archive this one")
        raise Refused(Problem("state", status.state, told, code="fixed"))
    if not is_hue(status.colour) and (before is None or before.colour != status.colour):
        raise Refused(Problem("colour", status.colour, _("choose one of: %s") % ", ".join(HUES)))
    if status.is_own and status.archived:
        told = _("the machine's own statuses stay; rename it if you do not use the word")
        raise Refused(Problem("archived", status.slug, told, code="stays"))
    if status.is_own and not status.is_default and (before is None or before.is_default):
        told = _("choose the default by marking another status of this state")
        raise Refused(Problem("is_default", status.slug, told, code="one_default"))
    if status.archived and status.is_default:
        told = _("an archived status is nobody's default; take the mark away first")
        raise Refused(Problem("is_default", status.slug, told, code="archived"))


def status_named(slug: str, *, offered: bool = True) -> ShotStatus | None:
    """Return a status by its slug; None if there is none, or it is not offered any more."""
    row = ShotStatus.objects.filter(pk=slug).first()
    return None if row is None or (offered and row.archived) else row


def require_allowed(status: ShotStatus, user: User, project: Project) -> None:
    """Raise NotAllowed if this is a status that artists do not set, and this is one."""
    if status.is_artist_allowed or user.is_superuser:
        return
    if Membership.objects.filter(user=user, project=project, role=Role.ARTIST).exists():
        told = _("%(user)s may not set “%(status)s”: artists do not")
        raise NotAllowed(told % {"user": user, "status": status.name})
