"""Ask for a material to be looked at."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from farm import contracts
from farm.celery import app
from farm.tiers import QUEUE_MEDIA

logger = logging.getLogger(__name__)


def request_material(material_id: UUID) -> None:
    """Queue the decoding of a video or sound. If the broker is away, sweep asks again."""
    try:
        app.send_task(
            contracts.MATERIAL,
            args=[str(material_id)],
            queue=QUEUE_MEDIA,
            ignore_result=True,
            retry_policy={"max_retries": 1},
        )
    except (OperationalError, OSError) as exc:
        logger.warning("material not queued", extra={"material": str(material_id), "error": str(exc)})
