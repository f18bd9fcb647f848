"""The pages of folders and names."""

from apps.folders.admin import layouts, projects, takes

__all__ = ["layouts", "projects", "takes"]
