"""What apps above hear of members."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

member_left: Final = Signal()
"""Somebody is in a project no more, or only as its client: ``project``, ``member``, and ``actor``, who
saw to it (None: the farm). Sent within the transaction of the change: what was theirs there goes with it."""
