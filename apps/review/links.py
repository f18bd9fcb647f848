"""Addresses of client links, and of the files a guest is shown: signed, for one playlist, and ending.

The signature proves that the farm made the address. Whether the link is open, the playlist there and the file
in it is asked of the database at every request, so revoking ends pages and files at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from apps.review.models import ClientGuest, ClientLink

_LINK: Final = "shotfarm.review.client_link"
_FILE: Final = "shotfarm.review.client_file"
_GUEST: Final = "shotfarm.review.client_guest"
_UNTIL: Final = re.compile(r"[0-9]{1,12}")


def token_of(link: ClientLink) -> str:
    """Return what stands in the link's address: its key and a signature over it."""
    return Signer(salt=_LINK, sep=".").sign(link.pk.hex)


def address_of(link: ClientLink) -> str:
    """Return the link's path on this farm."""
    return reverse("client", args=[token_of(link)])


def link_of(token: str) -> ClientLink:
    """Return the link of a token with its playlist. Raises BadSignature if it is forged, or gone."""
    key = Signer(salt=_LINK, sep=".").unsign(token)
    found = ClientLink.objects.select_related("playlist__project").filter(pk=UUID(hex=key)).first()
    if found is None:
        raise BadSignature("this link is gone")
    return found


def guest_mark(guest: ClientGuest) -> str:
    """Return what a guest's cookie says: who they are, and that they knew the link's password of now."""
    return f"{guest.pk.hex}.{Signer(salt=_GUEST).signature(f'{guest.pk.hex}|{_state(guest.link)}')}"


def guest_of(link: ClientLink, mark: str) -> ClientGuest | None:
    """Return whose cookie this is; None if it is forged, another link's, or from before a new password."""
    said, _dot, _rest = mark.partition(".")
    try:
        guest = (
            ClientGuest.objects.select_related("link__playlist__project")
            .filter(pk=UUID(hex=said), link=link)
            .first()
        )
    except ValueError:
        return None
    return guest if guest is not None and constant_time_compare(guest_mark(guest), mark) else None


def file_url(artifact_id: UUID, guest: ClientGuest) -> str:
    """Return the address at which this guest sees a file for a while.

    It ends after MEDIA_URL_SECONDS at the earliest, and with the link at the latest.
    """
    step = max(1, settings.MEDIA_URL_SECONDS // 2)
    until = (int(time.time()) // step + 1) * step + settings.MEDIA_URL_SECONDS
    until = min(until, int(guest.link.expires_at.timestamp()))
    question = urlencode(
        {"guest": guest.pk.hex, "until": until, "sig": _file_signature(artifact_id, guest, until)}
    )
    return f"{reverse('client-file', args=[artifact_id])}?{question}"


def guest_for_file(artifact_id: UUID, query: Mapping[str, str]) -> ClientGuest:
    """Return in whose name a file is fetched. Raises BadSignature if forged, ended or revoked."""
    until, said = query.get("until", ""), query.get("guest", "")
    if not _UNTIL.fullmatch(until) or int(until) <= time.time():
        raise BadSignature("this address has ended")
    try:
        guest = (
            ClientGuest.objects.select_related("link__playlist__project").filter(pk=UUID(hex=said)).first()
        )
    except ValueError:
        guest = None
    if guest is None or not constant_time_compare(
        _file_signature(artifact_id, guest, int(until)), query.get("sig", "")
    ):
        raise BadSignature("this address is signed for nobody")
    if not _stands(guest.link):
        raise BadSignature("this link is closed")
    return guest


def is_open(link: UUID) -> bool:
    """Tell whether a link is neither revoked nor ended nor gone, and its film not in the archive."""
    found = ClientLink.objects.select_related("playlist__project").filter(pk=link).first()
    return found is not None and _stands(found)


def _stands(link: ClientLink) -> bool:
    return link.open and not link.playlist.project.archived


def _file_signature(artifact_id: UUID, guest: ClientGuest, until: int) -> str:
    statement = f"{artifact_id.hex}|{guest.pk.hex}|{until}|{_state(guest.link)}"
    return Signer(salt=_FILE).signature(statement)


def _state(link: ClientLink) -> str:
    """Changes with the link's password, so that a new one ends what the old one opened."""
    return Signer(salt=_GUEST).signature(f"{link.pk.hex}|{link.password}")
