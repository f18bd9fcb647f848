"""Put objects to what a document says: columns, references and lists, for one object or ten thousand.

Lists are written by their keys: a costume that is there before and after stays the row it is, so that whoever
points at it still does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ForeignKey, Model
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import write_each
from apps.common.models import BaseModel
from apps.ledger.documents import Children, Document, Reference, Row, document_of
from apps.ledger.models import Batch
from apps.ledger.services.anew import made_anew
from apps.ledger.services.pointing import going
from apps.ledger.services.recording import CHANGED, changing
from apps.ledger.services.resolving import Resolver, by_reference
from apps.ledger.services.versions import claim

AT_ONCE: Final = 500
Values = Mapping[str, Any]


@dataclass
class Putting:
    """Objects on their way to what their documents say. ``problems``: all that no longer exists."""

    document: Document
    rows: dict[Any, Model]
    values: Mapping[Any, Values]
    resolver: Resolver = field(default_factory=Resolver)
    problems: list[Problem] = field(default_factory=list)
    actor: User | str | None = None
    verb: str = CHANGED
    batch: UUID | None = None

    def label(self, key: Any) -> str:
        """Name an object, also one that is only being made."""
        row = self.rows[key]
        if not row._state.adding:
            return str(row)
        told = self.values[key]
        return self.document.joined.join(
            str(told.get(step.split("__")[0], "")) for step in self.document.label
        )

    def lack(self, key: Any, where: str, words: str) -> None:
        """Note that a row which a document names is gone."""
        told = _("there is none of this name (any more)")
        self.problems.append(Problem(f"{self.label(key)} {where}", words, told, code="gone"))


def put(
    document: Document,
    values: Mapping[Any, Values],
    *,
    user: User,
    verb: str,
    batch: Batch | None = None,
    project: UUID | None = None,
) -> None:
    """Put what is named of these objects to these values; an object that is not there is made, under its key.

    ``values``: key → name → value, as documents have them. Names that documents no longer know are passed
    over. ``project``: whose a new object is. The caller holds what the document says (``hold``). Raises
    Refused with everything that no longer exists, or NotAllowed; then nothing was changed. The number of
    queries does not grow with the number of objects.
    """
    model = document.model
    with changing(model, values, actor=user, verb=verb, batch=batch) as change:
        there = {row.pk: row for row in model._default_manager.filter(pk__in=values).order_by("pk")}
        new = made_anew(document, [key for key in values if key not in there])
        if document.project and document.project != "pk":
            for row in new.values():
                setattr(row, f"{document.project}_id", project)
        document.permit([*there.values(), *new.values()], user)
        work = Putting(document, {**there, **new}, values, actor=user, verb=change.verb, batch=change.batch)
        _find(work, values)
        columns = {key: _columns(work, key, told) for key, told in values.items()}
        if work.problems:
            raise Refused(*work.problems)
        try:
            with transaction.atomic():
                _write(work, columns, new)
                _write_lists(work, values)
                _write_late_references(work, values)
        except IntegrityError as exc:
            told = _("something else has taken its place meanwhile (a code that is in use again, perhaps)")
            raise Refused(Problem("", "", told, code="taken")) from exc
        if document.mend is not None:
            document.mend(values)
        if document.check is not None:
            document.check(values)


def put_one(row: Any, values: Values, *, user: User, row_version: int) -> None:
    """Put an object that is at this version to these values; see put. Raises Stale if it is not."""
    document = document_of(type(row))
    with changing(type(row), [row.pk], actor=user):
        claim(row, row_version)
        put(document, {row.pk: values}, user=user, verb=CHANGED)


def _find(work: Putting, values: Mapping[Any, Values]) -> None:
    """Look up every row that these documents name, but for those an object's own lists are about to hold."""
    own = work.document.row.references
    asked = [
        (own[name], (_scope(work, key, own[name]), str(words)))
        for key, told in values.items()
        for name, words in told.items()
        if name in own and words is not None and not _is_late(work, own[name])
    ]
    for name, children in work.document.children.items():
        for key, item in _items(children, values, name):
            asked += [
                (reference, (_scope(work, key, reference), str(item[at])))
                for at, reference in children.references.items()
                if item.get(at) is not None and reference.of in ("", "project")
            ]
    for reference, wanted in by_reference(asked):
        work.resolver.ask(reference, wanted)
    second = [
        (reference, (_sibling(work, key, children, item, reference), str(item[at])))
        for name, children in work.document.children.items()
        for key, item in _items(children, values, name)
        for at, reference in children.references.items()
        if item.get(at) is not None and reference.of not in ("", "project")
    ]
    for reference, wanted in by_reference(second):
        work.resolver.ask(reference, {one for one in wanted if one[0] is not None})


def _is_late(work: Putting, reference: Reference) -> bool:
    """Tell whether what is named may be one of the rows that are being put, or of their lists."""
    return reference.of == "object" or reference.model is work.document.model


def _items(children: Children, values: Mapping[Any, Values], name: str) -> list[tuple[Any, dict[str, Any]]]:
    return [
        (key, {children.key[0]: item} if children.flat else item)
        for key, told in values.items()
        for item in told.get(name) or ()
    ]


def _scope(work: Putting, key: Any, reference: Reference) -> Any:
    if not (reference.within or reference.own):
        return None
    row: Any = work.rows[key]
    project = work.document.project
    return row.pk if project == "pk" or reference.of == "object" else getattr(row, f"{project}_id")


