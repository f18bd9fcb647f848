"""Render batches and jobs over HTTP, and what is paused and limited on the farm."""

from apps.renders.api.batches import BatchViewSet
from apps.renders.api.blocks import BlockViewSet
from apps.renders.api.farm import HoldViewSet, LimitViewSet, SteeredProjectViewSet
from apps.renders.api.jobs import JobViewSet

__all__ = [
    "BatchViewSet",
    "BlockViewSet",
    "HoldViewSet",
    "JobViewSet",
    "LimitViewSet",
    "SteeredProjectViewSet",
]
