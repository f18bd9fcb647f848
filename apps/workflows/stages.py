"""Which stage of a shot a template makes."""

from __future__ import annotations

from apps.projects.stages import Stage
from apps.workflows.models import Kind
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
