"""Ask for a take's media work."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from farm import contracts
from farm.celery import app
from farm.tiers import QUEUE_MEDIA

logger = logging.getLogger(__name__)


def request_media(take_id: UUID) -> None:
    """Queue thumbnail and proxy. If the broker is away, sweep asks again."""
    try:
        app.send_task(
            contracts.MEDIA,
            args=[str(take_id)],
            queue=QUEUE_MEDIA,
            ignore_result=True,
            retry_policy={"max_retries": 1},
        )
    except (OperationalError, OSError) as exc:
        logger.warning("media work not queued", extra={"take": str(take_id), "error": str(exc)})
