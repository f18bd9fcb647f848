"""The machine of a published file."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.machines import Machine


class Published(models.TextChoices):
    """Whether a take's file lies where the layout wants it."""

    WANTED = "wanted", _("on its way")
    PUBLISHED = "published", _("published")
    FAILED = "failed", _("failed")


PUBLICATION: Final = Machine(
    name="publication",
    field="state",
    moves={
        "": frozenset({Published.WANTED}),
        Published.WANTED: frozenset({Published.PUBLISHED, Published.FAILED}),
        Published.FAILED: frozenset({Published.WANTED}),
    },
)
"""What is PUBLISHED stays where it is: no layout and no new code of a shot moves it."""
