"""Files of takes, references and material, for members of their project: streamed, seekable, cacheable.

Three things, one after the other: who asks (a signed address, or the API's token), which file they may
see (their projects), and how its bytes are sent.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.models import User
from apps.accounts.signatures import signed_for
from apps.characters.models import CharacterReference
from apps.characters.services import reference_name
from apps.common.streaming import pieces
from apps.keeping.selectors import archive_name, archives_for
from apps.keeping.states import ArchiveState
from apps.materials.gallery import FILE, PROXY, THUMB, material_name
from apps.materials.models import Material
from apps.productions.covers import cover_name
from apps.projects.selectors import projects_for, scoped
from apps.review.gallery import artifact_name
from apps.review.models import Artifact
from apps.review.selectors import artifacts_watched

INLINE: Final = frozenset(
    {
        *("image/png", "image/jpeg", "image/webp", "video/mp4"),
        *("audio/wav", "audio/flac", "audio/mpeg", "audio/ogg", "audio/mp4"),
    }
)
"""What a browser may show in place. Everything else is downloaded, whatever it says it is."""
YEAR_S: Final = 31_536_000
POLICY: Final = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
"""For a file that is opened by itself: whatever it is, it runs nothing and belongs to no site."""
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True)
class Stored:
    """A file of the artifact store. ``name`` is what a download is called."""

    key: str
    media_type: str
    sha256: str
    name: str


@require_safe
def artifact(request: HttpRequest, artifact_id: UUID) -> HttpResponseBase:
    """Send a take's file to whoever holds its signed address (:func:`apps.review.gallery.media_url`)."""
    person = _signer_of(request, artifact_name(artifact_id))
    return send(request, stored_artifact(artifact_id, person), fresh_s=seconds_left(request))


@require_safe
def reference_picture(request: HttpRequest, reference_id: UUID) -> HttpResponseBase:
    """Send a character's reference picture to whoever holds its signed address."""
    person = _signer_of(request, reference_name(reference_id))
    rows = scoped(CharacterReference.objects.all(), person, path="character__project")
    found = get_object_or_404(rows, pk=reference_id)
    name = PurePosixPath(found.key).name
    stored = Stored(found.key, found.media_type, found.sha256, name)
    return send(request, stored, fresh_s=seconds_left(request))


@require_safe
def material(request: HttpRequest, material_id: UUID, part: str) -> HttpResponseBase:
    """Send a material's file, small picture or proxy (:func:`apps.materials.gallery.material_url`)."""
    person = _signer_of(request, material_name(material_id, part))
    return send(request, stored_material(material_id, person, part), fresh_s=seconds_left(request))


@require_safe
def project_cover(request: HttpRequest, project_id: UUID) -> HttpResponseBase:
    """Send a project's picture to whoever holds its signed address."""
    person = _signer_of(request, cover_name(project_id))
    found = get_object_or_404(projects_for(person).exclude(thumbnail_key=""), pk=project_id)
    key = PurePosixPath(found.thumbnail_key)
    stored = Stored(found.thumbnail_key, "image/webp", key.stem, f"{found.code}{key.suffix}")
    return send(request, stored, fresh_s=seconds_left(request))


@require_safe
def project_archive(request: HttpRequest, archive_id: UUID) -> HttpResponseBase:
    """Send the archive of a project to whoever holds its signed address."""
    person = _signer_of(request, archive_name(archive_id))
    return send(request, stored_archive(archive_id, person), fresh_s=0)


def stored_archive(archive_id: UUID, person: User) -> Stored:
    """Find an archive that is ready, among those that this person may fetch now; else Http404."""
    found = get_object_or_404(archives_for(person).filter(state=ArchiveState.READY), pk=archive_id)
    return Stored(found.key, "application/zip", found.sha256, found.file_name)


def stored_material(material_id: UUID, person: User, part: str = FILE) -> Stored:
    """Find a material's file among what this person sees now, also if it was taken away; else Http404."""
    found = get_object_or_404(scoped(Material.objects.all(), person), pk=material_id)
    suffix = PurePosixPath(found.key).suffix
    whole = Stored(found.key, found.media_type, found.sha256, f"{PurePosixPath(found.name).stem}{suffix}")
    parts = {
        FILE: whole,
        THUMB: replace(whole, key=found.thumb_key, media_type="image/webp", sha256=f"{found.sha256}-{THUMB}"),
        PROXY: replace(whole, key=found.proxy_key, media_type="video/mp4", sha256=f"{found.sha256}-{PROXY}"),
    }
    if part not in parts:
        raise Http404(f"a material has no {part}")
    return parts[part]


def stored_artifact(artifact_id: UUID, person: User) -> Stored:
    """Find a take's file among what this person sees now; Http404 if it is not there, or not theirs."""
    rows = Artifact.objects.select_related("take__shot__sequence")
    found = get_object_or_404(artifacts_watched(person, rows), pk=artifact_id)
    take = found.take
    name = f"{take.shot.full_code}_{take.kind}_take{take.number}{PurePosixPath(found.key).suffix}"
    return Stored(found.key, found.media_type, found.sha256, name)


def _signer_of(request: HttpRequest, what: str) -> User:
    try:
        return signed_for(what, request.GET.dict())
    except BadSignature as exc:
        raise PermissionDenied(
            _("This address has ended or was changed. Load the page that shows it again.")
        ) from exc


def seconds_left(request: HttpRequest) -> int:
    """Seconds until the address ends: no cache needs the file for longer."""
    return max(0, int(request.GET["until"]) - int(time.time()))


def send(request: HttpRequest, stored: Stored, *, fresh_s: int = YEAR_S) -> HttpResponseBase:
    """Send a file, or the part of it that was asked for (one range; several get the whole).

    The browser that asked may keep it for ``fresh_s`` seconds; nobody between may.
    """
    response = _answer(request, stored, etag=f'"{stored.sha256}"')
    response["Cache-Control"] = f"private, max-age={fresh_s}, immutable"
    return response


def _answer(request: HttpRequest, stored: Stored, *, etag: str) -> HttpResponseBase:
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _labelled(HttpResponse(status=304), stored, etag)
    try:
        size = default_storage.size(stored.key)
        file = default_storage.open(stored.key, "rb")
    except FileNotFoundError as exc:
        raise Http404(f"{stored.key} is not in the artifact store") from exc
    wanted = None if request.headers.get("If-Range", etag) != etag else request.headers.get("Range")
    part = range_of(wanted, size)
    if part is None:
        file.close()
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return _labelled(refused, stored, etag)
    start, end = part
    response = StreamingHttpResponse(
        pieces(file, start, end - start), status=200 if end - start == size else 206
    )
    response["Content-Length"] = str(end - start)
    if response.status_code == 206:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return _labelled(response, stored, etag)


def range_of(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of what a Range header asks for; None if it lies outside.

    No header, another unit, several ranges and numbers no file is as long as mean the whole file.
    """
    asked = _RANGE.fullmatch(header.strip()) if header else None
    if asked is None or asked.groups() == ("", ""):
        return 0, size
    first, last = asked.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    start, end = int(first), int(last) + 1 if last else size
    return (start, min(end, size)) if start < min(end, size) else None


def _labelled(response: HttpResponseBase, stored: Stored, etag: str) -> HttpResponseBase:
    shown = stored.media_type in INLINE
    response["Content-Type"] = stored.media_type if shown else "application/octet-stream"
    response["Content-Disposition"] = str(content_disposition_header(not shown, stored.name))
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    return response
