"""Jobs and their attempts: the truth about what renders, and why."""

from apps.renders.models.attempts import Attempt
from apps.renders.models.farm import FarmClock, Hold, Limit, Usage
from apps.renders.models.jobs import (
    LONGEST_AVOIDS,
    LONGEST_LORA_FILES,
    Job,
    JobContinuity,
    JobDependency,
    JobMaterial,
    Priority,
    RenderBatch,
)
from apps.renders.models.lanes import Lane, Need, NeedTier
from apps.renders.models.proofs import Proof
from apps.renders.models.recommendations import Decision, Recommendation
from apps.renders.models.rules import Action, FailureRule, NodeBlock

__all__ = [
    "LONGEST_AVOIDS",
    "LONGEST_LORA_FILES",
    "Action",
    "Attempt",
    "Decision",
    "FailureRule",
    "FarmClock",
    "Hold",
    "Job",
    "JobContinuity",
    "JobDependency",
    "JobMaterial",
    "Lane",
    "Limit",
    "Need",
    "NeedTier",
    "NodeBlock",
    "Priority",
    "Proof",
    "Recommendation",
    "RenderBatch",
    "Usage",
]
