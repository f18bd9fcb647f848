"""A film with recipes: what the farm and people do to a run, told in a word each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.models import Recipe, RecipeRun, RunStep
from apps.recipes.services.editing import write_steps
from apps.recipes.services.rerendering import shots_of, standing_of
from apps.recipes.services.starting import start
from apps.recipes.spec import Gate, StepSpec
from apps.recipes.standing import Cell
from apps.renders.models import Job
from apps.renders.services.dependents import release_all
from apps.renders.states import OPEN, JobState
from apps.review.models import Take
from apps.review.services import review_take
from apps.review.states import Media
from tests.factories import ArtifactFactory, TakeFactory

KEYFRAME: Final = StepSpec(template="sd15_t2i", takes=2, gate=Gate.APPROVAL)
CLIP: Final = StepSpec(template="wan22_i2v", gate=Gate.APPROVAL)
UPSCALE: Final = StepSpec(template="upscale")
FINAL: Final = StepSpec(template="upscale", width=3328, height=1920)
WHOLE: Final = (KEYFRAME, CLIP, UPSCALE, FINAL)


def recipe_of(*steps: StepSpec, slug: str = "whole") -> Recipe:
    """A recipe of these steps, whether or not they fit together."""
    recipe = Recipe.objects.create(slug=slug, title=slug)
    write_steps(recipe, steps)
    return recipe


def started(
    user: User, film: Project, shots: Sequence[Shot], recipe: Recipe | None = None, key: str = "k"
) -> RecipeRun:
    """A run of the whole chain, or of another recipe."""
    asked = recipe or recipe_of(*WHOLE)
    return start(user=user, project=film, recipe=asked, shots=shots, idempotency_key=key).run


def cell(run: RecipeRun, position: int, shot: Shot | None = None) -> RunStep:
    """The row of one step of a shot; of the only one, if none is named."""
    rows = RunStep.objects.select_related("run__project", "run__recipe", "shot__sequence", "chosen")
    return rows.get(run=run, position=position, **({"shot": shot} if shot else {}))


def jobs(run: RecipeRun, position: int, shot: Shot | None = None, **which: Any) -> list[Job]:
    """The jobs of one step of a shot, the oldest first."""
    rows = Job.objects.filter(recipe_render__cell=cell(run, position, shot), **which)
    return list(rows.order_by("take_number"))


def rendered(job: Job, **about: Any) -> Take:
    """The farm renders this job: it has a take with a file, and whoever waited for it is released."""
    clip = job.kind == "clip"
    take: Take = TakeFactory.create(
        shot=job.shot,
        job_id=job.pk,
        kind=job.kind,
        number=job.take_number,
        media_state=Media.READY,
        **about,
    )
    ArtifactFactory.create(
        take=take,
        kind="video" if clip else "image",
        media_type="video/mp4" if clip else "image/png",
        frames=job.frames,
    )
    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    release_all(actor="test")
    return take


def renders_all(run: RecipeRun) -> list[Take]:
    """The farm renders whatever of the run it can, until nothing is open any more."""
    takes = []
    while some := list(
        Job.objects.filter(recipe_render__cell__run=run, state__in=set(OPEN) - {JobState.BLOCKED})
    ):
        takes += [rendered(job) for job in some]
    return takes


def take_of(job: Job) -> Take:
    """The take of a job."""
    return Take.objects.select_related("shot__sequence", "project").get(job_id=job.pk)


def approves(user: User, job: Job) -> bool:
    """Somebody approves the take of this job."""
    return review_take(take_of(job), to="approved", user=user)


def stand(run: RecipeRun, shot: Shot | None = None) -> list[Cell]:
    """The cells of a shot as a page shows them, against the recipe as it is now."""
    fresh = RecipeRun.objects.select_related("project", "recipe").get(pk=run.pk)
    rows = standing_of(fresh, shots_of(fresh), fresh.recipe.specs)
    return next(row.cells for row in rows if shot is None or row.shot.pk == shot.pk)


def stale(run: RecipeRun, shot: Shot | None = None) -> list[list[str]]:
    """For each step what has changed of it; "upstream" where a step before it has."""
    return [
        [f"{one.what} {one.name}".strip() for one in cell.stale] or (["upstream"] if cell.upstream else [])
        for cell in stand(run, shot)
    ]
