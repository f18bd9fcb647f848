"""Dailies: what came back since the last ones, in the order of the film."""

from __future__ import annotations

import logging
from datetime import date, datetime, time
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.ledger.services.recording import changing
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import Playlist, PlaylistKind, Take
from apps.review.models.playlists import MOST_ITEMS
from apps.review.selectors import IN_ORDER, looked_at
from apps.review.services.playlists import put
from apps.review.states import Media

logger = logging.getLogger(__name__)

SEEN: Final = (Media.READY, Media.PROCESSING)


def make_dailies(
    project: Project, *, user: User | None = None, now: datetime | None = None
) -> tuple[Playlist, int]:
    """Make today's dailies, or add what came since to them; return them and how many takes are new.

    They hold the takes that arrived since the last dailies, whatever day those were of (without any: since
    midnight of the farm's clock), by sequence and shot; of more than a playlist holds, the newest. The farm
    itself (``user`` None) may always. Raises NotAllowed.
    """
    if user is not None:
        require(user, Act.REVIEW, project)
    moment = now or timezone.now()
    today = timezone.localdate(moment)
    with changing(Playlist, actor=user) as change:
        last = _last(project)
        if last and last.day == today:
            mine = last
            change.about([mine.pk])
        else:
            mine = _begin(project, today, moment, user)
            change.born(mine)
        room = MOST_ITEMS - mine.items.count()
        new = put(mine, _arrived(project, _since(last, today), moment, room))
        mine.until = moment
        mine.row_version += 1
        mine.save(update_fields=["until", "row_version", "updated_at"])
    logger.info("dailies made", extra={"playlist": str(mine.pk), "project": project.code, "takes": new})
    return mine, new


def anything_new(project: Project, *, now: datetime | None = None) -> bool:
    """Tell whether a take came since the last dailies."""
    moment = now or timezone.now()
    last = Playlist.objects.filter(project=project, kind=PlaylistKind.DAILIES).order_by("-day").first()
    return bool(_arrived(project, _since(last, timezone.localdate(moment)), moment, 1))


def _last(project: Project) -> Playlist | None:
    """The project's last dailies, locked: one maker at a time."""
    rows = Playlist.objects.select_for_update(no_key=True).filter(project=project, kind=PlaylistKind.DAILIES)
    return rows.order_by("-day").first()


def _since(last: Playlist | None, today: date) -> datetime:
    return last.until if last and last.until else _midnight(today)


def _begin(project: Project, today: date, moment: datetime, user: User | None) -> Playlist:
    """Open the list of a day; of two who do so at once the second gets the first's."""
    name = _("Dailies %(day)s") % {"day": date_format(today, "Y-m-d")}
    try:
        with transaction.atomic():
            made: Playlist = Playlist.objects.create(
                project=project,
                kind=PlaylistKind.DAILIES,
                name=name,
                day=today,
                until=moment,
                made_by=user,
            )
            return made
    except IntegrityError:
        return Playlist.objects.select_for_update(no_key=True).get(
            project=project, kind=PlaylistKind.DAILIES, day=today
        )


def _arrived(project: Project, since: datetime, until: datetime, room: int) -> list[Take]:
    came = Take.objects.filter(
        project=project, created_at__gt=since, created_at__lte=until, media_state__in=SEEN
    )
    newest = came.order_by("-created_at").values("pk")[: max(0, room)]
    return list(
        looked_at(Take.objects.filter(pk__in=list(newest.values_list("pk", flat=True)))).order_by(*IN_ORDER)
    )


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
