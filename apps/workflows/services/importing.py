"""A file that somebody brings becomes a draft: kept as it came, converted, and read for what can be set."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, Final, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import move, record_event
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.workflows.catalogues import catalogue
from apps.workflows.models import WorkflowImport
from apps.workflows.saidwords import as_kept
from apps.workflows.services.managing import require_import
from apps.workflows.services.shape import is_kept, keepable, misshapen
from apps.workflows.states import IMPORT, ImportState
from workflows.catalogue import ObjectInfo
from workflows.convert import convert
from workflows.convert.files import read_stream
from workflows.convert.saying import unkeepable
from workflows.errors import CannotConvert
from workflows.finding import draft_manifest, find
from workflows.finding.packs import draft_packs
from workflows.graph import Graph
from workflows.problems import Problem as Finding
from workflows.problems import without_missing_models
from workflows.validate import check_graph

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 30 * 1024 * 1024
"""Below what a request may carry (farm.limits); of a longer film the workflow's JSON is brought."""
_IN_MEMORY: Final = 2 * 1024 * 1024
_CHUNK: Final = 256 * 1024
SYSTEM: Final = "farm"
"""The actor of what nobody in particular brought."""
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_OPEN: Final = (ImportState.DRAFT, ImportState.REFUSED, ImportState.DISCARDED)


@dataclass(frozen=True)
class Imported:
    """The draft, and whether this call made it (False: the very same file was brought before)."""

    row: WorkflowImport
    created: bool


@dataclass(frozen=True)
class Read:
    """What came of a file: a graph with notes, or the problems why there is none."""

    graph: Graph
    notes: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    manifest: dict[str, Any]

    @property
    def state(self) -> ImportState:
        return ImportState.DRAFT if self.graph else ImportState.REFUSED


