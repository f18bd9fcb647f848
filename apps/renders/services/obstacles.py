"""What stands between a template and a shot now: not there, no card large enough, files nowhere, refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from apps.nodes.models import Node
from apps.nodes.selectors import known_capabilities, serving
from apps.productions.models import Shot
from apps.renders.scheduling.fit import keyless, lacking, unknown_to
from apps.renders.services.files import SUITING, from_cast
from apps.renders.services.shot_values import fit
from apps.renders.services.sources import medium_taken, role_of
from apps.renders.services.steps import Step
from apps.workflows.models import WorkflowTemplate
from apps.workflows.selectors import offered
from apps.workflows.services import remember, template_of
from farm.tiers import tier_for_need
from workflows.errors import WorkflowError
from workflows.load import Template

Obstacle = dict[str, Any]
"""``{"code", "params"}``; renders.recommendation_words says it."""

INERT: Final = frozenset({"not_there", "not_offered"})
"""With these a rule recommends nothing at all."""
INERT_WEIGHT: Final = 3

_ASKED: Final = frozenset({"file"})
"""A person is asked for something when it is rendered; it stands in no way."""

_PASSING: Final = frozenset({"no_node", "memory", "asleep"})

MOST_NAMED: Final = 3
"""Missing files that are named."""


def weight_of(obstacles: Sequence[Obstacle]) -> int:
    """Order templates by what stands in their way: nothing, what may pass, what has to be mended, inert."""
    codes = {one["code"] for one in obstacles} - _ASKED
    if codes & INERT:
        return INERT_WEIGHT
    return 0 if not codes else 1 if codes <= _PASSING else 2


_OF_NODES: Final = ("name", "tier_gb", "capabilities_of", "keys", "hears")
"""Columns that fit is judged by; one that is missing here is read for each node by itself."""


class Farm:
    """The templates there are and the nodes there are, read once for many shots."""

    def __init__(self) -> None:
        self.there = set(WorkflowTemplate.objects.values_list("slug", flat=True))
        self.offered = {row.slug: row for row in offered()}
        remember(row.current for row in self.offered.values() if row.current)
        self.serving = list(serving().only(*_OF_NODES))
        self.known = list(known_capabilities().only(*_OF_NODES))
        self._needs: dict[tuple[Any, ...], float | Obstacle] = {}

    @property
    def largest(self) -> int:
        """The largest tier in GB that serves now; 0 where no node does, or none told its memory."""
        return max((node.tier_gb or 0 for node in self.serving), default=0)

    def template(self, slug: str) -> Template | None:
        """A template that is offered now."""
        row = self.offered.get(slug)
        return template_of(row.current) if row and row.current else None

    def obstacles(self, slug: str, shot: Shot) -> list[Obstacle]:
        """Say what stands in the way of rendering this shot with this template now; nothing if it could."""
        template = self.template(slug)
        if template is None:
            return [_obstacle("not_offered" if slug in self.there else "not_there", template=slug)]
        need = self._need(template, shot)
        return [need] if isinstance(need, dict) else self._where(template, need)

    def asks_for(self, slug: str, *, has_clip: bool, material: Collection[str] = ()) -> list[Obstacle]:
        """The files a person has to name or render first, but for a keyframe and the cast's pictures.

        ``material``: the kinds that the shot has.
        """
        template = self.template(slug)
        if template is None:
            return []
        manifest = template.manifest
        own = role_of(manifest)
        return [
            _obstacle("file", input=role)
            for role in manifest.file_roles
            if role in manifest.required_roles and not from_cast(manifest, role)
            if SUITING.get(role) not in material
            if role != own or (not has_clip and medium_taken(template, role) == "video")
        ]

    def _need(self, template: Template, shot: Shot) -> float | Obstacle:
        """The memory a shot of this length needs, or why the template refuses it; worked out once."""
        key = (template.sha256, shot.project_id, shot.frames, shot.handles)
        if key not in self._needs:
            step, files = Step(template=template.slug), dict.fromkeys(template.manifest.file_roles)
            try:
                self._needs[key] = fit(step, template, shot, [], files).need_gb
            except WorkflowError as error:
                told = {"field": error.field, "value": str(error.value)}
                self._needs[key] = _obstacle(
                    "refused", **told, why=error.problem.as_json(), do=error.remedy.as_json()
                )
        return self._needs[key]

    def _where(self, template: Template, need: float) -> list[Obstacle]:
        if not self.serving:
            return [_obstacle("no_node")]
        complete = [node for node in self.serving if not _lacks(node, template)]
        having = [node for node in complete if not unknown_to(node, template)]
        tier = tier_for_need(need)
        if any(tier is not None and (node.tier_gb or 0) >= tier for node in having):
            return []
        told = []
        if tier is None or tier > self.largest:
            told.append(_obstacle("memory", need=need, largest=self.largest))
        if not having:
            told.append(_obstacle("older_worker") if complete else self._without_files(template))
        return told or [_obstacle("memory", need=need, largest=max(node.tier_gb or 0 for node in having))]

    def _without_files(self, template: Template) -> Obstacle:
        if not all(_lacks(node, template) for node in self.known):
            return _obstacle("asleep")
        missing = min((_lacks(node, template) for node in self.serving), key=len)
        return _obstacle("missing", files=list(missing[:MOST_NAMED]), more=max(0, len(missing) - MOST_NAMED))


def _lacks(node: Node, template: Template) -> tuple[str, ...]:
    missing, remote = lacking(node, template, ""), template.manifest.remote
    return (*missing, f"{remote.service} key") if remote and keyless(node, template) else missing


def _obstacle(code: str, **params: Any) -> Obstacle:
    return {"code": code, "params": params}
