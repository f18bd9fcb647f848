"""What becomes of an archive."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import pgettext_lazy

from apps.common.machines import Machine


class ArchiveState(models.TextChoices):
    """Where an archive stands."""

    WANTED = "wanted", pgettext_lazy("archive", "waiting")
    WORKING = "working", pgettext_lazy("archive", "being written")
    READY = "ready", pgettext_lazy("archive", "ready")
    FAILED = "failed", pgettext_lazy("archive", "failed")
    CANCELLED = "cancelled", pgettext_lazy("archive", "cancelled")
    EXPIRED = "expired", pgettext_lazy("archive", "taken away")


OPEN: Final = (ArchiveState.WANTED, ArchiveState.WORKING)
"""Somebody waits for it; a project has at most one of these."""

ARCHIVE: Final = Machine(
    name="archive",
    field="state",
    moves={
        "": frozenset({ArchiveState.WANTED}),
        ArchiveState.WANTED: frozenset({ArchiveState.WORKING, ArchiveState.CANCELLED}),
        ArchiveState.WORKING: frozenset(
            {ArchiveState.READY, ArchiveState.FAILED, ArchiveState.CANCELLED, ArchiveState.WANTED}
        ),
        ArchiveState.READY: frozenset({ArchiveState.EXPIRED}),
        ArchiveState.FAILED: frozenset(),
        ArchiveState.CANCELLED: frozenset(),
        ArchiveState.EXPIRED: frozenset(),
    },
)
"""WORKING goes back to WANTED where its worker died: another one begins anew, under another name."""
