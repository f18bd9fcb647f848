"""Where each operating system finds what is published."""

from __future__ import annotations

from apps.accounts.models import User
from apps.common.errors import lacks_permission
from apps.folders.models import Mount
from apps.folders.mounts import check_root

CHANGE = "folders.change_mount"


def set_mount(system: str, root: str, *, user: User) -> Mount | None:
    """Say where a system finds what is published; "" takes it back. Raises Refused, NotAllowed."""
    if not user.has_perm(CHANGE):
        raise lacks_permission(user, CHANGE)
    told = root.strip()
    if not told:
        Mount.objects.filter(system=system).delete()
        return None
    check_root(system, told)
    mount, _made = Mount.objects.update_or_create(system=system, defaults={"root": told})
    return mount
