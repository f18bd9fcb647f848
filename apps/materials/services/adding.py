"""A file comes in: what it is, is decided by its bytes; what it is called, by nobody but the farm.

A picture is decoded whole and encoded anew at once, as characters' reference pictures are
(:mod:`apps.characters.pictures`). Videos and sounds are kept as they came, and no job is given one before the
media worker has decoded it to its end.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.characters.pictures import read_picture
from apps.common.errors import Conflict, Problem, Refused
from apps.common.ids import uuid7
from apps.common.machines import record_event
from apps.ledger.services.recording import changing
from apps.materials.formats import KNOWN, SNIFFED, Format, format_of, suffix_of, usual_kind
from apps.materials.models import MEDIA_OF, Material, MaterialKind, Medium
from apps.materials.selectors import Owner, of_owner, place_of
from apps.materials.services.queueing import request_material
from apps.materials.states import MATERIAL
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import ArtifactRole
from apps.review.previews import make_previews
from apps.review.services.keeping import keep
from apps.review.states import Media

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 30 * 1024 * 1024
"""Of a video or sound: with its form it has to fit into one request (farm.limits)."""
LONGEST_NAME: Final = 120
CHUNK: Final = 1024 * 1024


@dataclass(frozen=True)
class Added:
    """``created`` False: the same file was there already."""

    material: Material
    created: bool


@dataclass(frozen=True, kw_only=True)
class _Arrival:
    """A file as it will be kept, on a local disk; pixels of a picture, which is ready at once."""

    path: Path
    format: Format
    sha256: str
    bytes: int
    width: int = 0
    height: int = 0
    thumb: Path | None = None


def add_material(
    owner: Owner, file: BinaryIO | File[bytes], *, kind: str = "", name: str = "", user: User
) -> Added:
    """Check a file and keep it for a shot, a sequence or a film. ``kind`` "": as name and bytes suggest.

    The same file twice under one kind gives the row that is there. Raises NotAllowed; Refused with what is
    wrong and what would be right; Conflict if that row was taken away at the same moment.
    """
    project = owner if isinstance(owner, Project) else owner.project
    require(user, Act.PLAN, project, shot=owner.pk if isinstance(owner, Shot) else None)
    told = PurePosixPath(str(getattr(file, "name", "") or "").replace("\\", "/")).name
    found = _format(file, told)
    chosen = _kind(kind, found, told)
    with TemporaryDirectory(prefix="shotfarm-material-") as folder:
        come = _arrived(file, found, told, Path(folder))
        there = of_owner(owner).filter(kind=chosen, sha256=come.sha256).first()
        if there is not None:
            return Added(there, created=False)
        shown = (name.strip() or told or found.title)[:LONGEST_NAME]
        return _keep(owner, project, come, kind=chosen, name=shown, user=user)


def _keep(owner: Owner, project: Project, come: _Arrival, *, kind: str, name: str, user: User) -> Added:
    pk = uuid7()
    ready = come.format.medium is Medium.IMAGE
    material = Material(
        pk=pk,
        **place_of(owner),
        kind=kind,
        name=name,
        key=f"materials/{project.code}/{pk.hex}/{come.sha256}.{come.format.suffix}",
        media_type=come.format.media_type,
        medium=come.format.medium,
        sha256=come.sha256,
        bytes=come.bytes,
        width=come.width,
        height=come.height,
        frames=1 if ready else 0,
        state=Media.READY if ready else Media.PROCESSING,
        added_by=user,
    )
    keep(come.path, material.key)
    if come.thumb is not None:
        keep(come.thumb, material.thumb_key)
    with changing(Material, actor=user) as change:
        # Two uploads of one file at once: the constraint lets one in, and this answers with that one.
        rows = Material.objects.bulk_create([material], ignore_conflicts=True)
        kept = Material.objects.filter(pk=rows[0].pk).first()
        if kept is not None:
            change.born(kept)
            record_event(MATERIAL, pk, to=kept.state, actor=user.get_username(), data={"name": name})
            if not ready:
                transaction.on_commit(partial(request_material, pk))
    if kept is None:
        forget_files(material)
        twin = of_owner(owner).filter(kind=kind, sha256=come.sha256).first()
        if twin is None:
            told = _("the same file was there, and was taken away just now; add it again")
            raise Conflict(Problem("file", name, told, code="gone"))
        return Added(twin, created=False)
    logger.info("material added", extra={"material": str(pk), "key": material.key, "kind": kind})
    return Added(kept, created=True)


def forget_files(material: Material) -> None:
    """Take a material's files out of the store; whoever calls knows that no job needs them."""
    for key in material.keys:
        default_storage.delete(key)


def _format(file: BinaryIO | File[bytes], name: str) -> Format:
    file.seek(0)
    head = file.read(SNIFFED)
    if not head:
        raise refused(name, _("The file is empty. Choose a picture, a video or a sound."), "empty")
    found = format_of(head)
    if found is None:
        told = _("This is none of the files the farm takes: %s. Export it as one of them.") % KNOWN
        raise refused(name, told, "unknown_format")
    suffix = suffix_of(name)
    if suffix and suffix not in found.suffixes:
        told = _("The name says .%(suffix)s but the content is %(kind)s. Export the file again as %(kind)s.")
        raise refused(name, told % {"suffix": suffix, "kind": found.title}, "wrong_extension")
    return found


def _kind(kind: str, found: Format, name: str) -> MaterialKind:
    if not kind:
        return usual_kind(found.medium, name)
    if kind not in MaterialKind.values:
        told = _("choose one of: %s") % ", ".join(MaterialKind.values)
        raise Refused(Problem("kind", kind, told, code="unknown_kind"))
    chosen = MaterialKind(kind)
    check_kind(chosen, found.medium, name)
    return chosen


def check_kind(kind: MaterialKind, medium: str, name: str) -> None:
    """Raise Refused unless a file of this medium can be of this kind."""
    if medium not in MEDIA_OF[kind]:
        told = _("“%(name)s” is a %(medium)s, and “%(kind)s” takes: %(wanted)s.")
        wanted = ", ".join(str(Medium(one).label) for one in MEDIA_OF[kind])
        facts = {"name": name, "medium": Medium(medium).label, "kind": kind.label, "wanted": wanted}
        raise Refused(Problem("kind", str(kind), told % facts, code="wrong_kind"))


def _arrived(file: BinaryIO | File[bytes], found: Format, name: str, folder: Path) -> _Arrival:
    file.seek(0)
    path = folder / f"file.{found.suffix}"
    if found.medium is not Medium.IMAGE:
        return _copied(file, found, name, path)
    picture = read_picture(file, name=name)
    path.write_bytes(picture.content)
    previews = make_previews(path, folder, fps=None)
    return _Arrival(
        path=path,
        format=found,
        sha256=picture.sha256,
        bytes=len(picture.content),
        width=picture.width,
        height=picture.height,
        thumb=next(one.path for one in previews if one.role == ArtifactRole.THUMBNAIL),
    )


def _copied(file: BinaryIO | File[bytes], found: Format, name: str, path: Path) -> _Arrival:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as copy:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                told = _("The file is larger than %d MB. Shorten it, or encode it smaller.")
                raise refused(name, told % (MOST_BYTES // 1024**2), "too_large")
            digest.update(chunk)
            copy.write(chunk)
    return _Arrival(path=path, format=found, sha256=digest.hexdigest(), bytes=size)


def refused(name: str, message: str, code: str) -> Refused:
    """Say what is wrong with a file, by its name."""
    return Refused(Problem("file", name, message, code=code))
