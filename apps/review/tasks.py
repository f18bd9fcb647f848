"""The media worker's Celery door."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.review.services.media import process_media
from farm import contracts
from farm.logs import bound


@shared_task(name=contracts.MEDIA, ignore_result=True)
def make_media(take_id: str) -> None:
    """Look at a take's files; make its thumbnail and proxy."""
    with bound(take=take_id):
        process_media(UUID(take_id))
