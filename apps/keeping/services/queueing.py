"""Ask the media worker to write an archive."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from farm import contracts
from farm.celery import app
from farm.tiers import QUEUE_MEDIA

logger = logging.getLogger(__name__)


def request_archive(archive_id: UUID) -> None:
    """Queue it. If the broker is away, the leader asks again."""
    try:
        app.send_task(
            contracts.ARCHIVE,
            args=[str(archive_id)],
            queue=QUEUE_MEDIA,
            ignore_result=True,
            retry_policy={"max_retries": 1},
        )
    except (OperationalError, OSError) as exc:
        logger.warning("archive not queued", extra={"archive": str(archive_id), "error": str(exc)})
