"""Which takes and shots are stale, and why in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.productions.models import Shot
from apps.review.models import Take
from apps.review.states import Review
from apps.workflows.models import Kind

GOOD: Final = (Review.PENDING, Review.APPROVED)

SENTENCES: Final[Mapping[str, Promise]] = {
    "selected": _("Made from %(take)s; selected is %(now)s now."),
    "turned_down": _("Made from %(take)s, which was turned down."),
    "upstream": _("Made from %(take)s, which is stale itself."),
}

_TAKE: Final = re.compile(rf"\b(?P<kind>{'|'.join(Kind.values)}) take (?P<number>\d+)")
"""How a reason names a take, as str(take) does."""


def why_stale(take: Take) -> str:
    """Say why a take is stale, in the reader's language; "" if it is not."""
    why: Mapping[str, Any] = take.stale_why or {}
    told = SENTENCES.get(str(why.get("code", "")))
    if told is None or take.stale_since is None:
        return ""
    return str(told) % {name: _TAKE.sub(_in_words, str(value)) for name, value in why.items()}


def _in_words(named: re.Match[str]) -> str:
    return f"{Kind(named['kind']).label} {gettext('take %(number)d') % {'number': int(named['number'])}}"


def standing_stale() -> QuerySet[Take]:
    """Stale takes that stand for their shot: the selected one of a stage, else its newest not turned down."""
    rivals = Take.objects.filter(shot=OuterRef("shot"), stage=OuterRef("stage"))
    better = rivals.filter(Q(selected=True) | Q(pk__gt=OuterRef("pk"), review_state__in=GOOD))
    stale = Take.objects.filter(stale_since__isnull=False).order_by()
    return stale.filter(Q(selected=True) | (Q(review_state__in=GOOD) & ~Exists(better)))


def stale_shots(shots: QuerySet[Shot]) -> QuerySet[Shot]:
    """Those of these shots for which a stale take stands."""
    return shots.filter(pk__in=standing_stale().values("shot"))


def is_stale() -> Exists:
    """Whether a stale take stands for a shot: an annotation."""
    return Exists(standing_stale().filter(shot=OuterRef("pk")))
