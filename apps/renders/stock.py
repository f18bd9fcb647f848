"""Which model file lies on which node, what templates need of that, and what is missing where. Reads only."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.errors import Problem, Refused
from apps.nodes.models import Node, NodeFile
from apps.nodes.selectors import known_capabilities
from apps.nodes.stock import File, files_of
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.selectors import offered
from apps.workflows.services import template_of
from workflows.downloads import Download
from workflows.errors import WorkflowError
from workflows.manifest import ModelFile

logger = logging.getLogger(__name__)


class Standing(StrEnum):
    """How a file stands on a node."""

    PRESENT = "present"
    UNSURE = "unsure"
    OTHER = "other"
    MISSING = "missing"


WORDS: Final[Mapping[Standing, Promise]] = {
    Standing.PRESENT: gettext_lazy("present"),
    Standing.UNSURE: gettext_lazy("present, content unknown"),
    Standing.OTHER: gettext_lazy("another file of this name"),
    Standing.MISSING: gettext_lazy("missing"),
}

WHY: Final[Mapping[str, Promise]] = {
    "waiting": gettext_lazy("its hash is being found"),
    "elsewhere": gettext_lazy("the worker does not see ComfyUI’s folder: set SHOTFARM_MODELS there"),
    "other_size": gettext_lazy("what the worker sees there has another size than ComfyUI tells"),
    "unreadable": gettext_lazy("the worker cannot read it"),
    "changing": gettext_lazy("it is being written"),
}


@dataclass(frozen=True)
class Need:
    """A file that templates load. ``templates``: who does, as "slug" or "slug (precision)"."""

    folder: str
    name: str
    url: str = ""
    sha256: str = ""
    size: int | None = None
    license_note: str = ""
    templates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One file on one node. ``size`` and ``sha256`` are None and "" where nobody knows; ``why`` says why."""

    node: Node
    standing: Standing
    size: int | None = None
    sha256: str = ""
    why: str = ""

    @property
    def label(self) -> Promise:
        """What people read."""
        return WORDS[self.standing]

    @property
    def because(self) -> str:
        """Why its hash is not known, in the reader's language; "" if it is."""
        if self.standing is Standing.MISSING or self.sha256:
            return ""
        return str(
            WHY.get(self.why) or self.why or _("its worker has not told it; an older one tells no hashes")
        )


@dataclass(frozen=True)
class Row:
    """One file, and how it stands on every node asked for. ``conflict``: nodes have different contents."""

    folder: str
    name: str
    cells: tuple[Cell, ...]
    need: Need | None = None
    conflict: bool = False

    @property
    def path(self) -> str:
        """Folder and name."""
        return f"{self.folder}/{self.name}"

    @property
    def size(self) -> int | None:
        """What is said of its size: by the manifest, else by the nodes if they agree."""
        if self.need is not None and self.need.size is not None:
            return self.need.size
        told = {cell.size for cell in self.cells if cell.size is not None}
        return next(iter(told)) if len(told) == 1 else None

    @property
    def missing_on(self) -> tuple[str, ...]:
        """Names of nodes that lack it, or have another file in its place."""
        lacks = (Standing.MISSING, Standing.OTHER)
        return tuple(cell.node.name for cell in self.cells if cell.standing in lacks)


@dataclass(frozen=True)
class Matrix:
    """Files × nodes."""

    nodes: tuple[Node, ...]
    rows: tuple[Row, ...] = field(default=())

    def only_missing(self) -> Matrix:
        """The rows of which some node lacks the file."""
        return Matrix(self.nodes, tuple(row for row in self.rows if row.missing_on))


def stocked_nodes() -> list[Node]:
    """Nodes whose lists are known, by name."""
    nodes = known_capabilities().only(
        *("name", "models_by_folder", "software", "simulated", "observed", "inventory_mark", "tier_gb"),
        *("capabilities_of", "hears", "keys", "prove_minutes"),
    )
    return list(nodes.order_by("name"))


def templates_named(slug: str = "") -> list[WorkflowTemplate]:
    """The offered templates, or one of them. Raises Refused, naming what is offered."""
    templates = list(offered().order_by("slug"))
    if not slug:
        return templates
    found = [template for template in templates if template.slug == slug]
    if not found:
        names = ", ".join(template.slug for template in templates) or "–"
        told = _("is not offered; offered are: %s") % names
        raise Refused(Problem("template", slug, told, code="unknown_template"))
    return found


