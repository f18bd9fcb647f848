"""Episodes, sequences, locations and shots, their statuses and automations over HTTP."""

from apps.productions.api.assignees import AssigneesViewSet
from apps.productions.api.casting import CastingViewSet
from apps.productions.api.covers import CoverViewSet
from apps.productions.api.outline import EpisodeViewSet, LocationViewSet, SequenceViewSet
from apps.productions.api.presets import ApplyPresetsView, PresetCheckView
from apps.productions.api.rules import AutomationViewSet, StatusViewSet
from apps.productions.api.views import ShotViewSet

__all__ = [
    "ApplyPresetsView",
    "AssigneesViewSet",
    "AutomationViewSet",
    "CastingViewSet",
    "CoverViewSet",
    "EpisodeViewSet",
    "LocationViewSet",
    "PresetCheckView",
    "SequenceViewSet",
    "ShotViewSet",
    "StatusViewSet",
]
