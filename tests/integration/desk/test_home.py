"""The home page's figures cost no more on a farm of years than on one of a week."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.desk.selectors import project_cards, troubles
from apps.projects.reach import Reach
from apps.renders import progress
from apps.renders.models import Job
from apps.renders.states import JobState
from tests.factories import JobFactory, UserFactory

pytestmark = pytest.mark.django_db

EVERYTHING = Reach(everything=True, standings={})
MOST = 40


@pytest.fixture
def root() -> User:
    return UserFactory.create(is_superuser=True)


def many_like(job: Job, count: int) -> None:
    """More jobs of the same shot, which ended as this one did."""
    same = {field.attname: getattr(job, field.attname) for field in Job._meta.concrete_fields}
    del same["id"], same["created_at"]
    Job.objects.bulk_create(
        Job(**{**same, "code": f"Y{job.take_number}-{n}", "take_number": 10_000 * job.take_number + n})
        for n in range(count)
    )


def a_farm_of_years(jobs: int) -> None:
    done = JobFactory.create(state=JobState.SUCCEEDED)
    failed = JobFactory.create(shot=done.shot, state=JobState.FAILED, finished_at=done.ready_at)
    many_like(done, jobs)
    many_like(failed, jobs)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE renders_job")


def steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps_of(below)


def jobs_read(queries: list[dict[str, str]]) -> int:
    """How many rows of the jobs' table PostgreSQL reads for these queries."""
    read = 0
    for query in queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            [(told,)] = cursor.fetchall()
        plan = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
        for step in steps_of(plan):
            if step.get("Relation Name") == Job._meta.db_table:
                dropped = step.get("Rows Removed by Filter", 0)
                read += round((step["Actual Rows"] + dropped) * step["Actual Loops"])
    return read


def test_a_films_jobs_are_counted_as_far_as_anybody_wants_to_know(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST_COUNTED", MOST)
    a_farm_of_years(MOST + 5)
    JobFactory.create(shot=Job.objects.latest("code").shot, state=JobState.READY)
    [card] = project_cards(root, EVERYTHING)
    assert [(state, count) for state, _label, count in card.jobs.told] == [
        ("ready", "1"),
        ("succeeded", f"{MOST}+"),
        ("failed", f"{MOST}+"),
    ]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="its planner does not tell how many rows it read")
def test_the_cards_and_the_troubles_read_no_more_jobs_on_a_farm_of_years(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST_COUNTED", MOST)
    a_farm_of_years(3_000)
    with CaptureQueriesContext(connection) as seen:
        project_cards(root, EVERYTHING)
    assert 2 * MOST <= jobs_read(seen.captured_queries) <= len(JobState) * MOST
    with CaptureQueriesContext(connection) as seen:
        assert len(troubles(root)) == 8
    listing = [query for query in seen.captured_queries if "finished_at" in query["sql"]]
    assert 8 <= jobs_read(listing[:1]) <= 100
