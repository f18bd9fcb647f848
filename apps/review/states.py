"""The take's two machines: its media, and its review."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.machines import Machine


class Media(models.TextChoices):
    """Whether the take can be looked at."""

    PROCESSING = "processing", _("processing")
    READY = "ready", pgettext_lazy("media", "ready")  # a job's "ready" is another word in Korean
    BROKEN = "broken", _("broken")
    MISSING = "missing", _("missing")


class Review(models.TextChoices):
    """What the people who look decided."""

    PENDING = "pending", _("pending")
    APPROVED = "approved", _("approved")
    RETAKE = "retake", _("retake")
    REJECTED = "rejected", _("rejected")


MEDIA: Final = Machine(
    name="take_media",
    field="media_state",
    moves={
        "": frozenset({Media.PROCESSING}),
        Media.PROCESSING: frozenset({Media.READY, Media.BROKEN, Media.MISSING}),
        Media.READY: frozenset({Media.BROKEN, Media.MISSING, Media.PROCESSING}),
        Media.BROKEN: frozenset({Media.PROCESSING}),
        Media.MISSING: frozenset({Media.PROCESSING}),
    },
)

_DECIDED = frozenset({Review.APPROVED, Review.RETAKE, Review.REJECTED})
REVIEW: Final = Machine(
    name="take_review",
    field="review_state",
    moves={
        "": frozenset({Review.PENDING}),
        Review.PENDING: _DECIDED,
        **{state: (_DECIDED | {Review.PENDING}) - {state} for state in sorted(_DECIDED)},
    },
)

SELECTED: Final = "selected"
UNSELECTED: Final = "unselected"
SELECTION: Final = Machine(
    name="take_selection",
    field="selected",
    moves={
        "": frozenset({SELECTED}),
        SELECTED: frozenset({UNSELECTED}),
        UNSELECTED: frozenset({SELECTED}),
    },
)
"""Whether the take goes on. The column says yes or no; one of a shot and stage says yes."""
