"""The rendering side of the admin. Importing the modules registers their pages."""

from apps.renders.admin import (
    activity,
    automations,
    batches,
    blocks,
    farm,
    golden,
    jobs,
    material,
    needs,
    nodes,
    projects,
    recommendations,
    rules,
    shots,
    takes,
    templates,
)

__all__ = [
    "activity",
    "automations",
    "batches",
    "blocks",
    "farm",
    "golden",
    "jobs",
    "material",
    "needs",
    "nodes",
    "projects",
    "recommendations",
    "rules",
    "shots",
    "takes",
    "templates",
]
