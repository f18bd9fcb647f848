"""The media worker's Celery door."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.keeping.services.making import write_archive
from farm import contracts
from farm.logs import bound


@shared_task(name=contracts.ARCHIVE, ignore_result=True)
def make_archive(archive_id: str) -> None:
    """Write the archive of a project."""
    with bound(archive=archive_id):
        write_archive(UUID(archive_id))
