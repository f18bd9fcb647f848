"""Folders, layouts, mounts and published files over HTTP; projects, shots and takes with their paths."""

from apps.folders.api.files import PublicationViewSet, PublishedTakeViewSet
from apps.folders.api.layouts import LayoutViewSet, MountViewSet
from apps.folders.api.projects import FolderedProjectViewSet
from apps.folders.api.shots import FolderedShotViewSet

__all__ = [
    "FolderedProjectViewSet",
    "FolderedShotViewSet",
    "LayoutViewSet",
    "MountViewSet",
    "PublicationViewSet",
    "PublishedTakeViewSet",
]
