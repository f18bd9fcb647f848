"""What is remembered of shared channels. A person's own subscriptions are nobody else's to read of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ledger.documents import Computed, Document, track
from apps.notices.kinds import Kind
from apps.notices.models import Subscription
from apps.notices.services.subscribing import check_sound, require_own
from apps.projects.tracked import PROJECT


def _where(url: str) -> str:
    """Where a webhook goes, with a mark of the whole address, which is another for another one.

    The rest of many an address is a secret, and stands in no history.
    """
    host = urlsplit(url).hostname
    return f"{host} ({salted_hmac(__name__, url).hexdigest()[:6]})" if host else ""


def _nothing(told: str) -> Mapping[str, Any]:
    return {}


def _may_change(rows: Sequence[Subscription], user: User) -> None:
    for row in rows:
        require_own(row, user)


def _check_put(rows: Mapping[Any, Mapping[str, Any]]) -> None:
    for row in Subscription.objects.select_related("project", "owner").filter(pk__in=list(rows)):
        check_sound(row)


track(
    Document(
        model=Subscription,
        kind="subscription",
        label=("name",),
        references={"project": PROJECT},
        left_out=("owner", "standing", "salt", "busy_until", "blocked_until", "failures"),
        computed={
            "webhook": Computed(columns=("url",), read=_where, write=_nothing, label=_("webhook goes to"))
        },
        steered=("webhook", "project"),  # whose notices go there is for who manages both films
        managed=True,
        spoken={"kinds": lambda: {kind.value: str(kind.label) for kind in Kind}},
        permit=_may_change,
        check=_check_put,
    )
)
