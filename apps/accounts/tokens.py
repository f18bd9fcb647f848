"""API tokens: shown once, kept as a hash, expired after a while."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.models import AuthToken
from knox.settings import knox_settings

from apps.accounts.models import User
from apps.common.errors import Problem, Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class IssuedToken:
    """A new token in clear, for this once, and when it ends."""

    token: str
    expiry: datetime


def issue_token(user: User, *, request: HttpRequest) -> IssuedToken:
    """Log somebody in to the API. Raises Refused at the limit of living tokens per user."""
    limit = knox_settings.TOKEN_LIMIT_PER_USER
    living = AuthToken.objects.filter(user=user, expiry__gt=timezone.now()).count()
    if living >= limit:
        raise Refused(
            Problem(
                "token",
                str(living),
                _("you have %d living tokens, the most there may be; log out with one, or with all") % limit,
                code="too_many_tokens",
            )
        )
    row, secret = AuthToken.objects.create(user=user)
    user_logged_in.send(sender=User, request=request, user=user)
    logger.info("token issued", extra={"user": user.get_username()})
    return IssuedToken(token=secret, expiry=row.expiry)


def revoke_token(row: AuthToken, *, request: HttpRequest) -> None:
    """Log one token out."""
    user = row.user
    row.delete()
    user_logged_out.send(sender=User, request=request, user=user)


def revoke_all_tokens(user: User, *, request: HttpRequest) -> None:
    """Log every token of a user out."""
    AuthToken.objects.filter(user=user).delete()
    user_logged_out.send(sender=User, request=request, user=user)
