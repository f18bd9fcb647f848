"""Playlists: made of takes, put in order, copied."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import Playlist, PlaylistItem, PlaylistKind, Take
from apps.review.models.playlists import MOST_ITEMS

logger = logging.getLogger(__name__)

STEP: Final = 10
"""Between two places, so that rows read well; nothing rests on it."""
CHANGEABLE: Final = frozenset({"name", "description", "for_clients"})


def create_playlist(
    *,
    project: Project,
    user: User,
    name: str,
    description: str = "",
    for_clients: bool = False,
    takes: Sequence[Take] = (),
) -> Playlist:
    """Make a playlist of these takes, in this order. Raises NotAllowed, Refused."""
    require(user, Act.REVIEW, project)
    with changing(Playlist, actor=user) as change:
        playlist: Playlist = Playlist.objects.create(
            project=project,
            kind=PlaylistKind.MANUAL,
            name=_clean_name(name),
            description=description.strip()[:2000],
            for_clients=for_clients,
            made_by=user,
        )
        put(playlist, takes)
        change.born(playlist)
    logger.info("playlist made", extra={"playlist": str(playlist.pk), "takes": len(takes)})
    return playlist


def update_playlist(playlist: Playlist, *, user: User, row_version: int | None, **fields: Any) -> None:
    """Change what is named. Raises Conflict if it changed since ``row_version``; NotAllowed."""
    require(user, Act.REVIEW, playlist.project)
    unknown = set(fields) - CHANGEABLE
    if unknown:
        raise ValueError(f"a playlist has no {', '.join(sorted(unknown))} to change")
    if "name" in fields:
        fields["name"] = _clean_name(fields["name"])
    with changing(Playlist, [playlist.pk], actor=user):
        _touch(playlist, row_version, **fields)


def delete_playlist(playlist: Playlist, *, user: User, row_version: int) -> None:
    """Take a playlist away; its takes and what was said about them stay. Raises Stale, NotAllowed."""
    require(user, Act.REVIEW, playlist.project)
    with changing(Playlist, [playlist.pk], actor=user):
        claim(playlist, row_version)
        Playlist.objects.filter(pk=playlist.pk).delete()
    logger.info("playlist deleted", extra={"playlist": str(playlist.pk), "by": user.get_username()})


def add_takes(playlist: Playlist, takes: Sequence[Take], *, user: User) -> int:
    """Put takes behind the others, once each; return how many are new. Raises NotAllowed, Refused."""
    require(user, Act.REVIEW, playlist.project)
    with changing(Playlist, [playlist.pk], actor=user):
        _touch(playlist, None)
        return put(playlist, takes)


def remove_takes(playlist: Playlist, takes: Iterable[UUID], *, user: User) -> int:
    """Take these out of a playlist; return how many were in it. Raises NotAllowed."""
    require(user, Act.REVIEW, playlist.project)
    with changing(Playlist, [playlist.pk], actor=user):
        _touch(playlist, None)
        gone, _kinds = playlist.items.filter(take__in=list(takes)).delete()
    return gone


def reorder(playlist: Playlist, takes: Sequence[UUID], *, user: User, row_version: int) -> None:
    """Put the playlist's takes into this order; every one is named, once.

    Raises Stale if it changed since ``row_version``, Conflict for other takes than are in it, NotAllowed.
    """
    require(user, Act.REVIEW, playlist.project)
    with changing(Playlist, [playlist.pk], actor=user):
        _touch(playlist, row_version)
        places = {place.take_id: place for place in playlist.items.all()}
        if sorted(places) != sorted(takes):
            told = _("the playlist was changed meanwhile; load it again, then put it in order")
            raise Conflict(Problem("takes", str(len(takes)), told, code="stale"))
        for number, pk in enumerate(takes, start=1):
            places[pk].position = number * STEP
        PlaylistItem.objects.bulk_update(places.values(), ["position"], batch_size=MOST_ITEMS)


def duplicate(playlist: Playlist, *, user: User, name: str = "") -> Playlist:
    """Copy a playlist with its order, as one that clients do not see. Raises NotAllowed, Refused."""
    takes = [place.take for place in playlist.items.select_related("take__shot__sequence")]
    return create_playlist(
        project=playlist.project,
        user=user,
        name=name or _("%(name)s, copy") % {"name": playlist.name[:100]},
        description=playlist.description,
        takes=takes,
    )


def put(playlist: Playlist, takes: Sequence[Take]) -> int:
    """Write places behind the last for takes that have none; return how many. Raises Refused.

    The playlist's row is locked by the caller's update of it, so no two append at once.
    """
    foreign = [take for take in takes if take.project_id != playlist.project_id]
    if foreign:
        told = _("a playlist holds takes of its own project; this one is of another")
        raise Refused(Problem("takes", str(foreign[0]), told, code="other_project"))
    there = set(playlist.items.values_list("take", flat=True))
    new: dict[UUID, Take] = {take.pk: take for take in takes if take.pk not in there}
    if len(there) + len(new) > MOST_ITEMS:
        told = _("a playlist holds at most %d takes") % MOST_ITEMS
        raise Refused(Problem("takes", str(len(there) + len(new)), told, code="too_many"))
    last = playlist.items.aggregate(last=Max("position"))["last"] or 0
    PlaylistItem.objects.bulk_create(
        PlaylistItem(playlist=playlist, take=take, position=last + number * STEP)
        for number, take in enumerate(new.values(), start=1)
    )
    return len(new)


def _touch(playlist: Playlist, row_version: int | None, **fields: Any) -> None:
    """Count a change of the playlist, which locks its row. Raises Conflict."""
    if row_version is not None:
        claim(playlist, row_version, **fields)
        return
    mine = Playlist.objects.filter(pk=playlist.pk)
    if not mine.update(**fields, row_version=F("row_version") + 1, updated_at=Now()):
        raise Conflict(Problem("", str(playlist), _("somebody deleted this meanwhile"), code="gone"))


def _clean_name(name: str) -> str:
    said = name.strip()
    if not said or len(said) > 120:
        raise Refused(Problem("name", said[:40], _("write a name of 1 to 120 letters"), code="required"))
    return said
