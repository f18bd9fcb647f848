"""The picture by which people know a project: decoded like every uploaded picture, kept small."""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import PurePosixPath
from typing import BinaryIO, Final
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from PIL import Image

from apps.accounts.models import User
from apps.accounts.signatures import sign
from apps.characters.pictures import read_picture
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require

logger = logging.getLogger(__name__)

SIZE: Final = (480, 270)
"""Pixels that a cover fits into."""


def set_cover(
    project: Project, file: BinaryIO | File[bytes], *, user: User, row_version: int | None = None
) -> None:
    """Make a picture the project's. Raises NotAllowed unless ``user`` manages it; Refused for no picture.

    ``row_version``: of the project as it was read, Stale if it got another picture since; None: whichever it
    is at.
    """
    require(user, Act.MANAGE, project)
    content = _small(read_picture(file, name=str(getattr(file, "name", "") or "")).content)
    key = f"projects/{project.code}/{hashlib.sha256(content).hexdigest()}.webp"
    if not default_storage.exists(key):
        key = default_storage.save(key, ContentFile(content))
    _write(project, key, user, row_version)
    logger.info("cover set", extra={"project": project.code, "by": user.get_username()})


def take_cover_away(project: Project, *, user: User, row_version: int | None = None) -> None:
    """Let the project have no picture of its own any more. Raises Stale (see set_cover), NotAllowed."""
    require(user, Act.MANAGE, project)
    _write(project, "", user, row_version)


def cover_name(project_id: UUID) -> str:
    """Name a cover in signatures."""
    return f"cover {project_id}"


def cover_url(project: Project, reader: User) -> str:
    """Return the address at which this reader sees a project's picture for a while; "" for none."""
    if not project.thumbnail_key:
        return ""
    address, signed = reverse("project-cover", args=[project.pk]), sign(reader, cover_name(project.pk))
    # Browsers keep what an address gave them: another picture stands at another one.
    return f"{address}?{signed}&v={PurePosixPath(project.thumbnail_key).stem}"


def _small(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        picture.thumbnail(SIZE)
        told = io.BytesIO()
        picture.convert("RGB").save(told, "WEBP", quality=85)
    return told.getvalue()


def _write(project: Project, key: str, user: User, row_version: int | None) -> None:
    with changing(Project, [project.pk], actor=user):
        if row_version is not None:
            require_unchanged(project, row_version, "thumbnail_key")
        Project.objects.filter(pk=project.pk).update(
            thumbnail_key=key, row_version=F("row_version") + 1, updated_at=Now()
        )
    project.thumbnail_key = key
