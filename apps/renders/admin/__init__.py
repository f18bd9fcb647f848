"""The rendering side of the admin. Importing the modules registers their pages."""

from apps.renders.admin import activity, batches, blocks, jobs, nodes, shots

__all__ = ["activity", "batches", "blocks", "jobs", "nodes", "shots"]
