"""Sequences and shots over HTTP."""

from apps.productions.api.assignees import AssigneesViewSet
from apps.productions.api.presets import ApplyPresetsView, PresetCheckView
from apps.productions.api.views import SequenceViewSet, ShotViewSet

__all__ = ["ApplyPresetsView", "AssigneesViewSet", "PresetCheckView", "SequenceViewSet", "ShotViewSet"]
