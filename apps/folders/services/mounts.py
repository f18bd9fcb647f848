"""Where each operating system finds what is published."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused, lacks_permission
from apps.folders.models import Mount
from apps.folders.mounts import check_root
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim

CHANGE = "folders.change_mount"


@transaction.atomic
def set_mount(system: str, root: str, *, user: User, row_version: int | None = None) -> Mount | None:
    """Say where a system finds what is published; "" takes it back.

    ``row_version``: of the mount as it was read; None while there is none. Raises Refused, Stale, NotAllowed.
    """
    if not user.has_perm(CHANGE):
        raise lacks_permission(user, CHANGE)
    told = root.strip()
    if told:
        check_root(system, told)
    mount = Mount.objects.select_for_update().filter(system=system).first()
    with changing(Mount, [mount.pk] if mount else [], actor=user) as change:
        if mount is None:
            if not told:
                return None
            mount, made = Mount.objects.get_or_create(system=system, defaults={"root": told})
            if not made:
                raise _unsaid()  # somebody set it at this very moment
            change.born(mount)
        elif told:
            claim(mount, _said(row_version), root=told)
        else:
            claim(mount, _said(row_version))
            mount.delete()
            return None
    mount.refresh_from_db()
    return mount


def _said(row_version: int | None) -> int:
    if row_version is None:
        raise _unsaid()
    return row_version


def _unsaid() -> Refused:
    told = _("this system has a mount already; send the row_version you read")
    return Refused(Problem("row_version", "", told, code="required"))
