"""What apps above hear of takes."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

take_reviewed: Final = Signal()
"""A verdict is in the database: ``take`` its id, ``verdict``, ``actor``. Sent after the commit, and lost when
the process dies between: whoever must not miss one looks for it as well."""
