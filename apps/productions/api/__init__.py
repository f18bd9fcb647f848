"""Episodes, sequences, locations and shots over HTTP."""

from apps.productions.api.assignees import AssigneesViewSet
from apps.productions.api.outline import EpisodeViewSet, LocationViewSet, SequenceViewSet
from apps.productions.api.views import ShotViewSet

__all__ = ["AssigneesViewSet", "EpisodeViewSet", "LocationViewSet", "SequenceViewSet", "ShotViewSet"]
