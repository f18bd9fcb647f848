"""Documents: what an object says, as plain JSON, its cast and other lists included.

Each app describes its tracked models in ``tracked.py``; a model's columns are taken from the model itself, so
that a column added later is remembered without anybody thinking of it. Rows that are pointed at stand in a
document by the words people use for them (a location by its code), so that it can be read by people, compared
between databases, and put back after the row it named has been made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Field, ForeignKey, Model
from django.utils.functional import Promise

if TYPE_CHECKING:
    from apps.accounts.models import User

VERSION: Final = "row_version"
BOOKKEEPING: Final = frozenset({"id", "created_at", "updated_at", VERSION})
"""Columns of every row that say nothing of what somebody planned."""
OWN: Final = "own:"
"""Stands before the words of a row that is one project's own, among rows of the whole farm."""
AT_ONCE: Final = 10_000
"""Keys in one query: more than this are read in several."""

Values = Mapping[str, Any]
Driver = Callable[[Mapping[Any, Any], "User"], Collection[Any]]
Speech = Callable[[], Mapping[str, str]]
"""Reads what pages call the words of a field, in the language of whoever looks."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A row by its words: ``by`` are lookups of the model, joined by ``joined``.

    ``within`` is the lookup that keeps apart rows of the same words, such as a location's "project"; ``of``
    says whose key it must be: "project" (the object's), "object" (the object itself), or another reference
    of the same row. ``own`` is the lookup of the project whose own a row may be, among rows of the farm: such
    a row has OWN before its words, and is found for objects of its project only.
    """

    model: type[Model]
    by: tuple[str, ...] = ("code",)
    joined: str = "/"
    within: str = ""
    of: str = "project"
    own: str = ""

    @property
    def steps(self) -> tuple[str, ...]:
        """All that is looked up of a row."""
        return (self.own, *self.by) if self.own else self.by

    def words(self, values: Iterable[Any]) -> str | None:
        """Join what ``steps`` gave; None if there is no such row."""
        own, *told = values if self.own else (None, *values)
        named = [str(value) for value in told if value is not None]
        if not named:
            return None
        return (OWN if own is not None else "") + self.joined.join(named)


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A value that several columns make together, such as a frame rate, and how it is put back into them."""

    columns: tuple[str, ...]
    read: Callable[..., Any]
    write: Callable[[Any], Mapping[str, Any]]
    label: str | Promise


class Row:
    """The columns of a model that stand in documents, and how they are read."""

    def __init__(
        self,
        model: type[Model],
        references: Mapping[str, Reference],
        left_out: Collection[str],
        computed: Mapping[str, Computed] = MappingProxyType({}),
    ) -> None:
        self.model = model
        self.references = dict(references)
        self.computed = dict(computed)
        self.left_out = {*left_out, *(column for one in self.computed.values() for column in one.columns)}

    @cached_property
    def fields(self) -> dict[str, Field[Any, Any]]:
        """Name → column, in the model's order. A foreign key without words is ImproperlyConfigured."""
        found: dict[str, Field[Any, Any]] = {}
        for column in self.model._meta.concrete_fields:
            if column.name in BOOKKEEPING or column.name in self.left_out or column.primary_key:
                continue
            if isinstance(column, ForeignKey) and column.name not in self.references:
                raise ImproperlyConfigured(
                    f"{self.model.__name__}.{column.name}: say in tracked.py how a document names such a row"
                )
            found[column.name] = column
        return found

    @cached_property
    def lookups(self) -> list[str]:
        """What a query asks for, see ``told``."""
        names = [*self.fields, *self.computed]
        return [lookup for name in names for lookup in self.lookups_of(name)]

    def told(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Make a document's part of what ``lookups`` found."""
        told: dict[str, Any] = {}
        for name in self.fields:
            values = [found[lookup] for lookup in self.lookups_of(name)]
            reference = self.references.get(name)
            told[name] = reference.words(values) if reference else plain(values[0])
        for name, computed in self.computed.items():
            told[name] = computed.read(*(found[column] for column in computed.columns))
        return told

    def lookups_of(self, name: str) -> list[str]:
        """Lookups of one name: the column, or the words of the row it points at."""
        if name in self.computed:
            return list(self.computed[name].columns)
        reference = self.references.get(name)
        return [f"{name}__{step}" for step in reference.steps] if reference else [name]


@dataclass(frozen=True, kw_only=True)
class Children:
    """Rows that belong to an object and have no life of their own: a shot's cast, a character's costumes.

    ``key``: the names that tell one from another in its list. ``ordered``: the column that holds the place in
    the list (then not in the document). ``flat``: the list holds the one value alone, not an object.
    ``label``: what people call the list. ``unspoken``: columns that are remembered and not told to people;
    ``shortened``: to how many letters a key is cut there.
    """

    model: type[Model]
    parent: str
    key: tuple[str, ...]
    references: Mapping[str, Reference] = field(default_factory=dict)
    ordered: str = ""
    flat: bool = False
    label: str | Promise = ""
    left_out: tuple[str, ...] = ()
    unspoken: tuple[str, ...] = ()
    shortened: int | None = None

    @cached_property
    def row(self) -> Row:
        """The columns of each."""
        return Row(self.model, self.references, {*self.left_out, self.parent, self.ordered})

    def read(self, keys: Collection[Any]) -> dict[Any, list[Any]]:
        """Read the lists of these objects, in their order; one query."""
        lists: dict[Any, list[Any]] = defaultdict(list)
        order = (self.ordered,) if self.ordered else self.row.lookups_of(self.key[0])
        rows = self.model._default_manager.filter(**{f"{self.parent}__in": keys})
        for found in rows.order_by(*order, "pk").values(f"{self.parent}_id", *self.row.lookups):
            told = self.row.told(found)
            lists[found[f"{self.parent}_id"]].append(told[self.key[0]] if self.flat else told)
        return lists


@dataclass(frozen=True)
class Snapshot:
    """An object as it was: what it said, what it was called, whose project's it is (None: the farm's)."""

    project: UUID | None
    label: str
    values: dict[str, Any]
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """How one kind of object is remembered.

    ``kind``: its word in activity ("shot"). ``label``: lookups that name it, joined by ``joined``.
    ``project``: the lookup of its project's key, "" for what the whole farm shares. ``steered``: what is
    remembered, and never put back by restoring (a status has a machine of its own); ``drivers`` move such a
    field back when a bulk change is undone, and return the keys that they could not move. ``goes_with``: rows
    of other kinds, by their related names, that may vanish with the object. ``permit``: raises
    NotAllowed or Refused unless this person may change these rows by hand now. ``guarded``: names that take
    more than that, with who has it; restored by others, they stay as they are. ``hold``: locks, before any
    row, what a project's objects are judged under. ``mend``: changes, of what was put (key → name → value,
    written already), what can no longer stand so and is no reason to refuse; then ``check``: raises Refused
    where they may not stand as they are put, and changes nothing. ``managed``: what is changed of it is told
    to nobody but those who manage its project. ``spoken``: fields whose words (slugs, say) pages call
    otherwise.
    """

    model: type[Model]
    kind: str
    label: tuple[str, ...] = ("code",)
    joined: str = "_"
    project: str = "project"
    references: Mapping[str, Reference] = field(default_factory=dict)
    children: Mapping[str, Children] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    steered: tuple[str, ...] = ()
    drivers: Mapping[str, Driver] = field(default_factory=dict)
    goes_with: tuple[str, ...] = ()
    permit: Callable[[Sequence[Any], User], None]
    guarded: Mapping[str, Callable[[Sequence[Any], User], bool]] = field(default_factory=dict)
    hold: Callable[[UUID | None], None] | None = None
    mend: Callable[[Mapping[Any, Values]], None] | None = None
    check: Callable[[Mapping[Any, Values]], None] | None = None
    managed: bool = False
    spoken: Mapping[str, Speech] = field(default_factory=dict)

    @cached_property
    def row(self) -> Row:
        """The object's own columns."""
        return Row(self.model, self.references, self.left_out, self.computed)

    @cached_property
    def versioned(self) -> bool:
        """Whether the model counts its versions."""
        return any(column.name == VERSION for column in self.model._meta.concrete_fields)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that stand in a document: columns, then lists."""
        return (*self.row.fields, *self.computed, *self.children)

    @cached_property
    def names_models(self) -> frozenset[type[Model]]:
        """The models whose rows a document names."""
        lists = [one for children in self.children.values() for one in children.references.values()]
        return frozenset(one.model for one in (*self.references.values(), *lists))

    def read(self, keys: Collection[Any], *, lists: bool = True) -> dict[Any, Snapshot]:
        """Read these objects as they are now; those that are gone are left out.

        One query, and one for each kind of list (again for every AT_ONCE keys). ``lists`` False: no lists.
        """
        found: dict[Any, Snapshot] = {}
        for some in batches(list(keys), AT_ONCE):
            found |= self._read(some, self.children if lists else {})
        return found

    def _read(self, keys: Collection[Any], children: Mapping[str, Children]) -> dict[Any, Snapshot]:
        rows = self.model._default_manager.filter(pk__in=keys).order_by("pk")
        asked = {"pk", self.project or "pk", *self.label, *self.row.lookups}
        asked |= {VERSION} if self.versioned else set()
        own = list(rows.values(*asked))
        lists = {name: one.read(keys) for name, one in children.items()} if own else {}
        return {
            (key := found["pk"]): Snapshot(
                project=found[self.project] if self.project else None,
                label=self.joined.join(str(found[lookup]) for lookup in self.label),
                values=self.row.told(found) | {name: lists[name].get(key, []) for name in lists},
                version=found.get(VERSION),
            )
            for found in own
        }


_registered: dict[type[Model], Document] = {}


def track(document: Document) -> Document:
    """Remember the changes of a model's rows from now on; called in an app's ``tracked.py``."""
    if any(document.kind == other.kind and other.model is not document.model for other in documents()):
        raise ImproperlyConfigured(f"two models are tracked as “{document.kind}”")
    _registered[document.model] = document
    return document


def documents() -> tuple[Document, ...]:
    """Every kind of object that is remembered."""
    return tuple(_registered.values())


def document_of(model: type[Model]) -> Document:
    """Return how a model's rows are remembered. Raises LookupError for a model that no tracked.py names."""
    try:
        return _registered[model]
    except KeyError:
        raise LookupError(f"{model.__name__} is not tracked: describe it in its app's tracked.py") from None


def is_tracked(model: type[Model]) -> bool:
    """Tell whether changes of this model's rows are remembered."""
    return model in _registered


def document_named(kind: str) -> Document | None:
    """Return how a kind of object is remembered; None if it is no longer."""
    return next((document for document in documents() if document.kind == kind), None)


def plain(value: Any) -> Any:
    """Write a column's value as JSON has it."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value


def batches(keys: list[Any], size: int) -> Iterator[list[Any]]:
    """Cut a list into pieces of at most ``size``."""
    return (keys[start : start + size] for start in range(0, len(keys), size))
