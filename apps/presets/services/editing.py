"""Add, change, duplicate, archive and delete rows of the library: categories, presets, looks, rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from django.db.models import F, Max, Model, ProtectedError, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused, lacks_permission
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.presets.models import (
    CinematicPreset,
    Look,
    LookPreset,
    PresetCategory,
    PresetRule,
    in_library,
)
from apps.presets.services.checking import check_row
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require

Row = TypeVar("Row", PresetCategory, CinematicPreset, Look, PresetRule)
MOST_COPIES: Final = 100


def require_library(user: User, project: Project | None, model: type[Model], verb: str) -> None:
    """Raise NotAllowed unless the user may ``verb`` (add, change, delete) such rows there.

    A film's own rows are its planning; the studio's stand in every film, so they take Django's permission.
    """
    if project is not None:
        require(user, Act.PLAN, project)
    elif not user.has_perm(f"presets.{verb}_{model._meta.model_name}"):
        raise lacks_permission(user, f"presets.{verb}_{model._meta.model_name}")


def add_row(row: Row, *, user: User) -> Row:
    """Save a new row, at the end of its kind unless it has an ``order``. Raises Refused, NotAllowed."""
    require_library(user, row.project, type(row), "add")
    with changing(type(row), actor=user) as change:
        if not row.order:
            row.order = next_order(row)
        check_row(row)
        row.save(force_insert=True)
        change.born(row)
    return row


def change_row(row: Row, *, user: User, row_version: int, **fields: Any) -> Row:
    """Change what is named, unless somebody changed the row meanwhile. Raises Conflict, Refused, NotAllowed.

    A row stays where it is: in its film, or the studio's.
    """
    require_library(user, row.project, type(row), "change")
    for name, value in fields.items():
        setattr(row, name, value)
    with changing(type(row), [row.pk], actor=user):
        claim(row, row_version, **fields)
        check_row(row)
    row.refresh_from_db()
    return row


def set_archived(rows: Iterable[Row], archived: bool, *, user: User) -> int:
    """Archive rows, or bring them back; return how many changed. Shots keep what they use.

    Raises NotAllowed.
    """
    wanted = list(rows)
    for row in wanted:
        require_library(user, row.project, type(row), "change")
    changed = 0
    for model in {type(row) for row in wanted}:
        keys = [row.pk for row in wanted if isinstance(row, model)]
        with changing(model, keys, actor=user):
            changed += model._default_manager.filter(pk__in=keys, archived=not archived).update(
                archived=archived, row_version=F("row_version") + 1, updated_at=Now()
            )
    return changed


def duplicate_row(row: Row, *, user: User, project: Project | None) -> Row:
    """Copy a row beside itself, or into a film: the same words under the next free key. Raises NotAllowed."""
    model = type(row)
    require_library(user, project, model, "add")
    copy = model._default_manager.get(pk=row.pk)
    copy.pk = model._meta.pk.get_default()
    copy._state.adding = True
    copy.project, copy.archived, copy.library_hash, copy.row_version = project, False, "", 0
    copy.slug = free_slug(copy)
    copy.order = next_order(copy)
    if not isinstance(copy, PresetRule) and project == row.project:
        copy.name = _("%s (copy)") % copy.name
    with changing(model, actor=user) as change:
        check_row(copy)
        copy.save(force_insert=True)
        change.born(copy)
        if isinstance(row, Look):
            parts = LookPreset.objects.filter(look=row.pk).order_by("order")
            LookPreset.objects.bulk_create(
                [LookPreset(look_id=copy.pk, preset_id=part.preset_id, order=part.order) for part in parts]
            )
    return copy


def delete_row(row: Row, *, user: User, row_version: int) -> None:
    """Delete a row that nothing uses, unless somebody changed it meanwhile.

    Raises Stale, Refused with what uses it (archive it instead), NotAllowed.
    """
    require_library(user, row.project, type(row), "delete")
    if row.library_hash:
        told = _("it ships with the farm and would come back; archive it instead")
        raise Refused(Problem("", str(row), told, code="shipped"))
    try:
        with changing(type(row), [row.pk], actor=user):
            claim(row, row_version)
            row.delete()
    except ProtectedError as error:
        told = _("%d rows use it (shots, looks or presets); archive it instead") % len(
            error.protected_objects
        )
        raise Conflict(Problem("", str(row), told, code="in_use")) from error


def reorder(rows: Iterable[Row], *, user: User) -> None:
    """Put rows of one kind into the order given, in the places they have among the others.

    Raises NotAllowed.
    """
    wanted = list(rows)
    for row in wanted:
        require_library(user, row.project, type(row), "change")
    if not wanted:
        return
    model = type(wanted[0])
    with changing(model, [row.pk for row in wanted], actor=user):
        for row, place in zip(wanted, _rising(sorted(row.order for row in wanted)), strict=True):
            if row.order != place:
                row.order = place
                model._default_manager.filter(pk=row.pk).update(
                    order=place, row_version=F("row_version") + 1, updated_at=Now()
                )


def _rising(places: list[int]) -> list[int]:
    """The same places, no two alike."""
    risen: list[int] = []
    for place in places:
        risen.append(max(place, risen[-1] + 1) if risen else place)
    return risen


def next_order(row: Row) -> int:
    """The place after the last of its kind."""
    beside = type(row)._default_manager.all()
    if isinstance(row, CinematicPreset):
        beside = beside.filter(category=row.category_id)
    return (beside.aggregate(last=Max("order"))["last"] or 0) + 1


def free_slug(row: Row) -> str:
    """The row's key, or the first with a number behind it that nothing of its film and the studio has."""
    rows: QuerySet[Any] = type(row)._default_manager.filter(in_library(row.project_id))
    if isinstance(row, CinematicPreset):
        rows = rows.filter(category=row.category_id)
    names = set(rows.values_list("slug", flat=True))
    wanted = [row.slug, *(f"{row.slug}-{number}" for number in range(2, MOST_COPIES))]
    return next(slug for slug in wanted if slug not in names)
