"""What apps above hear of jobs."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

job_continues: Final = Signal()
"""A job that waited for a shot's selected take goes on from it: ``job`` and ``maker``, the job of that take,
by their ids; ``role``: the input. Sent within the transaction that releases the job."""
