"""Change many shots at once, as one batch that can be undone; put shots in another order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.documents import document_of
from apps.ledger.models import Activity, Batch
from apps.ledger.services.batching import open_batch
from apps.ledger.services.putting import put
from apps.productions.assigning import assignable
from apps.productions.models import Sequence as ShotSequence
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require, require_shots

IN_BULK: Final = (
    *("location", "weather", "time_of_day", "frames", "handles", "cut_in", "seed"),
    *("assignees", "description", "description_ko", "dialogue", "negative", "notes"),
)
"""What may be set for many shots at once; the names are those of a shot's document."""
MOST_SHOTS: Final = 10_000
STEP: Final = 10
REORDERED: Final = "reordered"


@dataclass(frozen=True)
class ShotChange:
    """What a bulk change does to one shot: field → [before, after]."""

    shot: str
    label: str
    changes: Mapping[str, list[Any]]


@dataclass(frozen=True)
class BulkChange:
    """A bulk change that was made, or would be (then without ``batch``)."""

    batch: UUID | None
    changed: tuple[ShotChange, ...]
    unchanged: int


def change_shots(
    project: Project,
    shots: Mapping[UUID, int | None],
    values: Mapping[str, Any],
    *,
    user: User,
    preview: bool = False,
) -> BulkChange:
    """Set the same values for many shots of a project, all or nothing, as one batch.

    ``shots``: key → the row_version that was read (None: whichever it is at). ``values``: by the names of a
    shot's document, among IN_BULK. A ``preview`` does all of it, and takes it back at once. Raises Conflict,
    naming the shots that somebody changed meanwhile, Refused, NotAllowed.
    """
    require_shots(user, Act.PLAN, project, shots=shots)
    _check(project, shots, values, user)
    with transaction.atomic():
        versions = _locked(project, list(shots))
        _check_versions(shots, versions)
        batch = open_batch(
            project=project.pk, actor=user, title=_title(len(versions), values), verb="changed"
        )
        told = {key: dict(values) for key in versions}
        put(document_of(Shot), told, user=user, verb="changed", batch=batch)
        result = _result(batch, len(versions), preview=preview)
        if preview or not result.changed:
            transaction.set_rollback(True)
    return result


def reorder_shots(
    sequence: ShotSequence, keys: Sequence[UUID], *, user: User, before: Sequence[UUID] | None = None
) -> Batch | None:
    """Put shots of a sequence in this order, in the places they hold among the others.

    ``before``: the order in which the person saw them, where they saw one. All of the sequence's shots are
    numbered 10, 20, 30 … then; return the batch, None if nothing moved. Raises Conflict where they stand in
    another order by now, Refused for a shot of another sequence or one named twice, NotAllowed.
    """
    require(user, Act.PLAN, sequence.project)
    with transaction.atomic():
        rows = Shot.objects.filter(sequence=sequence).order_by("pk").select_for_update(no_key=True)
        stood = dict(rows.values_list("pk", "order"))
        ordered = Shot.objects.filter(sequence=sequence).order_by("order", "code", "pk")
        now = list(ordered.values_list("pk", flat=True))
        _check_order(keys, stood)
        named = set(keys)
        if before is not None:
            _check_seen(sequence, named, before, [key for key in now if key in named])
        moving = iter(keys)
        wanted = [next(moving) if key in named else key for key in now]
        orders = {key: STEP * (place + 1) for place, key in enumerate(wanted)}
        told = {key: {"order": order} for key, order in orders.items() if stood[key] != order}
        if not told:
            return None
        title = _("%(sequence)s: another order") % {"sequence": sequence.code}
        batch = open_batch(project=sequence.project_id, actor=user, title=title, verb=REORDERED)
        put(document_of(Shot), told, user=user, verb=REORDERED, batch=batch)
    return batch