def _sibling(
    work: Putting, key: Any, children: Children, item: Mapping[str, Any], reference: Reference
) -> Any:
    other = children.references[reference.of]
    words = item.get(reference.of)
    return None if words is None else work.resolver.key(other, _scope(work, key, other), str(words))


def _columns(work: Putting, key: Any, told: Values) -> dict[str, Any]:
    """What the object's own columns become, checked; late references come later."""
    row = work.document.row
    columns: dict[str, Any] = {}
    for name, value in told.items():
        reference = row.references.get(name)
        if name in row.computed:
            columns |= row.computed[name].write(value)
        elif name in row.fields and reference is None:
            columns[name] = _checked(work, key, row, name, value)
        elif reference is not None and name in row.fields and not _is_late(work, reference):
            found = None
            if value is not None:
                found = work.resolver.key(reference, _scope(work, key, reference), str(value))
                if found is None:
                    work.lack(key, name, str(value))
            columns[f"{name}_id"] = found
    for name, value in columns.items():
        setattr(work.rows[key], name, value)
    return columns


def _checked(work: Putting, key: Any, row: Row, name: str, value: Any) -> Any:
    column = row.fields[name]
    if value is None and not column.null:
        return column.get_default()
    try:
        return column.clean(value, cast(Any, work.rows[key]))
    except ValidationError as exc:
        for message in exc.messages:
            work.problems.append(Problem(f"{work.label(key)} {name}", str(value), message))
        return value


def _write(work: Putting, columns: Mapping[Any, dict[str, Any]], new: Mapping[Any, Model]) -> None:
    work.document.model._default_manager.bulk_create(list(new.values()), batch_size=AT_ONCE)
    alike: dict[tuple[str, ...], dict[Any, dict[str, Any]]] = defaultdict(dict)
    for key, told in columns.items():
        if told and key not in new:
            alike[tuple(sorted(told))][key] = told
    for some in alike.values():
        write_each(cast(type[BaseModel], work.document.model), some)


def _write_late_references(work: Putting, values: Mapping[Any, Values]) -> None:
    """What a character wears is one of its costumes, a shot continues another: they stand now."""
    for name, reference in work.document.row.references.items():
        if not _is_late(work, reference):
            continue
        named = {
            key: (_scope(work, key, reference), told[name]) for key, told in values.items() if name in told
        }
        wanted = {(scope, str(words)) for scope, words in named.values() if words is not None}
        work.resolver.ask(reference, wanted)
        found = {
            key: {f"{name}_id": None if words is None else work.resolver.key(reference, scope, str(words))}
            for key, (scope, words) in named.items()
        }
        for key, told in found.items():
            words = named[key][1]
            if words is not None and told[f"{name}_id"] is None:
                work.lack(key, name, str(words))
        write_each(cast(type[BaseModel], work.document.model), found)
    if work.problems:
        raise Refused(*work.problems)


def _write_lists(work: Putting, values: Mapping[Any, Values]) -> None:
    for name, children in work.document.children.items():
        lists = {key: told[name] or [] for key, told in values.items() if name in told}
        if lists:
            _write_list(work, name, children, lists)
    if work.problems:
        raise Refused(*work.problems)


def _write_list(work: Putting, name: str, children: Children, lists: Mapping[Any, Sequence[Any]]) -> None:
    """Change the rows whose keys are there before and after, delete the others, make the new ones."""
    owner = f"{children.parent}_id"
    keys = [_attribute(children, part) for part in children.key]
    rows = children.model._default_manager.filter(**{f"{children.parent}__in": list(lists)})
    there = {
        (found[owner], *(found[part] for part in keys)): found["pk"]
        for found in rows.values("pk", owner, *keys)
    }
    new: list[Model] = []
    kept: dict[Any, dict[str, Any]] = {}
    for key, items in lists.items():
        for place, item in enumerate(items):
            columns = _child_columns(work, key, name, place, children, item)
            old = there.pop((key, *(columns[part] for part in keys)), None)
            if old is None:
                new.append(children.model(**columns, **{owner: key}))
            else:
                kept[old] = columns
    gone = list(there.values())
    with going(children.model, gone, actor=work.actor, verb=work.verb, batch=work.batch):
        rows.filter(pk__in=gone).delete()
    write_each(cast(type[BaseModel], children.model), kept)
    if not work.problems:
        children.model._default_manager.bulk_create(new, batch_size=AT_ONCE)


def _child_columns(
    work: Putting, key: Any, name: str, place: int, children: Children, item: Any
) -> dict[str, Any]:
    told = {children.key[0]: item} if children.flat else item
    columns: dict[str, Any] = {children.ordered: place} if children.ordered else {}
    for at, column in children.row.fields.items():
        value = told.get(at)
        reference = children.references.get(at)
        if reference is None:
            columns[at] = column.get_default() if value is None and not column.null else value
            continue
        found = None
        if value is not None:
            sibling = reference.of not in ("", "project")
            scope = (
                _sibling(work, key, children, told, reference) if sibling else _scope(work, key, reference)
            )
            found = work.resolver.key(reference, scope, str(value))
            if found is None:
                work.lack(key, f"{name}[{place}].{at}", str(value))
        columns[f"{at}_id"] = found
    return columns


def _attribute(children: Children, name: str) -> str:
    column = children.row.fields[name]
    return column.attname if isinstance(column, ForeignKey) else name
