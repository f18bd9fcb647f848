"""The rendering side of the admin. Importing the modules registers their pages."""

from apps.renders.admin import activity, batches, blocks, jobs, needs, nodes, rules, shots

__all__ = ["activity", "batches", "blocks", "jobs", "needs", "nodes", "rules", "shots"]
