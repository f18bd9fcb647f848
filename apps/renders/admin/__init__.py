"""The rendering side of the admin. Importing the modules registers their pages."""

from apps.renders.admin import activity, batches, jobs, needs, nodes, rules, shots

__all__ = ["activity", "batches", "jobs", "needs", "nodes", "rules", "shots"]
