"""Who may look after templates: Django's permissions, as for everything that all films share."""

from __future__ import annotations

from typing import Final

from apps.accounts.models import User
from apps.common.errors import lacks_permission

IMPORT: Final = "workflows.add_workflowtemplate"
MANAGE: Final = "workflows.change_workflowtemplate"


def require_import(user: User) -> None:
    """Raise NotAllowed unless the user may bring workflows."""
    if not user.has_perm(IMPORT):
        raise lacks_permission(user, IMPORT)


def require_manage(user: User) -> None:
    """Raise NotAllowed unless the user may change which versions are offered."""
    if not user.has_perm(MANAGE):
        raise lacks_permission(user, MANAGE)
