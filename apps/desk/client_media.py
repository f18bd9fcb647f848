"""Files of takes for guests with a client link: what the playlist's page shows, and nothing behind it."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.desk.media import Stored, seconds_left, send
from apps.review.links import guest_for_file
from apps.review.models import Artifact, ArtifactRole, ClientGuest
from apps.review.playing import PICTURES, VIDEOS


@require_safe
def client_file(request: HttpRequest, artifact_id: UUID) -> HttpResponseBase:
    """Send a small picture or a proxy to the guest it is signed for (:func:`apps.review.links.file_url`)."""
    try:
        guest = guest_for_file(artifact_id, request.GET.dict())
    except BadSignature as exc:
        raise PermissionDenied(
            _("This address has ended or was changed. Load the page that shows it again.")
        ) from exc
    answer = send(request, _shown(artifact_id, guest), fresh_s=seconds_left(request))
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return answer


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
