"""Links by which somebody without an account sees one playlist: made, ended, and who comes by them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import ClientGuest, ClientLink, Playlist

logger = logging.getLogger(__name__)

REVOKED: Final = "revoked"
USUAL_DAYS: Final = 14
MOST_DAYS: Final = 180
SHORTEST_PASSWORD: Final = 6
MOST_GUESTS: Final = 200
"""Who came by one link: a link that says more names than this has got about."""


def create_link(
    playlist: Playlist,
    *,
    user: User,
    label: str = "",
    days: int = USUAL_DAYS,
    password: str = "",
    may_comment: bool = True,
) -> ClientLink:
    """Open a way to a playlist for so many days. Raises NotAllowed, Refused."""
    require(user, Act.REVIEW, playlist.project)
    if not 1 <= days <= MOST_DAYS:
        raise Refused(Problem("days", str(days), _("write a number of days from 1 to %d") % MOST_DAYS))
    if password and len(password) < SHORTEST_PASSWORD:
        raise Refused(Problem("password", "", _("write at least %d letters, or none") % SHORTEST_PASSWORD))
    if len(label) > 120:
        raise Refused(Problem("label", label[:40], _("at most %d letters") % 120))
    with changing(ClientLink, actor=user) as change:
        link: ClientLink = ClientLink.objects.create(
            playlist=playlist,
            label=label.strip(),
            password=make_password(password) if password else "",
            may_comment=may_comment,
            expires_at=timezone.now() + timedelta(days=days),
            made_by=user,
        )
        change.born(link)
    logger.info("client link made", extra={"link": str(link.pk), "playlist": str(playlist.pk), "days": days})
    return link


def revoke_link(link: ClientLink, *, user: User) -> bool:
    """End a link and every address given by it, at once; return False if it was ended. Raises NotAllowed."""
    require(user, Act.REVIEW, link.playlist.project)
    mine = ClientLink.objects.filter(pk=link.pk, revoked_at=None)
    with changing(ClientLink, [link.pk], actor=user, verb=REVOKED):
        ended = mine.update(
            revoked_at=Now(),
            revoked_by=user.get_username(),
            row_version=F("row_version") + 1,
            updated_at=Now(),
        )
    logger.info("client link revoked", extra={"link": str(link.pk), "by": user.get_username()})
    return bool(ended)


def welcome(link: ClientLink, *, name: str, password: str = "") -> ClientGuest:
    """Let somebody in who says their name, and the password where there is one. Raises Refused."""
    said = " ".join("".join(letter for letter in name if letter.isprintable() or letter.isspace()).split())
    if not said or len(said) > 80:
        raise Refused(Problem("name", said[:40], _("write your name, with at most 80 letters")))
    if link.password and not check_password(password, link.password):
        raise Refused(Problem("password", "", _("this is not the password"), code="wrong_password"))
    if link.guests.count() >= MOST_GUESTS:
        raise Refused(Problem("name", said, _("too many people came by this link; ask for a new one")))
    guest: ClientGuest = ClientGuest.objects.create(link=link, name=said)
    logger.info("guest came", extra={"link": str(link.pk), "guest": str(guest.pk)})
    return guest


def count_view(guest: ClientGuest) -> None:
    """Count a look at the page."""
    ClientLink.objects.filter(pk=guest.link_id).update(views=F("views") + 1, last_viewed_at=Now())
    ClientGuest.objects.filter(pk=guest.pk).update(seen_at=Now())
