"""Take a whole batch back, as a batch of its own: undoing the undo does it again.

What the batch changed is put back where it still says what the batch made of it. What somebody changed since
is left alone and named, unless that is to be overwritten as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.documents import Document, Snapshot, document_named, documents
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import DELETED, Step, merged, taken_back_by
from apps.ledger.services.batching import open_batch
from apps.ledger.services.putting import put
from apps.ledger.services.recording import CREATED, EMPTY, changing
from apps.ledger.services.removing import in_use, users_of

UNDONE: Final = "undone"


@dataclass(frozen=True)
class Left:
    """An object, or some of its fields, that an undo leaves alone, and why."""

    kind: str
    label: str
    fields: tuple[str, ...]
    why: str


@dataclass
class Undoing:
    """What taking a batch back comes to, by kind of object."""

    put: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    drive: dict[str, dict[str, dict[Any, Any]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    revive: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    remove: dict[str, dict[Any, str]] = field(default_factory=lambda: defaultdict(dict))
    left: list[Left] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many objects change."""
        groups: list[Mapping[str, Mapping[Any, Any]]] = [self.put, self.revive, self.remove]
        keys = {(kind, key) for group in groups for kind, some in group.items() for key in some}
        keys |= {(kind, key) for kind, by in self.drive.items() for some in by.values() for key in some}
        return len(keys)


@dataclass(frozen=True)
class Undone:
    """The batch that took another one back, how many objects it changed, and what it left alone."""

    batch: Batch
    count: int
    left: tuple[Left, ...]


def plan_undo(batch: Batch, *, overwrite: bool = False) -> Undoing:
    """Say what taking this batch back would change, and what it would leave alone. Changes nothing."""
    plan = Undoing()
    by_object: dict[tuple[str, str], list[Activity]] = defaultdict(list)
    for activity in batch.activities.order_by("id"):
        by_object[activity.kind, activity.object_id].append(activity)
    kinds: dict[str, list[tuple[Any, list[Activity]]]] = defaultdict(list)
    for (kind, told), activities in by_object.items():
        document = document_named(kind)
        if document is None:
            plan.left.append(Left(kind, activities[-1].label, (), _("such objects are no longer remembered")))
        else:
            kinds[kind].append((document.model._meta.pk.to_python(told), activities))
    for kind, objects in kinds.items():
        document = document_named(kind)
        if document is not None:
            now = document.read([key for key, _activities in objects])
            for key, activities in objects:
                _plan_object(plan, document, key, activities, now.get(key), overwrite=overwrite)
    return plan


def undo(batch: Batch, *, user: User, overwrite: bool = False) -> Undone:
    """Put back what a batch changed, as one batch, all or nothing; see plan_undo for what is left alone.

    ``overwrite``: also what somebody changed since. Whether the person may take back this batch is the
    caller's to judge; each kind of object judges its rows again. Raises Conflict if it is undone already,
    Refused, NotAllowed.
    """
    with transaction.atomic():
        locked = Batch.objects.select_for_update().get(pk=batch.pk)
        other = taken_back_by(locked)
        if other is not None:
            told = _("%(user)s has taken this back already") % {"user": other.actor}
            raise Conflict(Problem("", locked.title, told, code="undone"))
        plan = plan_undo(locked, overwrite=overwrite)
        _hold(plan, locked.project)
        if not plan.count:
            raise Refused(Problem("", locked.title, _nothing(plan.left), code="nothing"))
        undoing = open_batch(
            project=locked.project,
            actor=user,
            title=_("Undone: %(title)s") % {"title": locked.title},
            verb=UNDONE,
            undoes=locked,
        )
        _carry_out(plan, undoing, user, locked.project)
    return Undone(undoing, undoing.activities.count(), tuple(plan.left))


def _hold(plan: Undoing, project: UUID | None) -> None:
    for document in documents():
        if document.hold is not None and (plan.put[document.kind] or plan.revive[document.kind]):
            document.hold(project)


