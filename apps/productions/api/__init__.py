"""Sequences and shots over HTTP."""

from apps.productions.api.assignees import AssigneesViewSet
from apps.productions.api.views import SequenceViewSet, ShotViewSet

__all__ = ["AssigneesViewSet", "SequenceViewSet", "ShotViewSet"]
