"""Every file of the stores that the database speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from django.db.models import Model

from apps.characters.models import CharacterReference
from apps.folders.models import Publication
from apps.folders.states import Published
from apps.folders.store import ALIAS
from apps.materials.models import Material, Medium
from apps.projects.models import Project
from apps.review.models import Artifact, Take
from apps.review.states import Media
from apps.sheets.models import ImportBatch
from apps.sheets.states import BatchState
from apps.workflows.models import WorkflowImport

DEFAULT: Final = "default"
"""The artifact store, in settings.STORAGES."""

Rows = Callable[[str], Iterable[Any]]
"""Ask the snapshot: a statement, its rows."""


@dataclass(frozen=True)
class Reference:
    """A file of a store. ``bytes`` and ``sha256`` as the database knows them; None and "": it does not."""

    store: str
    key: str
    bytes: int | None
    sha256: str


@dataclass(frozen=True)
class Source:
    """A column that holds keys, with those that hold size and sum, and a condition."""

    model: type[Model]
    key: str
    bytes: str = ""
    sha256: str = ""
    where: str = ""
    store: str = DEFAULT

    def statement(self) -> str:
        """Ask for its rows: names of columns and states are ours."""
        asked = ", ".join(
            self._column(name) if name else "NULL" for name in (self.key, self.bytes, self.sha256)
        )
        where = f"{self._column(self.key)} <> ''" + (f" AND {self.where}" if self.where else "")
        return f'SELECT {asked} FROM "{self.model._meta.db_table}" WHERE {where}'  # noqa: S608 - names are ours

    def _column(self, name: str) -> str:
        return f'"{self.model._meta.get_field(name).column}"'  # type: ignore[union-attr]  # a column, no relation


_LAID_ASIDE: Final = ", ".join(f"'{state.value}'" for state in (BatchState.REFUSED, BatchState.EXPIRED))
_GONE: Final = f"SELECT id FROM \"{Take._meta.db_table}\" WHERE media_state = '{Media.MISSING.value}'"  # noqa: S608  # ours

SOURCES: Final = (
    Source(Artifact, "key", "bytes", "sha256", f"take_id NOT IN ({_GONE})"),
    Source(Material, "key", "bytes", "sha256"),
    Source(CharacterReference, "key", "bytes", "sha256"),
    Source(Project, "thumbnail_key"),
    Source(WorkflowImport, "original", "bytes", "sha256"),
    Source(ImportBatch, "key", "bytes", "sha256", f"state NOT IN ({_LAID_ASIDE})"),
    Source(Publication, "path", "bytes", "sha256", f"state = '{Published.PUBLISHED.value}'", ALIAS),
)


def every_reference(ask: Rows) -> Iterator[Reference]:
    """Every file, in no order; a file that two rows share comes twice."""
    for source in SOURCES:
        for key, size, sha256 in ask(source.statement()):
            yield Reference(source.store, key, size, sha256 or "")
    yield from _beside_materials(ask)


def _beside_materials(ask: Rows) -> Iterator[Reference]:
    """Small pictures of material and proxies of videos, which have no columns of their own."""
    ready = f"SELECT key, medium FROM \"{Material._meta.db_table}\" WHERE state = '{Media.READY.value}'"  # noqa: S608 - ours
    for key, medium in ask(ready):
        whole = Material(key=key)
        if medium != Medium.AUDIO:
            yield Reference(DEFAULT, whole.thumb_key, None, "")
        if medium == Medium.VIDEO:
            yield Reference(DEFAULT, whole.proxy_key, None, "")


def is_safe(key: str) -> bool:
    """Whether a key stays inside its store, whoever wrote the list it comes from."""
    path = PurePosixPath(key)
    return (
        bool(key)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\\" not in key
        and "\0" not in key
    )
