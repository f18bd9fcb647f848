"""The media worker's Celery doors."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.folders.services.making import make_wanted
from apps.folders.services.publishing import publish
from farm import contracts


@shared_task(name=contracts.PUBLISH, ignore_result=True)
def publish_file(publication_id: str) -> None:
    """Bring a take's file to its published path."""
    publish(UUID(publication_id))


@shared_task(name=contracts.FOLDERS, ignore_result=True)
def make_folders(project_id: str) -> None:
    """Make the folders of a project that somebody confirmed."""
    make_wanted(UUID(project_id))
