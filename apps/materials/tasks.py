"""The media worker's Celery door."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.materials.services.looking import process_material
from farm import contracts


@shared_task(name=contracts.MATERIAL, ignore_result=True)
def look_at_material(material_id: str) -> None:
    """Decode a video or sound that somebody brought."""
    process_material(UUID(material_id))
