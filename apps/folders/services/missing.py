"""What should have been published and was not: the process that heard of a verdict died before it could ask.

Verdicts and selections are told after their commit (apps.review.signals), and lost with whoever tells them.
So the leader looks for takes that were selected or approved lately and have no published file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from apps.common.clock import database_now
from apps.common.models import StateEvent
from apps.folders.models import Publication, PublishWhen
from apps.folders.services.wanting import publish_if_wanted
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.states import REVIEW, Media, Review

ACTOR: Final = "sweep"
PATIENCE: Final = timedelta(seconds=30)
"""Whoever told a verdict is about to ask: that comes first."""
LATELY: Final = timedelta(days=2)
"""How far back is looked: a farm that stood still over a day finds what it missed."""
AT_ONCE: Final = 50
LOOKED_AT: Final = 2_000
"""So many that cannot be published are looked past: what comes behind them is not kept waiting for days."""
REFUSED_S: Final = 3600
"""What cannot be published is tried again after this long."""


def want_missed() -> int:
    """Ask for what was missed; return for how many takes."""
    now = database_now()
    found = 0
    for take, when in _missed(now - LATELY, now - PATIENCE):
        if publish_if_wanted(take, when, ACTOR):
            found += 1
        else:
            cache.set(_mark(take), True, REFUSED_S)
    return found


def _missed(since: datetime, until: datetime) -> Iterator[tuple[UUID, tuple[PublishWhen, ...]]]:
    """Takes without a published file that became selected, or approved, after their project wanted such."""
    chosen_at = F("project__folders__updated_at")
    selected = _unpublished((PublishWhen.SELECTED, PublishWhen.APPROVED)).filter(
        selected=True,
        updated_at__gte=since,  # what the index knows
        selected_at__range=(since, until),
        selected_at__gt=chosen_at,
    )
    for take in _first(selected.order_by("updated_at")):
        yield take, (PublishWhen.SELECTED, PublishWhen.APPROVED)
    verdicts = StateEvent.objects.filter(
        story=OuterRef("job_id"),
        machine=REVIEW.name,
        to_state=Review.APPROVED,
        at__range=(since, until),
        at__gt=OuterRef("project__folders__updated_at"),
    )
    approved = _unpublished((PublishWhen.APPROVED,)).filter(
        Exists(verdicts), review_state=Review.APPROVED, updated_at__gte=since
    )
    for take in _first(approved.order_by("updated_at")):
        yield take, (PublishWhen.APPROVED,)


def _unpublished(when: tuple[PublishWhen, ...]) -> QuerySet[Take]:
    files = Artifact.objects.filter(take=OuterRef("pk"), role=ArtifactRole.PRIMARY)
    published = Publication.objects.filter(take=OuterRef("pk"))
    return Take.objects.filter(
        Q(Exists(files)) & ~Exists(published),
        project__folders__publish__in=when,
        project__folders__confirmed_at__isnull=False,
    ).exclude(media_state__in=(Media.BROKEN, Media.MISSING))


def _first(rows: QuerySet[Take]) -> list[UUID]:
    keys = list(rows.values_list("pk", flat=True)[:LOOKED_AT])
    refused = cache.get_many([_mark(key) for key in keys])
    return [key for key in keys if _mark(key) not in refused][:AT_ONCE]


def _mark(take: UUID) -> str:
    return f"unpublishable-{take}"
