"""What each step would be made of if it were rendered now: a recipe planned, and not carried out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.made import Made, pictures_among
from apps.recipes.spec import StepSpec, chain, with_one_take
from apps.renders.services.planned import PlannedJob
from apps.renders.services.planning import plan
from apps.renders.services.prompting import prompts_of
from apps.review.models import Artifact

Place = tuple[UUID, int]
"""A shot and the place of a step."""


@dataclass
class Expected:
    """By shot and step what it would be made of, but for the source of all steps behind the first.

    ``problems``: by shot, why nothing can be made of it now.
    """

    made: dict[Place, Made] = field(default_factory=dict)
    problems: dict[UUID, list[Problem]] = field(default_factory=dict)


def expect(project: Project, shots: Sequence[Shot], specs: Sequence[StepSpec]) -> Expected:
    """Work it out for these shots; the steps fit together (services.checking). Nothing is written.

    A constant number of queries for each step, and as many again for each shot with which something is wrong.
    """
    result = Expected()
    if shots:
        _expect(result, project, list(shots), specs)
    return result


def _expect(result: Expected, project: Project, shots: list[Shot], specs: Sequence[StepSpec]) -> None:
    """Whoever has a problem is found by halving, so that one shot without words hides no other."""
    planned = plan(project=project, shots=shots, steps=chain(with_one_take(specs), 0, len(specs)))
    problems = list(planned.problems)
    builds = {}
    if not problems:
        try:
            builds = prompts_of(planned, keep=False)
        except Refused as refused:
            problems = list(refused.problems)
    if not problems:
        first = _first_sources(planned.jobs)
        for item in planned.jobs:
            build = builds.get((item.step, item.shot.pk))
            bindings = item.manifest.bindings
            files = {role for role, binding in bindings.items() if binding.type == "file"}
            own = item.source.role if item.source and item.source.role not in item.files else ""
            # The shot's material is made by no job: it is among the pictures, and stale when exchanged.
            result.made[item.shot.pk, item.step] = Made(
                version=item.version.content_hash,
                template=str(item.version),
                values={role: value for role, value in item.values.items() if role not in files},
                precision=item.precision,
                size=(item.width, item.height),
                positive=build.positive if build else "",
                negative=build.negative if build and "negative" in bindings else "",
                loras=tuple(item.cast.as_json()),
                seed=item.fixed_seed if "seed" in bindings else None,
                source=first.get(item.shot.pk) if item.step == 0 else None,
                own=own,
                also=dict.fromkeys(specs[item.step].also),
                pictures=pictures_among(_with_ends(item), item.manifest, {own, *specs[item.step].also}),
            )
    elif len(shots) == 1:
        result.problems[shots[0].pk] = problems
    else:
        half = len(shots) // 2
        _expect(result, project, shots[:half], specs)
        _expect(result, project, shots[half:], specs)


def _first_sources(jobs: Iterable[PlannedJob]) -> dict[UUID, UUID]:
    """The job whose file the first step starts from, for each shot, where it starts from one."""
    sources = {item.shot.pk: item.source for item in jobs if item.step == 0 and item.source}
    files = [source.artifact_id for source in sources.values() if source.artifact_id]
    makers = dict(Artifact.objects.filter(pk__in=files).values_list("pk", "take__job_id")) if files else {}
    found = {shot: source.job_id for shot, source in sources.items() if source.job_id}
    found |= {shot: source.maker for shot, source in sources.items() if source.maker}
    return found | {
        shot: makers[source.artifact_id] for shot, source in sources.items() if source.artifact_id in makers
    }


def _with_ends(item: PlannedJob) -> dict[str, Any]:
    """Its values with the cut ends of clips that it continues, as its job would have them."""
    ends = {one.role: str(one.artifact_id) for one in item.others if one.continues and one.artifact_id}
    return item.values | ends
