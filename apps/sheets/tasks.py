"""The media worker's Celery door."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.sheets.services.doing import do_work
from farm import contracts
from farm.logs import bound


@shared_task(name=contracts.SHEET, ignore_result=True)
def work_on_sheet(batch_id: str) -> None:
    """Plan or write an import."""
    with bound(**{"import": batch_id}):
        do_work(UUID(batch_id))
