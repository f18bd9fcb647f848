"""Ask for the work on a batch: at once where it is short, else by the media worker."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from farm import contracts
from farm.celery import app
from farm.tiers import QUEUE_MEDIA

logger = logging.getLogger(__name__)


def request_work(batch_id: UUID) -> None:
    """Queue what a batch waits for. If the broker is away, sweep asks again."""
    try:
        app.send_task(
            contracts.SHEET,
            args=[str(batch_id)],
            queue=QUEUE_MEDIA,
            ignore_result=True,
            retry_policy={"max_retries": 1},
        )
    except (OperationalError, OSError) as exc:
        logger.warning("import not queued", extra={"import": str(batch_id), "error": str(exc)})
