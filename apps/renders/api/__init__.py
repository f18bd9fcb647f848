"""Render batches and jobs over HTTP."""

from apps.renders.api.batches import BatchViewSet
from apps.renders.api.blocks import BlockViewSet
from apps.renders.api.jobs import JobViewSet

__all__ = ["BatchViewSet", "BlockViewSet", "JobViewSet"]
