"""Sequences and shots, their statuses and automations over HTTP."""

from apps.productions.api.assignees import AssigneesViewSet
from apps.productions.api.rules import AutomationViewSet, StatusViewSet
from apps.productions.api.views import SequenceViewSet, ShotViewSet

__all__ = ["AssigneesViewSet", "AutomationViewSet", "SequenceViewSet", "ShotViewSet", "StatusViewSet"]