def _plan_object(
    plan: Undoing,
    document: Document,
    key: Any,
    activities: list[Activity],
    now: Snapshot | None,
    *,
    overwrite: bool,
) -> None:
    kind, label = document.kind, activities[-1].label
    born, gone = activities[0].verb == CREATED, activities[-1].verb == DELETED
    steps = merged(activities)
    if born and gone:
        return
    if gone:
        if now is None:
            plan.revive[kind][key] = {step.field: step.old for step in steps}
        return
    if now is None:
        plan.left.append(Left(kind, label, (), _("it was deleted since")))
        return
    if born:
        if not overwrite and (others := _changed_since_birth(steps, now)):
            plan.left.append(Left(kind, label, others, _("it was changed since")))
        else:
            plan.remove[kind][key] = label
        return
    changed = [step for step in steps if now.values.get(step.field) != step.new]
    if changed and not overwrite:
        plan.left.append(Left(kind, label, _names(changed), _("changed since")))
    back = steps if overwrite else [step for step in steps if step not in changed]
    _put_back(plan, document, key, label, back)


def _put_back(plan: Undoing, document: Document, key: Any, label: str, steps: Iterable[Step]) -> None:
    stay = []
    for step in steps:
        if step.field in document.drivers:
            plan.drive[document.kind][step.field][key] = step.old
        elif step.field in document.steered and step.field != "code":
            stay.append(step)
        else:
            plan.put[document.kind].setdefault(key, {})[step.field] = step.old
    if stay:
        plan.left.append(Left(document.kind, label, _names(stay), _("this is not put back by an undo")))


def _carry_out(plan: Undoing, batch: Batch, user: User, project: UUID | None) -> None:
    for some in (plan.revive, plan.put):
        for document in standing_first(some):
            values = some[document.kind]
            put(document, values, user=user, verb=UNDONE, batch=batch, project=project)
    for kind, fields in plan.drive.items():
        machine = document_named(kind)
        if machine is None:
            continue
        stay: dict[Any, list[str]] = defaultdict(list)
        with changing(machine.model, set().union(*fields.values()), actor=user, verb=UNDONE, batch=batch):
            for name, driver in machine.drivers.items():
                for key in driver(fields[name], user) if name in fields else ():
                    stay[key].append(name)
        labels = {key: row.label for key, row in machine.read(stay).items()}
        why = _("its machine has no way back")
        plan.left += [Left(kind, labels[key], tuple(stay[key]), why) for key in stay if key in labels]
    _remove(plan, batch, user)


def standing_first(kinds: Collection[str]) -> list[Document]:
    """Put kinds in an order in which each finds what it names: sequences before their shots."""
    waiting = {document.model: document for document in documents() if document.kind in kinds}
    order: list[Document] = []
    while waiting:
        free = [one for one in waiting.values() if not (one.names_models & (waiting.keys() - {one.model}))]
        for document in free or list(waiting.values()):
            order.append(waiting.pop(document.model))
    return order


def _remove(plan: Undoing, batch: Batch, user: User) -> None:
    """Delete what the batch made: shots before the sequences they stand in; what is needed since stays."""
    waiting = {kind: dict(labels) for kind, labels in plan.remove.items() if labels}
    needed: dict[str, dict[Any, str]] = {}
    gone = True
    while gone:
        gone = False
        for kind, labels in waiting.items():
            document = document_named(kind)
            if document is None or not labels:
                continue
            needed[kind] = users_of(document, list(labels))
            free = [key for key in labels if key not in needed[kind]]
            if free:
                gone = True
                _delete(document, free, batch, user)
                waiting[kind] = {key: label for key, label in labels.items() if key in needed[kind]}
    plan.left += [
        Left(kind, label, (), in_use(needed[kind][key]))
        for kind, labels in waiting.items()
        for key, label in labels.items()
    ]


def _delete(document: Document, keys: list[Any], batch: Batch, user: User) -> None:
    with changing(document.model, keys, actor=user, verb=UNDONE, batch=batch):
        rows = document.model._default_manager.filter(pk__in=keys)
        document.permit(list(rows), user)
        for name, reference in document.row.references.items():
            if reference.model is document.model:  # they go together: none of them holds another back
                rows.filter(**{f"{name}__in": keys}).update(**{name: None})
        rows.delete()


def _changed_since_birth(steps: Iterable[Step], now: Snapshot) -> tuple[str, ...]:
    """The names that say something else than when the batch made the object."""
    born = {step.field: step.new for step in steps}
    return tuple(
        name
        for name, value in now.values.items()
        if value != born.get(name) and (name in born or value not in EMPTY)
    )


def _names(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(step.field for step in steps)


def _nothing(left: list[Left]) -> str:
    named = ", ".join(f"{one.label} ({one.why})" for one in left[:5]) + (" …" if len(left) > 5 else "")
    return _("there is nothing to take back: %(left)s") % {"left": named or "–"}
