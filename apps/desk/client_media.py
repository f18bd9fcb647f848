"""Files of takes for guests with a client link: what the playlist's page shows, and nothing behind it."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.desk.media import Stored, seconds_left, send
from apps.review.links import guest_for_file, is_open
from apps.review.models import Artifact, ArtifactRole, ClientGuest
from apps.review.playing import PICTURES, VIDEOS
from apps.review.rates import FILES, too_many

logger = logging.getLogger(__name__)

ASKED_EVERY_S: Final = 5.0
"""How often it is asked, while a file is sent, whether its link is still open."""


@require_safe
def client_file(request: HttpRequest, artifact_id: UUID) -> HttpResponseBase:
    """Send a small picture or a proxy to the guest it is signed for (:func:`apps.review.links.file_url`)."""
    try:
        guest = guest_for_file(artifact_id, request.GET.dict())
    except BadSignature as exc:
        raise PermissionDenied(
            _("This address has ended or was changed. Load the page that shows it again.")
        ) from exc
    if too_many(request, f"file_{guest.link_id.hex}", FILES):
        busy = HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)
        busy["Retry-After"] = "60"
        return busy
    answer = send(request, _shown(artifact_id, guest), fresh_s=seconds_left(request))
    if isinstance(answer, StreamingHttpResponse):
        answer.streaming_content = _while_open(cast(AsyncIterator[bytes], answer.streaming_content), guest)
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return answer


async def _while_open(pieces: AsyncIterator[bytes], guest: ClientGuest) -> AsyncIterator[bytes]:
    """Send on as long as the link is open: who is sent a film stays no longer than who asks anew."""
    asked = time.monotonic()
    async for piece in pieces:
        if time.monotonic() - asked >= ASKED_EVERY_S:
            asked = time.monotonic()
            if not await sync_to_async(is_open)(guest.link_id):
                logger.info("stream ended with its link", extra={"link": str(guest.link_id)})
                return
        yield piece


def _shown(artifact_id: UUID, guest: ClientGuest) -> Stored:
    """Find a file among what the guest's page shows now; else Http404.

    An original is shown only where it is a picture or clip that needs no proxy.
    """
    rows = Artifact.objects.filter(take__places__playlist=guest.link.playlist_id)
    found = rows.filter(pk=artifact_id, media_type__in=PICTURES | VIDEOS).first()
    shown = found is not None and (
        found.role in (ArtifactRole.THUMBNAIL, ArtifactRole.PROXY)
        or (
            found.role == ArtifactRole.PRIMARY
            and not rows.filter(take=found.take_id, role=ArtifactRole.PROXY).exists()
        )
    )
    if found is None or not shown:
        raise Http404("this link shows no such file")
    return Stored(found.key, found.media_type, found.sha256, f"{found.pk.hex}")
