"""What is remembered of mounts, and of which layout a project holds. Versions of layouts never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.accounts.models import User
from apps.common.errors import lacks_permission
from apps.folders.models import Mount, PathTemplate, ProjectFolders
from apps.folders.mounts import check_root
from apps.folders.services.mounts import CHANGE
from apps.ledger.documents import BOOKKEEPING, Document, Reference, track
from apps.projects.roles import Act
from apps.projects.selectors import require_each
from apps.projects.tracked import PROJECT


def _may_set(mounts: Sequence[Mount], user: User) -> None:
    if not user.has_perm(CHANGE):
        raise lacks_permission(user, CHANGE)


def _check_put(mounts: Mapping[Any, Mapping[str, Any]]) -> None:
    for mount in Mount.objects.filter(pk__in=list(mounts)):
        check_root(mount.system, mount.root)


def _may_choose(held: Sequence[ProjectFolders], user: User) -> None:
    require_each(user, Act.MANAGE, {one.project_id for one in held})


track(
    Document(
        model=ProjectFolders,
        kind="folders",
        label=("project__code",),
        references={
            "project": PROJECT,
            "template": Reference(model=PathTemplate, by=("slug", "number"), joined=" v", of=""),
        },
        left_out=tuple(
            column.name
            for column in ProjectFolders._meta.concrete_fields
            if column.name not in {"project", "template", "publish"} | BOOKKEEPING
        ),
        steered=("project",),
        permit=_may_choose,
    )
)
track(Document(model=Mount, kind="mount", label=("system",), project="", permit=_may_set, check=_check_put))