def _check(project: Project, shots: Mapping[UUID, Any], values: Mapping[str, Any], user: User) -> None:
    problems = [
        Problem(name, "", _("this is not set for many shots at once"), code="not_in_bulk")
        for name in values
        if name not in IN_BULK
    ]
    if not values:
        problems.append(Problem("set", "", _("say what to set"), code="required"))
    if not shots or len(shots) > MOST_SHOTS:
        told = _("name from 1 to %(most)d shots") % {"most": MOST_SHOTS}
        problems.append(Problem("shots", str(len(shots)), told, code="too_many"))
    if "assignees" in values:
        require(user, Act.PLAN, project)  # an artist does not hand shots on
        known = set(assignable(project).values_list("username", flat=True))
        problems += [
            Problem("assignees", name, _("nobody of this name may be assigned here"), code="not_assignable")
            for name in values["assignees"]
            if name not in known
        ]
    if problems:
        raise Refused(*problems)


def _locked(project: Project, keys: Sequence[UUID]) -> dict[UUID, int]:
    rows = Shot.objects.filter(pk__in=keys, project=project).order_by("pk")
    versions = dict(rows.select_for_update(no_key=True).values_list("pk", "row_version"))
    missing = [str(key) for key in keys if key not in versions]
    if missing:
        told = _("no such shot in %(project)s") % {"project": project.code}
        raise Refused(*(Problem("shots", key, told, code="unknown_shot") for key in missing[:20]))
    return versions


def _check_versions(sent: Mapping[UUID, int | None], now: Mapping[UUID, int]) -> None:
    stale = {key: version for key, version in sent.items() if version is not None and version != now[key]}
    if stale:
        labels = {key: shot.label for key, shot in document_of(Shot).read(list(stale)[:20]).items()}
        raise Conflict(
            *(
                Problem(
                    "row_version",
                    str(stale[key]),
                    _("%(shot)s is at version %(now)d now; read it again") % {"shot": label, "now": now[key]},
                    code="stale",
                )
                for key, label in labels.items()
            )
        )


def _check_order(keys: Sequence[UUID], known: Mapping[UUID, int]) -> None:
    problems = [
        Problem("shots", str(key), _("no such shot in this sequence"), code="unknown_shot")
        for key in keys
        if key not in known
    ]
    if len(set(keys)) != len(keys):
        problems.append(Problem("shots", "", _("a shot is named twice"), code="twice"))
    if problems:
        raise Refused(*problems)


def _check_seen(
    sequence: ShotSequence, named: Collection[UUID], before: Sequence[UUID], now: list[UUID]
) -> None:
    """Raise Conflict where somebody else put the shots in another order than the one that was seen."""
    if set(before) != named or len(before) != len(named):
        told = _("name the same shots before and after")
        raise Refused(Problem("before", str(len(before)), told, code="other_shots"))
    if list(before) == now:
        return
    moved = [str(one) for one, other in zip(before, now, strict=True) if one != other][:100]
    told = _("these shots stand in another order by now; load the list again, then move the shot")
    last = Activity.objects.filter(kind=document_of(Shot).kind, object_id__in=moved, changes__has_key="order")
    if (who := last.order_by("-pk").values_list("actor", flat=True).first()) is not None:
        told = _("%(user)s put these shots in another order; load the list again, then move the shot")
        told %= {"user": who}
    raise Conflict(Problem("shots", sequence.code, told, code="stale"))


def _result(batch: Batch, asked: int, *, preview: bool) -> BulkChange:
    changed = tuple(
        ShotChange(activity.object_id, activity.label, activity.changes)
        for activity in batch.activities.order_by("label")
    )
    kept = None if preview or not changed else batch.pk
    return BulkChange(kept, changed, asked - len(changed))


def _title(count: int, values: Mapping[str, Any]) -> str:
    titles = {
        column.name: str(column.verbose_name) for column in (*Shot._meta.fields, *Shot._meta.many_to_many)
    }
    names = ", ".join(titles[name] for name in values)
    return ngettext("%(count)d shot: %(names)s", "%(count)d shots: %(names)s", count) % {
        "count": count,
        "names": names,
    }
