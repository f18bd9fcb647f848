"""Nodes, pools and schedules over HTTP."""

from apps.nodes.api.nodes import NodeViewSet
from apps.nodes.api.places import PoolViewSet, ScheduleViewSet

__all__ = ["NodeViewSet", "PoolViewSet", "ScheduleViewSet"]
