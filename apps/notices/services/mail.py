"""One e-mail: plain text and the links, in the reader's language."""

from __future__ import annotations

import smtplib
import time

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext_noop

from apps.notices.services.answers import Answer

NOT_SET_UP = gettext_noop("e-mail is not set up here: SHOTFARM_SMTP is not set")
NO_ADDRESS = gettext_noop("no e-mail address is known")


def send(to: str, *, subject: str, text: str, message_id: str) -> Answer:
    """Send it. ``message_id`` is the same at every try, so that a mail program knows a double."""
    if not settings.MAIL_READY:
        return Answer(ok=False, error=NOT_SET_UP)
    if not to:
        return Answer(ok=False, error=NO_ADDRESS)
    headers = {"Message-ID": f"<{message_id}>", "Auto-Submitted": "auto-generated"}
    started = time.monotonic()
    try:
        EmailMessage(subject=subject, body=text, to=[to], headers=headers).send()
    except (smtplib.SMTPException, OSError) as exc:
        return Answer(ok=False, error=f"{type(exc).__name__}: {exc}", milliseconds=_since(started))
    return Answer(ok=True, milliseconds=_since(started))


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
