"""The keys of one attempt. Derived, so they are stored nowhere."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from django.conf import settings


def attempt_key(attempt_id: UUID) -> str:
    """Return the signing key of this attempt, 64 hexadecimal characters."""
    return _derived(f"attempt:{attempt_id}")


def input_grant(attempt_id: UUID, key: str) -> str:
    """Return the proof that the coordinator ordered this attempt to use this stored file."""
    return _derived(f"input:{attempt_id}:{key}")


def _derived(purpose: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), purpose.encode(), hashlib.sha256).hexdigest()
