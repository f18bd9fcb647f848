"""What is stale is rendered again along its chain: each shot waits for the one it continues."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import Job, JobContinuity
from apps.renders.services.stale import render_stale, stale_behind, stale_in
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.renders.waitwords import sentence
from apps.review.models import Take, TakeParent
from apps.review.services.staling import judge_stage
from tests.factories import ArtifactFactory, MembershipFactory, ShotFactory, TakeFactory, UserFactory
from tests.integration.review.test_staling import select, take_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


@pytest.fixture
def chain(film: Project, coordinator: User) -> list[Shot]:
    """Three shots, the second and third continue the one before; every clip was made by a job."""
    shots: list[Shot] = []
    before: Take | None = None
    for number in range(3):
        shot = ShotFactory.create(
            sequence=film.sequences.get(),
            code=f"SH{(number + 1) * 10:04}",
            continuity_from=shots[-1] if shots else None,
        )
        shots.append(shot)
        plate = ArtifactFactory.create(take__shot=shot, take__media_state="ready")
        step = Step(template="wan22_i2v", frames=17, files={"first_frame": plate.pk})
        job = submit(
            user=coordinator, project=film, shots=[shot], steps=[step], idempotency_key=f"first {number}"
        ).batch.jobs.get()
        Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
        clip = TakeFactory.create(shot=shot, kind="clip", job_id=job.pk, media_state="ready")
        if before is not None:
            TakeParent.objects.create(child=clip, parent=before, role="first_frame")
        select(clip)
        before = clip
    return shots


def made_stale(chain: list[Shot]) -> None:
    """Another clip of the first shot is selected."""
    other = take_of(chain[0])
    Take.objects.filter(pk=other.pk).update(media_state="ready")
    ArtifactFactory.create(take=other, kind="video", frames=17, fps=16.0)
    select(other)


def test_the_stale_ones_are_submitted_once_and_wait_for_what_is_not_stale(
    chain: list[Shot], film: Project, coordinator: User
) -> None:
    made_stale(chain)
    assert stale_behind(chain[0]) == chain[1:]
    [batch] = render_stale(film, stale_behind(chain[0]), user=coordinator, idempotency_key="k")
    jobs = {job.shot_id: job for job in batch.jobs.order_by("code")}
    assert list(jobs) == [chain[1].pk, chain[2].pk]
    assert {job.state for job in jobs.values()} == {JobState.BLOCKED}
    assert all(row.fresh for row in JobContinuity.objects.all())
    last = jobs[chain[2].pk]
    told = f"Waits for a take of {chain[1].full_code} that is not stale to be selected."
    assert sentence(last.wait_code, last.wait_params) == told
    with pytest.raises(Refused, match="nothing of this is stale, or it renders already"):
        render_stale(film, stale_behind(chain[0]), user=coordinator, idempotency_key="another")


def test_nothing_is_submitted_where_nothing_is_stale_or_by_whom_may_not(
    chain: list[Shot], film: Project, coordinator: User
) -> None:
    with pytest.raises(Refused):
        render_stale(film, stale_in(chain[0].sequence_id), user=coordinator, idempotency_key="k")
    made_stale(chain)
    client = MembershipFactory.create(project=film, role=Role.CLIENT).user
    with pytest.raises(NotAllowed):
        render_stale(film, chain, user=client, idempotency_key="k")


def test_the_api_tells_what_is_stale_and_the_chain_and_renders_it_again(
    chain: list[Shot], coordinator: User
) -> None:
    made_stale(chain)
    api = APIClient()
    api.force_authenticate(coordinator)
    listed = api.get("/api/v1/shots", {"stale": "true"}).json()["results"]
    assert [row["full_code"] for row in listed] == [shot.full_code for shot in chain[1:]]
    assert "selected is" in listed[0]["stale"][0]["why"]
    one = api.get(f"/api/v1/shots/{chain[2].pk}").json()
    assert "stale itself" in one["stale"][0]["why"]
    links = api.get(f"/api/v1/shots/{chain[1].pk}/chain").json()
    assert [(link["shot"], link["step"]) for link in links] == [
        (shot.full_code, step) for shot, step in zip(chain, (-1, 0, 1), strict=True)
    ]
    take = api.get("/api/v1/takes", {"project": "FROST"}).json()["results"]
    assert sum(bool(one["stale_since"]) for one in take) == 2
    address = f"/api/v1/shots/{chain[0].pk}/render-stale"
    assert api.post(address).status_code == 400
    answer = api.post(address, HTTP_IDEMPOTENCY_KEY="mine")
    assert answer.status_code == 201
    assert Job.objects.filter(batch__code__in=answer.json()["batches"]).count() == 2


def test_the_pages_show_it_and_the_button_renders_it(chain: list[Shot], film: Project) -> None:
    made_stale(chain)
    browser = Client()
    browser.force_login(_root())
    page = reverse("admin:productions_sequence_change", args=[chain[0].sequence_id])
    shown = browser.get(page).content.decode()
    assert f"← {chain[0].full_code}" in shown
    assert "which is stale itself" in shown
    listed = browser.get(reverse("admin:productions_shot_changelist"), {"stale": "1"}).content.decode()
    assert chain[1].full_code in listed
    assert f">{chain[0].full_code}<" not in listed
    one = browser.get(reverse("admin:productions_shot_change", args=[chain[1].pk])).content.decode()
    assert "Made from" in one
    before = Job.objects.count()
    button = reverse("admin:productions_sequence_stale", args=[chain[0].sequence_id])
    browser.post(button, {"key": "press"})
    browser.post(button, {"key": "press"})
    assert Job.objects.count() == before + 2


def test_the_page_of_a_long_chain_takes_as_many_queries_as_that_of_a_short_one(
    chain: list[Shot], django_assert_max_num_queries: Any
) -> None:
    from apps.renders.chain import chain_of

    last = chain[-1]
    for _ in range(30):
        last = ShotFactory.create(sequence=last.sequence, continuity_from=last)
    with django_assert_max_num_queries(5):
        links = chain_of(last.sequence)
    assert [link.step for link in links] == list(range(33))


def test_unselecting_makes_nothing_stale(chain: list[Shot]) -> None:
    Take.objects.filter(shot=chain[0]).update(selected=False, selected_at=None)
    judge_stage(chain[0].pk, "clip")
    assert not Take.objects.exclude(stale_since=None).exists()


def _root() -> User:
    user: User = UserFactory.create(is_staff=True, is_superuser=True)
    return user
