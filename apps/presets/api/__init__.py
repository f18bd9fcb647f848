"""The preset library over HTTP."""

from apps.presets.api.exchange import ExportView, ImportView
from apps.presets.api.views import CategoryViewSet, LookViewSet, PresetViewSet, RuleViewSet

__all__ = [
    "CategoryViewSet",
    "ExportView",
    "ImportView",
    "LookViewSet",
    "PresetViewSet",
    "RuleViewSet",
]
