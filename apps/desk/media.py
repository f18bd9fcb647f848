"""Files of takes and reference pictures, for members of their project: streamed, seekable, cacheable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header, parse_etags
from django.views.decorators.http import require_safe

from apps.characters.models import CharacterReference
from apps.common.streaming import pieces
from apps.projects.selectors import scoped
from apps.review.models import Artifact

INLINE: Final = frozenset({"image/png", "image/jpeg", "image/webp", "video/mp4"})
"""What a browser may show in place. Everything else is downloaded, whatever it says it is."""
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Stored:
    """A file of the artifact store. ``name`` is what a download is called."""

    key: str
    media_type: str
    sha256: str
    name: str


@require_safe
@login_required
def artifact(request: HttpRequest, artifact_id: UUID) -> HttpResponseBase:
    """Send a take's file."""
    rows = Artifact.objects.select_related("take__shot__sequence")
    found = get_object_or_404(scoped(rows, request.user, path="take__project"), pk=artifact_id)
    take = found.take
    name = f"{take.shot.full_code}_{take.kind}_take{take.number}{PurePosixPath(found.key).suffix}"
    return send(request, Stored(found.key, found.media_type, found.sha256, name))


@require_safe
@login_required
def reference_picture(request: HttpRequest, reference_id: UUID) -> HttpResponseBase:
    """Send a character's reference picture."""
    rows = scoped(CharacterReference.objects.all(), request.user, path="character__project")
    found = get_object_or_404(rows, pk=reference_id)
    return send(request, Stored(found.key, found.media_type, found.sha256, PurePosixPath(found.key).name))


def send(request: HttpRequest, stored: Stored) -> HttpResponseBase:
    """Send a file, or the part of it that was asked for (one range; several get the whole)."""
    etag = f'"{stored.sha256}"'
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

    No header, another unit or several ranges mean the whole file.
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
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