def import_file(
    file: BinaryIO | File[bytes], *, name: str, catalogue_name: str, user: User | None
) -> Imported:
    """Keep a file that ComfyUI saved or wrote, and make a draft of it, even if it cannot be converted.

    The same bytes again give the draft that is there. ``user`` None: whoever has the farm's shell. Raises
    NotAllowed, and Refused for a file that is empty or too long, or for an unknown catalogue.
    """
    if user is not None:
        require_import(user)
    object_info = catalogue(catalogue_name)
    name = _plain_name(name)
    actor = SYSTEM if user is None else user.get_username()
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        sha256, size = _copied(file, copy, name)
        there = WorkflowImport.objects.filter(sha256=sha256).first()
        if there is not None:
            return Imported(there, created=False)
        read = _read(cast("BinaryIO", copy), object_info, name)
        key = _keep(copy, sha256, name)
    row = WorkflowImport(
        state=read.state,
        file_name=name,
        sha256=sha256,
        bytes=size,
        original=key,
        imported_by=user,
        catalogue=catalogue_name,
        graph=read.graph,
        notes=read.notes,
        problems=read.problems,
        manifest=read.manifest,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record_event(IMPORT, row.pk, to=row.state, actor=actor, data={"file": name, "sha256": sha256})
    except IntegrityError:
        # Two dropped the same file at once: the unique hash let exactly one in.
        return Imported(WorkflowImport.objects.get(sha256=sha256), created=False)
    logger.info("workflow imported", extra={"import": row.pk, "state": row.state, "bytes": size})
    return Imported(row, created=True)


def convert_again(
    row: WorkflowImport, *, catalogue_name: str, user: User, row_version: int | None = None
) -> WorkflowImport:
    """Read the kept file anew, with this catalogue; what was filled in is drafted anew too.

    ``row_version``: of the draft as it was read; None: whichever it is at. Raises NotAllowed; Refused if the
    file is gone; Stale where somebody filled in something since; Conflict if the draft has become a template.
    """
    require_import(user)
    object_info = catalogue(catalogue_name)
    try:
        with default_storage.open(row.original, "rb") as stored, SpooledTemporaryFile(_IN_MEMORY) as copy:
            _copied(stored, copy, row.file_name)
            read = _read(cast("BinaryIO", copy), object_info, row.file_name)
    except FileNotFoundError as exc:
        told = _("the kept file is not in the artifact store any more; bring it again")
        raise Refused(Problem("file", row.file_name, told, code="file_gone")) from exc
    with changing(WorkflowImport, [row.pk], actor=user):
        if row_version is not None:
            require_unchanged(row, row_version, "manifest")
        move_open(
            row,
            read.state,
            user,
            reason=f"converted with {catalogue_name}",
            changes={
                "catalogue": catalogue_name,
                "graph": read.graph,
                "notes": read.notes,
                "problems": read.problems,
                "manifest": read.manifest,
            },
        )
    row.refresh_from_db()
    return row


def discard(row: WorkflowImport, *, user: User) -> None:
    """Lay a draft aside. Its file stays, and bringing it again finds it. Raises NotAllowed, Conflict."""
    require_import(user)
    move_open(row, ImportState.DISCARDED, user, reason="discarded", changes={})


def keep_manifest(
    row: WorkflowImport, manifest: dict[str, Any], *, user: User, row_version: int | None = None
) -> None:
    """Keep a manifest as far as it is filled in.

    ``row_version``: of the draft as it was read; None where the caller has claimed it. Raises NotAllowed,
    Conflict, Stale, Refused for what is none.
    """
    require_import(user)
    if problems := misshapen(manifest):
        raise Refused(*problems)
    with changing(WorkflowImport, [row.pk], actor=user):
        if row_version is not None:
            require_unchanged(row, row_version, "manifest")
        kept = WorkflowImport.objects.filter(pk=row.pk, state=ImportState.DRAFT).update(manifest=manifest)
        if not kept:
            raise closed(row)
    row.refresh_from_db(fields=["manifest", "row_version"])


def move_open(
    row: WorkflowImport, to: ImportState, user: User, *, reason: str, changes: dict[str, Any]
) -> None:
    """Move an import that is open, with what changes of it. Raises Conflict if it is closed."""
    actor = user.get_username()
    if not move(IMPORT, row, from_=_OPEN_BUT[to], to=to, actor=actor, reason=reason, changes=changes):
        raise closed(row)


_OPEN_BUT: Final = {
    ImportState.DRAFT: _OPEN,
    ImportState.REFUSED: _OPEN,
    ImportState.DISCARDED: _OPEN[:2],
}


def closed(row: WorkflowImport) -> Conflict:
    """Say that a draft was confirmed or laid aside, perhaps by somebody else."""
    row.refresh_from_db(fields=["state"])
    told = _("this import is no open draft any more: %s") % row.get_state_display()
    return Conflict(Problem("state", row.state, told, code="illegal_move"))


def _copied(file: BinaryIO | File[bytes], copy: IO[bytes], name: str) -> tuple[str, int]:
    """Copy an upload, hashed and counted while it is read; return hash and size."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            told = _("the file has more than %d MB; of a long film, bring the workflow's JSON instead")
            raise Refused(Problem("file", name, told % (MOST_BYTES // 1024**2), code="too_large"))
        digest.update(chunk)
        copy.write(chunk)
    if not size:
        raise Refused(Problem("file", name, _("the file is empty; choose a workflow"), code="empty"))
    copy.seek(0)
    return digest.hexdigest(), size


def _read(file: BinaryIO, object_info: ObjectInfo, name: str) -> Read:
    """Convert a file and see what can be set in it; a file that cannot be converted has problems instead."""
    try:
        document = read_stream(file)
        conversion = convert(document, object_info)
    except CannotConvert as exc:
        return Read({}, [], _as_json(exc.problems), {})
    graph = conversion.graph
    if fault := _unkept(graph):
        return Read({}, [], _as_json([fault]), {})
    manifest = drafted(graph, object_info, name)
    if packs := draft_packs(graph, object_info, document):
        manifest["packs"] = packs
    return Read(graph, _as_json(conversion.notes), findings(graph, object_info), manifest)


def drafted(graph: Graph, object_info: ObjectInfo, name: str) -> dict[str, Any]:
    """The manifest as far as a graph tells it; ``name`` is its file's."""
    slug = slug_from(name)
    title = PurePosixPath(name).stem[:120] or slug
    found = find(graph, object_info)
    return draft_manifest(graph, object_info, found, slug=slug, title={"en": title, "ko": title})


def findings(graph: Graph, object_info: ObjectInfo) -> list[dict[str, Any]]:
    """What is wrong with a graph, as it is kept."""
    return _as_json(check_graph(graph, object_info))


def read_file(file: BinaryIO, *, name: str, catalogue_name: str) -> tuple[str, Read]:
    """Read a file as an import would, and keep nothing: its SHA-256, and what came of it. Raises Refused."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        sha256, _size = _copied(file, copy, name)
        return sha256, _read(cast("BinaryIO", copy), catalogue(catalogue_name), name)


def _unkept(graph: Graph) -> Finding | None:
    """A text that no database keeps: with a NUL, or with half of a character."""
    whole = json.dumps(graph, ensure_ascii=False)
    if "\\u0000" not in whole and is_kept(whole):
        return None
    for node_id, node in graph.items():
        if not is_kept((node_id, node)):
            return Finding(None, None, "unreadable", unkeepable(node_id, str(node["class_type"])))
    return None


def slug_from(name: str) -> str:
    """Make a template's name of a file's: lower case, letters, digits and underscores."""
    slug = _SLUG.sub("_", PurePosixPath(name).stem.lower()).strip("_")[:50].strip("_")
    return slug or "imported"


def _keep(copy: IO[bytes], sha256: str, name: str) -> str:
    """Put the file into the artifact store under its content's name."""
    suffix = PurePosixPath(name).suffix.lower()
    key = f"imports/{sha256}{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else ''}"
    if default_storage.exists(key):
        return key
    copy.seek(0)
    return default_storage.save(key, File(copy))


def _plain_name(name: str) -> str:
    """A file's name without its folders and without what no line can show."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(letter for letter in last if letter.isprintable()).strip()
    return plain[-200:] or "workflow"


def _as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    said = list(findings)
    kept = without_missing_models(said)
    return [_keepable(as_kept(one)) | {"absent": one not in kept} for one in said]


def _keepable(row: dict[str, Any]) -> dict[str, Any]:
    """What a stranger's file says stands in these; the sentence was made clean when it was said."""
    names = {name: keepable(row[name]) for name in ("node", "input", "title")}
    return row | names | {"nearest": [keepable(name) for name in row["nearest"]]}
