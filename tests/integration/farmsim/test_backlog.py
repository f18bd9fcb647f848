"""The backlog's rows are what submit writes, so that the two cannot drift apart."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict

from apps.accounts.models import User
from apps.common.models import StateEvent
from apps.projects.models import Project
from apps.renders.models import Job, Lane
from apps.renders.services.dispatch import dispatch
from tests.factories import ShotFactory
from tests.farmsim import backlog, clerk
from tests.integration.renders.hand import Hand

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("bus", "templates"),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="a backlog is made by PostgreSQL"),
]

TEMPLATE = "sd15_t2i"
ITS_OWN = {"id", "code", "take_number", "seed", "values", "created_at", "updated_at", "ready_at", "batch_id"}
"""What tells one job from another, whoever makes it."""


@pytest.fixture
def studio(film: Project) -> Project:
    """A project with two shots, and somebody who orders."""
    User.objects.create_superuser(clerk.PERSON, password="open sesame")
    ShotFactory.create_batch(2, sequence=film.sequences.get())
    return film


def columns(job: Job) -> dict[str, Any]:
    """All of a row but what is its own."""
    return {
        field.attname: getattr(job, field.attname)
        for field in Job._meta.concrete_fields
        if field.attname not in ITS_OWN
    }


def events(job: Job) -> list[dict[str, Any]]:
    return [model_to_dict(event, exclude=["id", "story", "subject", "at"]) for event in _events_of(job)]


def _events_of(job: Job) -> list[StateEvent]:
    return list(StateEvent.objects.filter(story=job.pk, subject=job.pk))


def test_a_copy_is_what_submit_would_have_written(studio: Project) -> None:
    made = backlog.fill(studio.code, [TEMPLATE] * 6, submit=clerk.submit)
    submitted = {job.shot_id: job for job in Job.objects.exclude(pk__in=made)}
    copies = list(Job.objects.filter(pk__in=made).order_by("code"))
    assert len(copies) == 6
    assert [str(job.pk) for job in copies] == made, "in the order asked for"
    for copy in copies:
        assert columns(copy) == columns(submitted[copy.shot_id])
        assert events(copy) == events(submitted[copy.shot_id]) != []


def test_copies_are_told_apart_as_submitted_jobs_are(studio: Project) -> None:
    made = backlog.fill(studio.code, [TEMPLATE] * 6, submit=clerk.submit)
    more = clerk.submit(studio.code, TEMPLATE, 2)
    jobs = list(Job.objects.order_by("code"))
    assert len(made) + 2 + len(more) == len(jobs)
    assert len({job.code for job in jobs}) == len({job.pk for job in jobs}) == len(jobs)
    assert all(job.values["seed"] == job.seed for job in jobs)
    copies = [job for job in jobs if str(job.pk) in made]
    assert len({(job.shot_id, job.seed) for job in copies}) == len(copies)
    assert sorted(copies, key=lambda job: str(job.ready_at)) == copies, "the first asked for is the oldest"
    takes = sorted((str(job.shot_id), job.take_number) for job in jobs)
    assert len(set(takes)) == len(takes)
    assert {number for _, number in takes} == set(range(1, 1 + len(jobs) // 2)), "no number is left out"


def test_the_dispatcher_sends_a_copy(studio: Project, node24: Hand) -> None:
    made = backlog.fill(studio.code, [TEMPLATE] * 4, submit=clerk.submit)
    Job.objects.exclude(pk__in=made).delete()
    assert Lane.objects.filter(active=True).exists()
    dispatch()
    order = node24.claimed()
    assert order.job_id == made[0], "the oldest first"
