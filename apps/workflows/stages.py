"""Which stage of a shot a template makes."""

from __future__ import annotations

from collections.abc import Iterable

from apps.projects.stages import Stage
from apps.workflows.models import Kind
from apps.workflows.selectors import offered
from apps.workflows.services import template_of
from workflows.manifest import Manifest
from workflows.roles import PICTURES

_MADE_FROM_CLIPS = ("video", PICTURES)


def stage_of(manifest: Manifest) -> Stage:
    """Return the stage whose takes a template makes; what must be given a clip or its frames finishes it."""
    if manifest.kind == Kind.SLATE:
        return Stage.PREVIZ
    if manifest.kind == Kind.KEYFRAME:
        return Stage.KEYFRAME
    given = (manifest.bindings.get(role) for role in _MADE_FROM_CLIPS)
    return Stage.FINISH if any(one and one.optional is None for one in given) else Stage.CLIP


def stages_of(slugs: Iterable[str]) -> set[str]:
    """Return the stages that these templates make takes of; "" stands for those that are not offered."""
    names = set(slugs)
    found = {
        template.slug: str(stage_of(template_of(template.current).manifest))
        for template in offered().filter(slug__in=names)
        if template.current is not None
    }
    return {found.get(name, "") for name in names}
