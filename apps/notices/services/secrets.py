"""The secrets that sign webhooks. Derived, so they are stored nowhere, and shown once."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings

from apps.notices.models import Subscription

PREFIX = "whsec_"


def new_salt() -> str:
    """Return what a new secret is derived from; the old secret is worth nothing then."""
    return secrets.token_hex(16)


def secret_of(subscription: Subscription) -> str:
    """Return the secret that signs this subscription's webhooks."""
    purpose = f"webhook:{subscription.pk}:{subscription.salt}"
    return PREFIX + hmac.new(settings.SECRET_KEY.encode(), purpose.encode(), hashlib.sha256).hexdigest()
