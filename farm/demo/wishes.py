"""What the demo asks the farm to render: the workbook's plan, or slates where no GPU can follow it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.nodes.models import Node
from apps.nodes.states import SERVING
from apps.productions.models import Shot
from apps.productions.render_plan import DEMO_WORKBOOK, PlannedRender, read_render_plan
from apps.projects.models import Project
from apps.renders.models import RenderBatch
from apps.renders.scheduling.fit import lacking
from apps.renders.services.submit import Step, submit
from farm.demo.errors import DemoError
from farm.tiers import tier_for_need
from workflows.bind import need_gb
from workflows.load import load

SLATE: Final = "plain_slate"
NODE_PATIENCE_S: Final = 90.0


def ask(project: Project, *, slates: bool) -> list[RenderBatch]:
    """Submit the plan, or one slate per shot. Asking again returns the same batches."""
    shots = {shot.full_code: shot for shot in Shot.objects.filter(project=project).select_related("sequence")}
    steps: dict[Step, list[Shot]] = defaultdict(list)
    if slates:
        steps[Step(template=SLATE)] = list(shots.values())
    else:
        for wish in _plan():
            steps[_step(wish)].append(shots[wish.shot_code])
    user = User.objects.get(username="admin")
    try:
        return [
            submit(user=user, project=project, shots=of, steps=[step], idempotency_key=_key(step)).batch
            for step, of in steps.items()
        ]
    except Refused as exc:
        raise DemoError(f"The render plan was refused: {exc}") from exc


def plan_fits(*, pause: Callable[[], None]) -> bool:
    """Wait for the node's first full report; tell whether it can render the whole plan.

    ``pause`` is called between looks. Raises DemoError if the node never says what it can do.
    """
    deadline = time.monotonic() + NODE_PATIENCE_S
    while True:
        node = Node.objects.filter(observed__in=SERVING).exclude(capabilities_of="").first()
        if node is not None:
            return all(_fits(node, wish) for wish in _plan())
        if time.monotonic() > deadline:
            words = [f"{node} is {node.observed}: {node.reason}" for node in Node.objects.all()]
            raise DemoError(f"The GPU worker is not ready. {'; '.join(words) or 'It has not reported.'}")
        pause()


def _plan() -> list[PlannedRender]:
    """Keyframes first: a clip starts from the keyframe of its shot."""
    return sorted(
        read_render_plan(DEMO_WORKBOOK), key=lambda wish: load(wish.template).manifest.produces == "video"
    )


def _fits(node: Node, wish: PlannedRender) -> bool:
    template = load(wish.template)
    need = need_gb(template, width=wish.width, height=wish.height, frames=wish.frames)
    tier = tier_for_need(need.gb)
    if tier is None or node.tier_gb is None or tier > node.tier_gb:
        return False
    return not lacking(node, template, "")


def _step(wish: PlannedRender) -> Step:
    return Step(
        template=wish.template, takes=wish.takes, width=wish.width, height=wish.height, frames=wish.frames
    )


def _key(step: Step) -> str:
    size = f"{step.width}x{step.height}" if step.width else "default"
    return f"demo {step.template} {size} {step.frames or 1}f {step.takes} takes"
