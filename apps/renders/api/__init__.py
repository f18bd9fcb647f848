"""Render batches and jobs over HTTP, what is paused and limited on the farm, and what nodes do with jobs."""

from apps.renders.api.automations import RehearsedAutomationViewSet
from apps.renders.api.batches import BatchViewSet
from apps.renders.api.blocks import BlockViewSet
from apps.renders.api.farm import HoldViewSet, LimitViewSet, SteeredProjectViewSet
from apps.renders.api.jobs import JobViewSet
from apps.renders.api.materials import (
    MaterialViewSet,
    ProjectMaterialViewSet,
    SequenceMaterialViewSet,
    ShotMaterialViewSet,
)
from apps.renders.api.nodes import WorkingNodeViewSet
from apps.renders.api.prompts import BuildViewSet, ComposerViewSet, PromptViewSet, ShotBuildViewSet
from apps.renders.api.recommendations import RecommendationViewSet
from apps.renders.api.stock import DownloadsView, ModelsView, ProofViewSet
from apps.renders.api.takes import RenderedTakeViewSet
from apps.renders.api.templates import RenderingTemplateViewSet

__all__ = [
    "BatchViewSet",
    "BlockViewSet",
    "BuildViewSet",
    "ComposerViewSet",
    "DownloadsView",
    "HoldViewSet",
    "JobViewSet",
    "LimitViewSet",
    "MaterialViewSet",
    "ModelsView",
    "ProjectMaterialViewSet",
    "PromptViewSet",
    "ProofViewSet",
    "RecommendationViewSet",
    "RehearsedAutomationViewSet",
    "RenderedTakeViewSet",
    "RenderingTemplateViewSet",
    "SequenceMaterialViewSet",
    "ShotBuildViewSet",
    "ShotMaterialViewSet",
    "SteeredProjectViewSet",
    "WorkingNodeViewSet",
]
