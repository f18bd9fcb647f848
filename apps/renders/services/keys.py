"""The key that signs one attempt's reports. Derived, so it is stored nowhere."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from django.conf import settings


def attempt_key(attempt_id: UUID) -> str:
    """Return the signing key of this attempt, 64 hexadecimal characters."""
    return hmac.new(
        settings.SECRET_KEY.encode(), f"attempt:{attempt_id}".encode(), hashlib.sha256
    ).hexdigest()
