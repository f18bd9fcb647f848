"""A material gets another name or kind. Its file never changes: add the other file, take this one away."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.materials.models import Material, MaterialKind
from apps.materials.selectors import standing
from apps.materials.services.adding import LONGEST_NAME, check_kind
from apps.projects.roles import Act
from apps.projects.selectors import require


def change_material(
    material: Material,
    *,
    user: User,
    name: str | None = None,
    kind: str | None = None,
    row_version: int | None = None,
) -> Material:
    """Rename a material, or say that it is of another kind. None leaves things as they are.

    ``row_version``: of the material as it was read; None where the caller has claimed it. That its file was
    decoded since makes no edit stale. Raises NotAllowed; Refused for a kind that its file cannot be; Stale;
    Conflict if it was taken away meanwhile.
    """
    require(user, Act.PLAN, material.project, shot=material.shot_id)
    said = [field for field, value in (("name", name), ("kind", kind)) if value is not None]
    with changing(Material, [material.pk], actor=user):
        row = _standing(material)
        if row_version is not None:
            require_unchanged(row, row_version, *said)
        _write(row, name, kind)
    return row


def _standing(material: Material) -> Material:
    row = standing().select_for_update(of=("self",)).filter(pk=material.pk).first()
    if row is None:
        raise Conflict(Problem("material", material.name, _("this was taken away meanwhile"), code="gone"))
    return row


def _write(row: Material, name: str | None, kind: str | None) -> None:
    if name is not None:
        if not name.strip():
            raise Refused(Problem("name", name, _("give it a name"), code="required"))
        row.name = name.strip()[:LONGEST_NAME]
    if kind is not None and kind != row.kind:
        if kind not in MaterialKind.values:
            told = _("choose one of: %s") % ", ".join(MaterialKind.values)
            raise Refused(Problem("kind", kind, told, code="unknown_kind"))
        check_kind(MaterialKind(kind), row.medium, row.name)
        _no_twin(row, kind)
        row.kind = kind
    try:
        with transaction.atomic():
            row.save(update_fields=["name", "kind", "updated_at"])
    except IntegrityError as exc:
        raise _twice(row.kind) from exc  # the same file came in under this kind at the same moment


def _no_twin(row: Material, kind: str) -> None:
    place = {"project": row.project_id, "sequence": row.sequence_id, "shot": row.shot_id}
    if standing().filter(**place, kind=kind, sha256=row.sha256).exists():
        raise _twice(kind)


def _twice(kind: str) -> Refused:
    told = _("the same file is there already as “%s”") % MaterialKind(kind).label
    return Refused(Problem("kind", kind, told, code="twice"))
