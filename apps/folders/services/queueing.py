"""Ask the media worker for what takes time. If the broker is away, the leader asks again."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from farm import contracts
from farm.celery import app
from farm.tiers import QUEUE_MEDIA

logger = logging.getLogger(__name__)


def request_publication(publication_id: UUID) -> None:
    """Have a file brought to its published path."""
    _ask(contracts.PUBLISH, publication_id)


def request_folders(project_id: UUID) -> None:
    """Have a project's folders made."""
    _ask(contracts.FOLDERS, project_id)


def _ask(task: str, row: UUID) -> None:
    try:
        app.send_task(
            task, args=[str(row)], queue=QUEUE_MEDIA, ignore_result=True, retry_policy={"max_retries": 1}
        )
    except (OperationalError, OSError) as exc:
        logger.warning("not queued", extra={"task": task, "row": str(row), "error": str(exc)})
