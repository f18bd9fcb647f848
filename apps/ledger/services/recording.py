"""Remember a change: read the documents before and after it, write down what differs.

::

    with changing(Shot, [shot.pk], actor=user):
        ...  # whatever changes the shot, its cast or its presets

    with changing(Shot, actor=user) as change:
        shot = Shot.objects.create(...)
        change.born(shot)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.common import news
from apps.ledger.documents import AT_ONCE, VERSION, Document, Snapshot, batches, document_of
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import DELETED
from farm.logs import bound_ids

FARM: Final = "farm"
"""Who acts where no person does."""
CREATED, CHANGED, ARCHIVED, REVIVED = "created", "changed", "archived", "revived"
EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})
_AT_ONCE: Final = 1_000


class Changing:
    """A change under way: which objects it is about, and what they said before."""

    def __init__(
        self, document: Document, *, actor: str, verb: str, batch: UUID | None, lists: bool = True
    ) -> None:
        self.document = document
        self.actor = actor
        self.actors: dict[Any, str] = {}
        self.verb = verb
        self.batch = batch
        self.lists = lists
        self.before: dict[Any, Snapshot | None] = {}

    def about(self, keys: Iterable[Any]) -> None:
        """Take objects in, before they change. Their rows are locked until the transaction ends."""
        as_key = self.document.model._meta.pk.to_python
        new = sorted({as_key(key) for key in keys} - self.before.keys())
        for some in batches(new, AT_ONCE):
            # Somebody else's change comes before or after ours, never between our two readings.
            rows = self.document.model._default_manager.filter(pk__in=some).order_by("pk")
            list(rows.select_for_update(no_key=True).values_list("pk"))
        found = self.document.read(new, lists=self.lists) if new else {}
        self.before |= {key: found.get(key) for key in new}

    def born(self, *rows: Model) -> None:
        """Take in objects that this change has made."""
        for row in rows:
            self.before.setdefault(row.pk, None)

    def write(self) -> None:
        """Write one Activity for each object that says something else now.

        An object that says something else is another version, even if the service that changed one of its
        lists did not think of it: whoever has its form open shall hear of it.
        """
        after = self.document.read(self.before, lists=self.lists)
        rows: list[Activity] = []
        same_version: list[Any] = []
        for key, before in self.before.items():
            now = after.get(key)
            activity = self._compared(key, before, now)
            if activity is None:
                continue
            rows.append(activity)
            if before is not None and now is not None and None is not before.version == now.version:
                same_version.append(key)
                activity.version = before.version + 1
        for some in batches(same_version, AT_ONCE):
            versions = self.document.model._default_manager.filter(pk__in=some)
            versions.update(**{VERSION: F(VERSION) + 1}, updated_at=Now())
        Activity.objects.bulk_create(rows, batch_size=_AT_ONCE)
        for project in {row.project for row in rows}:
            changed = [row.object_id for row in rows if row.project == project]
            news.tell(self.document.kind, changed, project=project)

    def _compared(self, key: Any, before: Snapshot | None, after: Snapshot | None) -> Activity | None:
        known = after or before
        changes = differences(before, after)
        if known is None or (not changes and before is not None and after is not None):
            return None
        return Activity(
            project=known.project,
            batch_id=self.batch,
            actor=self.actors.get(key, self.actor),
            verb=self._verb(before, after, changes),
            kind=self.document.kind,
            object_id=str(key),
            label=known.label[:200],
            version=_version_after(before, after),
            changes=changes,
            request_id=bound_ids().get("request", "")[:64],
        )

    def _verb(self, before: Snapshot | None, after: Snapshot | None, changes: Mapping[str, Any]) -> str:
        if before is None:
            return CREATED
        if after is None:
            return DELETED
        if self.verb == CHANGED and "archived" in changes:
            return ARCHIVED if changes["archived"][1] else REVIVED
        return self.verb


_open: ContextVar[Mapping[type[Model], Changing]] = ContextVar(
    "changes_under_way", default=MappingProxyType({})
)


@contextmanager
def changing(
    model: type[Model],
    keys: Iterable[Any] = (),
    *,
    actor: User | str | None,
    actors: Mapping[Any, str] = MappingProxyType({}),
    verb: str = CHANGED,
    batch: Batch | UUID | None = None,
    lists: bool = True,
) -> Iterator[Changing]:
    """Remember what the block changes of these objects, in its transaction: one Activity for each.

    It works for one object or ten thousand with the same number of reading queries. ``actor`` None is the
    farm; ``actors`` names who acts on which object, where it is not one for all. ``batch``: the row of
    :func:`apps.ledger.services.batching.open_batch` that this is part of. ``lists`` False: the block, and
    all it calls, changes columns alone, so that lists (a shot's cast) need not be read. An object that is new
    or gone afterwards is said to be created or deleted, whatever the ``verb``. Within another ``changing`` of
    the same model this one becomes a part of it: a service that calls another writes one row, not two.
    """
    outer = _open.get().get(model)
    if outer is not None:
        outer.about(keys)
        outer.actors = {**actors, **outer.actors}
        yield outer
        return
    change = Changing(
        document_of(model),
        actor=name_of(actor),
        verb=verb,
        batch=batch.pk if isinstance(batch, Batch) else batch,
        lists=lists,
    )
    change.actors |= actors
    with transaction.atomic():
        change.about(keys)
        mark = _open.set(MappingProxyType({**_open.get(), model: change}))
        try:
            yield change
        finally:
            _open.reset(mark)
        change.write()


def _version_after(before: Snapshot | None, after: Snapshot | None) -> int | None:
    """The version a change made; a deletion is one more, and counted on from if it comes again."""
    if after is not None:
        return after.version
    return None if before is None or before.version is None else before.version + 1


def differences(before: Snapshot | None, after: Snapshot | None) -> dict[str, list[Any]]:
    """Compare two snapshots: field → [before, after] where they differ; of a new object what is filled."""
    if before is None or after is None:
        values = (before or after or Snapshot(None, "", {})).values
        filled = {name: value for name, value in values.items() if value not in EMPTY}
        return {name: [value, None] if before else [None, value] for name, value in filled.items()}
    names = dict.fromkeys([*before.values, *after.values])
    return {
        name: [before.values.get(name), after.values.get(name)]
        for name in names
        if before.values.get(name) != after.values.get(name)
    }


def name_of(actor: User | str | None) -> str:
    """Return what activity calls who acts: a person's name for signing in, or the farm."""
    if isinstance(actor, str):
        return actor
    return FARM if actor is None else actor.get_username()
