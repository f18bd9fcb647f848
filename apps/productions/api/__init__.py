"""Sequences and shots over HTTP."""

from apps.productions.api.views import SequenceViewSet, ShotViewSet

__all__ = ["SequenceViewSet", "ShotViewSet"]