def needs_of(templates: Iterable[WorkflowTemplate]) -> list[Need]:
    """Every file these templates load, once each, with who loads it."""
    found: dict[File, Need] = {}
    for template in templates:
        if template.current is None:
            continue
        for file in _files(template.current):
            by = template.slug if file.precision is None else f"{template.slug} ({file.precision})"
            before = found.get((file.folder, file.name), Need(file.folder, file.name))
            found[file.folder, file.name] = Need(
                folder=file.folder,
                name=file.name,
                url=before.url or file.url or "",
                sha256=before.sha256 or file.sha256 or "",
                size=before.size if before.size is not None else file.size,
                license_note=before.license_note or file.license_note or "",
                templates=tuple(dict.fromkeys((*before.templates, by))),
            )
    return [found[key] for key in sorted(found)]


def _files(version: WorkflowTemplateVersion) -> Iterable[ModelFile]:
    """The files of a version's manifest; where nobody can read it any more, their names."""
    try:
        return template_of(version).manifest.models
    except WorkflowError as exc:
        logger.warning("manifest not readable", extra={"template": str(version), "why": str(exc)})
        return [ModelFile(node="", input="", **need) for need in version.models_needed]


def matrix(nodes: Sequence[Node], needs: Iterable[Need], *, everything: bool = False) -> Matrix:
    """Lay needed files out over nodes; with ``everything`` also what else lies there. One query."""
    by_file: dict[File, Need | None] = {(need.folder, need.name): need for need in needs}
    if everything:
        for node in nodes:
            for folder, names in node.models_by_folder.items():
                for name in names:
                    by_file.setdefault((folder, name), None)
    told = files_of(nodes, None if everything else list(by_file))
    has = {
        node.pk: {(folder, name) for folder, names in node.models_by_folder.items() for name in names}
        for node in nodes
    }
    return Matrix(
        tuple(nodes), tuple(_row(file, by_file[file], nodes, has, told) for file in sorted(by_file))
    )


def downloads(found: Matrix) -> list[Download]:
    """What is to be fetched so that these nodes lack nothing that is needed."""
    return [
        Download(
            folder=row.folder,
            name=row.name,
            url=row.need.url,
            size=row.size,
            sha256=row.need.sha256 or _agreed_hash(row),
            license_note=row.need.license_note,
            why=_why(row),
        )
        for row in found.rows
        if row.need is not None and row.missing_on
    ]


def _why(row: Row) -> str:
    needed = ", ".join(row.need.templates) if row.need else ""
    facts = {"templates": needed, "nodes": ", ".join(row.missing_on)}
    return _("for %(templates)s; lacking on %(nodes)s") % facts


def _agreed_hash(row: Row) -> str:
    """What all nodes that have hashed it have; "" if that is nobody, or they differ."""
    hashes = {cell.sha256 for cell in row.cells if cell.sha256}
    return next(iter(hashes)) if len(hashes) == 1 else ""


def _row(
    file: File,
    need: Need | None,
    nodes: Sequence[Node],
    has: Mapping[UUID, set[File]],
    told: Mapping[UUID, Mapping[File, NodeFile]],
) -> Row:
    facts = {node.pk: told.get(node.pk, {}).get(file) for node in nodes if file in has[node.pk]}
    hashes = Counter(fact.sha256 for fact in facts.values() if fact is not None and fact.sha256)
    right = need.sha256 if need else ""
    conflict = len(hashes) > 1
    cells = []
    for node in nodes:
        fact = facts.get(node.pk)
        if node.pk not in facts:
            cells.append(Cell(node, Standing.MISSING))
        elif fact is None:
            cells.append(Cell(node, Standing.UNSURE))
        else:
            standing = _judge(fact, right=right, need=need, conflict=conflict, hashes=hashes)
            cells.append(Cell(node, standing, fact.size, fact.sha256, fact.why))
    return Row(file[0], file[1], tuple(cells), need, conflict)


def _judge(
    fact: NodeFile, *, right: str, need: Need | None, conflict: bool, hashes: Counter[str]
) -> Standing:
    """Without a hash in the manifest, what most nodes have is right; where there is no most, nothing is."""
    if need is not None and need.size is not None and fact.size not in (None, need.size):
        return Standing.OTHER
    if not fact.sha256:
        return Standing.UNSURE
    if right:
        return Standing.PRESENT if fact.sha256 == right else Standing.OTHER
    if conflict and 2 * hashes[fact.sha256] <= hashes.total():
        return Standing.OTHER
    return Standing.PRESENT


def row_json(row: Row) -> dict[str, Any]:
    """A row for tools."""
    need = row.need
    return {
        "folder": row.folder,
        "name": row.name,
        "templates": list(need.templates) if need else [],
        "url": need.url if need else "",
        "sha256": need.sha256 if need else "",
        "size": row.size,
        "conflict": row.conflict,
        "missing_on": list(row.missing_on),
        "nodes": [_cell_json(cell) for cell in row.cells],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        "node": cell.node.name,
        "standing": str(cell.standing),
        "size": cell.size,
        "sha256": cell.sha256,
        "why": cell.why,
    }
