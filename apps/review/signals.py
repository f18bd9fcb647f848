"""What apps above hear of takes."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

take_reviewed: Final = Signal()
"""A verdict is in the database: ``take`` its id, ``verdict``, ``actor``. Sent after the commit, and lost when
the process dies between: whoever must not miss one looks for it as well."""

take_selected: Final = Signal()
"""The selected take of a shot and stage is another: ``shot`` its id, ``stage``, ``take`` the id of the one
that is selected now (None: none is), ``before`` of the one that was (None: none was), ``actor``. Sent after
the commit, like take_reviewed."""
