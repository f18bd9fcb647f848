"""A recipe's clip of a shot that continues another: fresh while that one's selected clip is the same."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.spec import StepSpec
from apps.renders.models import Job
from apps.renders.services import continuity
from apps.renders.services.continuity import selection_changed
from apps.renders.states import JobState
from apps.review.models import ArtifactRole, Take
from apps.review.services.tails import tail_key
from tests.factories import ArtifactFactory, ShotFactory, TakeFactory
from tests.integration.recipes.scene import jobs, recipe_of, rendered, stale, started

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.mark.parametrize(("template", "kind", "count"), [("wan22_i2v", "image", 1), ("wan_svi", "video", 5)])
def test_it_waits_goes_on_and_is_stale_when_another_clip_is_selected(
    film: Project,
    coordinator: User,
    shot: Shot,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    kind: str,
    count: int,
) -> None:
    monkeypatch.setattr(continuity, "request_tail", lambda *_args: None)
    shot_behind = ShotFactory.create(sequence=shot.sequence, code="SH0020", continuity_from=shot)
    ArtifactFactory.create(take=TakeFactory.create(shot=shot_behind, media_state="ready"))
    run = started(coordinator, film, [shot_behind], recipe_of(StepSpec(template=template)))
    [job] = jobs(run, 0)
    assert job.state == JobState.BLOCKED
    _clip_selected(shot, kind, count)
    selection_changed(shot.pk)
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.READY
    rendered(job)
    assert stale(run) == [[]]
    _clip_selected(shot, kind, count)
    assert stale(run) != [[]]


def _clip_selected(shot: Shot, kind: str, count: int) -> None:
    """Another clip is selected, and its end is cut."""
    Take.objects.filter(shot=shot).update(selected=False, selected_at=None)
    take = TakeFactory.create(
        shot=shot, kind="clip", media_state="ready", selected=True, selected_at=timezone.now()
    )
    ArtifactFactory.create(take=take, kind="video", frames=81, fps=16.0, key=f"attempts/{uuid4()}/clip.mp4")
    ArtifactFactory.create(
        take=take, role=ArtifactRole.TAIL, key=tail_key(take, kind, count), kind=kind, frames=count
    )
