"""Recommend a template for a shot, keep it, and take a person's word on it.

Asking changes nothing: what is recommended is worked out from the shot, the rules and the farm as they are.
It is kept when somebody asks for it (:func:`recommend`) or decides (:func:`decide`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Problem, Refused
from apps.materials.selectors import usable_by
from apps.productions.models import Shot
from apps.projects.roles import Act
from apps.projects.selectors import require, require_shots
from apps.renders.models import Decision, Recommendation
from apps.renders.services.obstacles import INERT_WEIGHT, Farm, weight_of
from apps.renders.shot_facts import facts_of, with_takes
from apps.workflows.models import Kind, RecommendationRule
from apps.workflows.recommending import Choice, ShotFacts, judge
from apps.workflows.selectors import current_version

MOST_SHOTS: Final = 200
"""Shots of one action."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What is recommended for a shot now. ``kept``: the row with a person's word, None if there is none.

    ``choices``: ``{"template", "recipe", "score", "reasons", "obstacles"}``, what is recommended first.
    """

    shot_id: UUID
    choices: list[dict[str, Any]]
    denied: list[dict[str, str]]
    inputs_hash: str
    kept: Recommendation | None

    @property
    def template(self) -> str:
        """The recommended template; "" where no rule speaks, or only for templates that are not there."""
        return str(self.first["template"]) if self.first else ""

    @property
    def recipe(self) -> str:
        """The chain that makes more of it, if a rule names one."""
        return str(self.first["recipe"]) if self.first else ""

    @property
    def first(self) -> dict[str, Any] | None:
        """The recommended choice."""
        usable = self.choices and weight_of(self.choices[0]["obstacles"]) < INERT_WEIGHT
        return self.choices[0] if usable else None

    @property
    def chosen(self) -> str:
        """What a person decided on, else what is recommended."""
        return self.kept.chosen if self.kept and self.kept.decision else self.template

    @property
    def outdated(self) -> bool:
        """A person decided, and what it rested on has changed since."""
        return bool(self.kept and self.kept.decision and self.kept.decided_on != self.inputs_hash)


def advice_for(shots: Sequence[Shot]) -> dict[UUID, Advice]:
    """Work out what is recommended for shots, with a constant number of queries. Changes nothing.

    Shots come with their project and sequence at hand.
    """
    facts, farm = facts_of(shots), Farm()
    rules = list(RecommendationRule.objects.filter(active=True))
    rows = Recommendation.objects.filter(shot__in=[shot.pk for shot in shots]).select_related("decided_by")
    kept = {row.shot_id: row for row in rows}
    clips, materials = with_takes([shot.pk for shot in shots], Kind.CLIP), usable_by(shots)
    return {
        shot.pk: _advice(
            shot,
            facts[shot.pk],
            rules,
            farm,
            kept.get(shot.pk),
            has_clip=shot.pk in clips,
            material={one.kind for one in materials[shot.pk]},
        )
        for shot in shots
    }


def recommend(shots: Sequence[Shot], *, user: User) -> dict[UUID, Advice]:
    """Work out what is recommended for shots and keep it; a person's word stays.

    Raises NotAllowed, or Refused for too many at once.
    """
    if len(shots) > MOST_SHOTS:
        told = _("recommendations are made for at most %d shots at once; select fewer") % MOST_SHOTS
        raise Refused(Problem("shots", str(len(shots)), told))
    for project in {shot.project_id: shot.project for shot in shots}.values():
        of_project = [shot.pk for shot in shots if shot.project_id == project.pk]
        require_shots(user, Act.PLAN, project, shots=of_project)
    advice = advice_for(shots)
    for one in advice.values():
        if one.kept is None or one.kept.inputs_hash != one.inputs_hash:
            _keep(one)
    return advice


def decide(shot: Shot, *, user: User, template: str = "", withdraw: bool = False) -> Recommendation:
    """Accept what is recommended (no ``template``), choose another template, or take the word back.

    Raises NotAllowed, or Refused for a template that is not offered, or where nothing is recommended.
    """
    require(user, Act.PLAN, shot.project, shot=shot.pk)
    if template:
        current_version(template)  # refuses what is not offered, naming what is
    told = advice_for([shot])[shot.pk]
    if not (template or told.template or withdraw):
        raise Refused(
            Problem("template", "", _("no rule recommends anything for this shot; choose a template"))
        )
    chosen = "" if withdraw else template or told.template
    decision = Decision.ACCEPTED if chosen == told.template else Decision.OVERRIDDEN
    return _keep(
        told,
        decision=Decision.NONE if withdraw else decision,
        chosen=chosen,
        decided_by=None if withdraw else user,
        decided_at=None if withdraw else database_now(),
        decided_on="" if withdraw else told.inputs_hash,
    )


def _advice(
    shot: Shot,
    facts: ShotFacts,
    rules: list[RecommendationRule],
    farm: Farm,
    kept: Recommendation | None,
    *,
    has_clip: bool,
    material: Collection[str],
) -> Advice:
    judged = judge(rules, facts)
    told = [_told(choice, shot, farm, has_clip=has_clip, material=material) for choice in judged.choices]
    # what can start now goes first; among those, the order the rules gave
    choices = sorted(told, key=lambda one: weight_of(one["obstacles"]))
    denied = [word.as_json() for word in judged.denied]
    content = json.dumps([facts.as_json(), choices, denied], sort_keys=True)
    return Advice(
        shot_id=shot.pk,
        choices=choices,
        denied=denied,
        inputs_hash=hashlib.sha256(content.encode()).hexdigest(),
        kept=kept,
    )


def _told(
    choice: Choice, shot: Shot, farm: Farm, *, has_clip: bool, material: Collection[str]
) -> dict[str, Any]:
    return {
        "template": choice.template,
        "recipe": choice.recipe,
        "score": choice.score,
        "reasons": [held.as_json() for held in choice.reasons],
        "obstacles": [
            *farm.obstacles(choice.template, shot),
            *farm.asks_for(choice.template, has_clip=has_clip, material=material),
        ],
    }


@transaction.atomic
def _keep(told: Advice, **decided: Any) -> Recommendation:
    first = told.first["reasons"][0]["rule"] if told.first else ""
    row, created = Recommendation.objects.select_for_update().get_or_create(shot_id=told.shot_id)
    facts = {
        "rule": RecommendationRule.objects.filter(slug=first).first(),
        "template": told.template,
        "recipe": told.recipe,
        "choices": told.choices,
        "denied": told.denied,
        "inputs_hash": told.inputs_hash,
        **decided,
    }
    for name, value in facts.items():
        setattr(row, name, value)
    row.row_version += 0 if created else 1
    row.save()
    return row
