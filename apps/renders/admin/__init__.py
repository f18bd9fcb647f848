"""The rendering side of the admin. Importing the modules registers their pages."""

from apps.renders.admin import activity, batches, farm, jobs, nodes, projects, shots

__all__ = ["activity", "batches", "farm", "jobs", "nodes", "projects", "shots"]
