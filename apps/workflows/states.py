"""How far an imported workflow is, and the names under which changes of templates are told."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.machines import Machine


class ImportState(models.TextChoices):
    """An imported file on its way to a template."""

    DRAFT = "draft", _("draft")
    REFUSED = "refused", _("cannot be converted")
    CONFIRMED = "confirmed", _("confirmed")
    DISCARDED = "discarded", _("discarded")


_OPEN: Final = frozenset({ImportState.DRAFT, ImportState.REFUSED, ImportState.DISCARDED})

IMPORT: Final = Machine(
    name="workflow_import",
    field="state",
    moves={
        "": frozenset({ImportState.DRAFT, ImportState.REFUSED}),
        ImportState.DRAFT: _OPEN | {ImportState.CONFIRMED},
        ImportState.REFUSED: _OPEN,
        ImportState.DISCARDED: frozenset({ImportState.DRAFT, ImportState.REFUSED}),
    },
)

TEMPLATE: Final = Machine(name="template", field="current", moves={})
"""No machine: any version may become the current one. It lends its name to the events that tell of it."""
VERSION: Final = Machine(name="template_version", field="number", moves={})
"""No machine: versions never change. It lends its name to the events of deprecation."""
