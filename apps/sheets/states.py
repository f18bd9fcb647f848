"""What becomes of a file that somebody brings."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import pgettext_lazy

from apps.common.machines import Machine


class BatchState(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", pgettext_lazy("import", "uploaded")
    PLANNED = "planned", pgettext_lazy("import", "planned")
    APPLIED = "applied", pgettext_lazy("import", "applied")
    UNDONE = "undone", pgettext_lazy("import", "undone")
    REFUSED = "refused", pgettext_lazy("import", "laid aside")
    EXPIRED = "expired", pgettext_lazy("import", "expired")


OPEN: Final = (BatchState.UPLOADED, BatchState.PLANNED)
"""What may still be planned and confirmed."""

BATCH: Final = Machine(
    name="import batch",
    field="state",
    moves={
        "": frozenset({BatchState.UPLOADED}),
        BatchState.UPLOADED: frozenset({BatchState.PLANNED, BatchState.REFUSED, BatchState.EXPIRED}),
        BatchState.PLANNED: frozenset({BatchState.APPLIED, BatchState.REFUSED, BatchState.EXPIRED}),
        BatchState.APPLIED: frozenset({BatchState.UNDONE}),
        BatchState.UNDONE: frozenset(),
        BatchState.REFUSED: frozenset(),
        BatchState.EXPIRED: frozenset(),
    },
)
