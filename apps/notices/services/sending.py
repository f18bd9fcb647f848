"""A delivery takes its road: what is written, to whom, and whether they may still know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from apps.common.clock import database_now
from apps.nodes.services import STEER
from apps.notices.kinds import OF_NODES
from apps.notices.models import Delivery, Notice, Road
from apps.notices.services import mail, webhook
from apps.notices.services.answers import Answer
from apps.notices.services.secrets import secret_of
from apps.notices.words import address_of, lines_of, more_than_named, sentence
from apps.projects.roles import Act
from apps.projects.selectors import may

AGENT = "Shotfarm-Webhook/1"


def send(delivery: Delivery) -> Answer:
    """Send a delivery once, in its reader's language."""
    subscription = delivery.subscription
    owner = subscription.owner
    spoken = (owner.language if owner else subscription.language) or settings.LANGUAGE_CODE
    with translation.override(spoken):
        if subscription.road == Road.WEBHOOK:
            return _by_webhook(delivery)
        return _by_mail(delivery)


def may_still_know(delivery: Delivery) -> bool:
    """Tell whether a person may still see what a delivery is about. A channel's rights were its maker's."""
    owner, notice = delivery.subscription.owner, delivery.notice
    if owner is None:
        return True
    if notice.kind in OF_NODES:
        return owner.has_perm(STEER)
    if notice.project is None:
        return owner.is_active
    return may(owner, Act.VIEW, notice.project)


def message_of(delivery: Delivery) -> dict[str, Any]:
    """Return a webhook's body (docs/notices.md)."""
    notice = delivery.notice
    return {
        "version": webhook.VERSION,
        "id": str(delivery.pk),
        "event": notice.kind,
        "first_at": notice.first_at.isoformat(),
        "last_at": notice.last_at.isoformat(),
        "count": notice.count,
        "project": notice.project.code if notice.project else None,
        "text": sentence(notice),
        "url": absolute(address_of(notice)),
        "items": notice.items,
    }


def absolute(path: str) -> str:
    """Return a page's whole address, as people open it."""
    return f"{settings.FARM_URL}{path}"


def _by_webhook(delivery: Delivery) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "X-Shotfarm-Event": delivery.notice.kind,
        "X-Shotfarm-Delivery": str(delivery.pk),
    }
    subscription = delivery.subscription
    return webhook.post(
        subscription.url,
        body=webhook.body_of(message_of(delivery)),
        headers=headers,
        secret=secret_of(subscription),
        at=int(database_now().timestamp()),
    )


def _by_mail(delivery: Delivery) -> Answer:
    subscription, notice = delivery.subscription, delivery.notice
    to = subscription.owner.email if subscription.owner else subscription.address
    return mail.send(
        to,
        subject=f"[{_subject_mark(notice)}] {sentence(notice)}",
        text=_text(notice),
        message_id=f"{delivery.pk}@shotfarm",
    )


def _subject_mark(notice: Notice) -> str:
    return notice.project.code if notice.project else "Shotfarm"


def _text(notice: Notice) -> str:
    named = lines_of(notice)
    if more := more_than_named(notice):
        named.append(_("… and %(more)d more") % {"more": more})
    lines = [sentence(notice), *(["", *named] if named else [])]
    settings_page = absolute("/admin/notices/subscription/")
    lines += ["", absolute(address_of(notice)), "", "--"]
    lines.append(_("What you are told, and how: %s") % settings_page)
    return "\n".join(lines) + "\n"
