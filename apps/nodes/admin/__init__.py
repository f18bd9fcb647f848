"""Pages of nodes, pools and schedules."""

from apps.nodes.admin.nodes import NodeAdmin
from apps.nodes.admin.places import PoolAdmin, ScheduleAdmin

__all__ = ["NodeAdmin", "PoolAdmin", "ScheduleAdmin"]
