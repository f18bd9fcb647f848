"""The prompts of a plan: one for each step that takes words, and shot."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from apps.prompts.models import PromptBuild
from apps.prompts.services import build_prompts, compose_prompts
from apps.renders.services.planned import Plan, PlannedJob
from apps.workflows.services import template_of

Builds = dict[tuple[int, UUID], PromptBuild]
"""A prompt for each step and shot."""


def prompts_of(planned: Plan, *, keep: bool = True) -> Builds:
    """Compose the prompts of every step that takes one, a constant number of queries per step.

    ``keep`` False writes nothing. Raises Refused for a shot without a word.
    """
    compose = build_prompts if keep else compose_prompts
    by_step: dict[int, list[PlannedJob]] = defaultdict(list)
    for item in planned.jobs:
        by_step[item.step].append(item)
    builds: Builds = {}
    for step, items in by_step.items():
        manifest = template_of(items[0].version).manifest
        if "positive" not in manifest.bindings:
            continue
        shots = list({item.shot.pk: item.shot for item in items}.values())
        made = compose(
            shots,
            channel=manifest.produces,
            base_model=manifest.lora_base,
            experts={place.expert for place in manifest.loras},
            facts=planned.facts,
        )
        builds |= {(step, shot_id): build for shot_id, build in made.items()}
    return builds
