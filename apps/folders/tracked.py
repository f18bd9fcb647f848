"""What is remembered of mounts. Versions of layouts never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.accounts.models import User
from apps.common.errors import lacks_permission
from apps.folders.models import Mount
from apps.folders.mounts import check_root
from apps.folders.services.mounts import CHANGE
from apps.ledger.documents import Document, track


def _may_set(mounts: Sequence[Mount], user: User) -> None:
    if not user.has_perm(CHANGE):
        raise lacks_permission(user, CHANGE)


def _check_put(mounts: Mapping[Any, Mapping[str, Any]]) -> None:
    for mount in Mount.objects.filter(pk__in=list(mounts)):
        check_root(mount.system, mount.root)


track(
    Document(
        model=Mount, kind="mount", label=("system",), project="", permit=_may_set, check=_check_put
    )
)
