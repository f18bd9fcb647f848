"""The artifact store as S3 and what speaks like it. Needs ``workers/requirements-s3.txt``.

Address and keys come by the usual variables: ``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_DEFAULT_REGION``.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from workers.store import ArtifactStore

OPTIONS: Final[dict[str, Any]] = {
    "use_listings_cache": False,
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 60,
        "retries": {"max_attempts": 2, "mode": "standard"},
    },
}


FULL_CODES: Final = frozenset({"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"})
"""How servers say that they are full. S3 itself has no word for it, and some say InternalError."""


class S3Store(ArtifactStore):
    """The store at ``s3://BUCKET/PREFIX``."""

    def __init__(self, url: str) -> None:
        super().__init__(url, **OPTIONS)

    @contextmanager
    def _driven(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as exc:
            raise OSError(str(exc)) from exc
        except OSError as exc:  # what the driver made of a ClientError
            if _code(exc.__cause__) in FULL_CODES:
                raise OSError(errno.ENOSPC, str(exc)) from exc
            raise


def _code(cause: object) -> str:
    response = cause.response if isinstance(cause, ClientError) else {}
    return str(response.get("Error", {}).get("Code", ""))
