"""The file by which a GPU node knows the farm's artifact store from an empty mount point."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from django.core.files.storage import default_storage

from apps.review.services.keeping import keep
from farm.contracts import STORE_MARKER

logger = logging.getLogger(__name__)


def ensure_store_marker() -> None:
    """Mark the artifact store as this farm's, once; a marker that stands is left alone. Raises OSError."""
    if default_storage.exists(STORE_MARKER):
        return
    store = uuid4().hex
    with TemporaryDirectory() as scratch:
        marker = Path(scratch) / "marker"
        marker.write_text(f"{store}\n")
        keep(marker, STORE_MARKER)
    logger.info("artifact store marked", extra={"store": store})
