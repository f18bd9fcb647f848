"""Sequences and shots, their statuses and automations over HTTP."""

from apps.productions.api.assignees import AssigneesViewSet
from apps.productions.api.presets import ApplyPresetsView, PresetCheckView
from apps.productions.api.rules import AutomationViewSet, StatusViewSet
from apps.productions.api.views import SequenceViewSet, ShotViewSet

__all__ = [
    "ApplyPresetsView",
    "AssigneesViewSet",
    "AutomationViewSet",
    "PresetCheckView",
    "SequenceViewSet",
    "ShotViewSet",
    "StatusViewSet",
]
