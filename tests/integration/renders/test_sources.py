"""What a job starts from is found, whatever happens while it is looked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from apps.renders.models import Job
from apps.renders.services.sources import find_sources, given_sources
from apps.renders.states import JobState
from tests.factories import ArtifactFactory, JobFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("given", [False, True], ids=["found", "given"])
def test_a_keyframe_that_comes_back_between_two_looks_is_found_all_the_same(given: bool) -> None:
    job = JobFactory.create(state=JobState.RUNNING)
    came_back: list[str] = []

    def comes_back(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        if not came_back:
            came_back.append(sql)
            Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
            ArtifactFactory.create(take__shot=job.shot, take__job_id=job.pk)
        return answer

    with connection.execute_wrapper(comes_back):
        found = (
            given_sources({job.shot_id: job.pk}, "first_frame")
            if given
            else find_sources([job.shot], "first_frame", "image")
        )
    assert came_back
    assert job.shot_id in found
