"""The rendering side of the admin. Importing the modules registers their pages."""

from apps.renders.admin import activity, batches, jobs, nodes, shots

__all__ = ["activity", "batches", "jobs", "nodes", "shots"]
