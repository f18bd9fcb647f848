"""Why a job waits and when it will be done, on the pages and over HTTP: what is told to whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.nodes.states import Observed
from apps.productions.models import Shot
from apps.renders.models import Job, Lane, NeedTier
from apps.renders.states import JobState
from apps.workflows.models import WorkflowTemplateVersion
from tests.factories import JobFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page
from tests.integration.renders.hand import everything

pytestmark = pytest.mark.django_db

ROWS = [{"node": "gpu-secret", "code": "lacks", "params": {"files": ["loras/gerda.safetensors"]}}]
SENTENCE = "Needs 80 GB on one GPU; the largest node here has 24 GB."


def waiting(shot: Shot, size: int = 1024, **facts: Any) -> Job:
    """A ready job in a lane of its own size, which says that no node is large enough."""
    made: Job = JobFactory.create(shot=shot, width=size, need_gb=80.0, tier_gb=80, **facts)
    Lane.objects.filter(jobs=made).update(
        wait_code="too_big",
        wait_params={"need": 80, "largest": 24},
        wait_nodes=ROWS,
        waits_since=timezone.now(),
    )
    return made


@pytest.fixture
def operator(people: dict[str, User]) -> User:
    """The coordinator may steer nodes, too."""
    people["coordinator"].user_permissions.add(Permission.objects.get(codename="change_node"))
    return people["coordinator"]


@pytest.fixture
def seen_job(film: Film, templates: None) -> Job:
    """A job whose kind was rendered twenty times in ten minutes each, and an idle node that could take it."""
    able = everything()
    Node.objects.create(
        name="able",
        observed=Observed.IDLE,
        tier_gb=24,
        epoch="e1",
        capabilities_of="all",
        classes=list(able.classes),
        models_by_folder={folder: list(names) for folder, names in able.models.items()},
    )
    version = WorkflowTemplateVersion.objects.get(template__slug="sd15_t2i")
    made: Job = JobFactory.create(shot=film.shot, template_version=version, need_gb=8.0, tier_gb=8)
    NeedTier.objects.create(
        need=Lane.objects.get(jobs=made).need, tier_gb=24, successes=20, seconds_mean=600.0, seconds_m2=100.0
    )
    return made


def test_a_coordinator_reads_one_sentence_and_no_table(film: Film, as_: Browser) -> None:
    shown = as_("coordinator").get(page(waiting(film.shot))).content.decode()
    assert "Why it waits" in shown
    assert SENTENCE in shown
    assert f"since {timezone.localtime():%H:}" in shown
    assert "gpu-secret" not in shown


def test_an_operator_reads_what_each_node_says(film: Film, as_: Browser, operator: User) -> None:
    shown = as_("coordinator").get(page(waiting(film.shot))).content.decode()
    assert "gpu-secret" in shown
    assert "Lacks loras/gerda.safetensors." in shown


def test_the_panel_looks_again_while_the_job_is_open(film: Film, as_: Browser) -> None:
    job = waiting(film.shot)
    assert 'hx-select="#job-why"' in as_("viewer").get(page(job)).content.decode()
    Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
    assert 'id="job-why"' not in as_("viewer").get(page(job)).content.decode()


def test_job_and_batch_pages_say_when_it_will_be_done(film: Film, as_: Browser, seen_job: Job) -> None:
    shown = as_("viewer").get(page(seen_job)).content.decode()
    assert "Starts between " in shown
    assert ", ends between " in shown
    assert "Ends between " in as_("viewer").get(page(seen_job.batch)).content.decode()


def test_a_list_of_waiting_jobs_says_why_in_as_many_queries_for_many(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            shown = browser.get(listing(Job)).content.decode()
        assert shown.count(SENTENCE) == Job.objects.filter(state=JobState.READY).count()
        return len(asked)

    waiting(film.shot)
    queries()
    few = queries()
    for size in range(8):
        waiting(film.shot, size=512 + 64 * size)
    assert queries() == few


def test_the_live_cells_of_waiting_jobs_say_why_in_as_many_queries_for_many(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")

    def queries() -> int:
        ids = ",".join(str(key) for key in Job.objects.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as asked:
            cells = browser.get(f"{reverse('desk:live-jobs')}?cells=state&ids={ids}").content.decode()
        assert SENTENCE in cells
        return len(asked)

    waiting(film.shot)
    queries()
    few = queries()
    for size in range(8):
        waiting(film.shot, size=512 + 64 * size)
    assert queries() == few


def test_the_farm_page_says_how_many_wait_for_what_in_the_own_films(
    film: Film, other_film: Film, as_: Browser, operator: User
) -> None:
    for shot in (film.shot, other_film.shot):
        waiting(shot)
    own = as_("viewer").get(reverse("desk:farm")).context["waits"]
    assert [(line.sentence, line.jobs) for line in own] == [(SENTENCE, 1)]
    every = as_("coordinator").get(reverse("desk:farm"))
    assert [(line.sentence, line.jobs) for line in every.context["waits"]] == [(SENTENCE, 2)]
    assert "wait for this" in every.content.decode()


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_the_api_tells_the_reason_in_lists_and_by_itself(film: Film, people: dict[str, User]) -> None:
    job = waiting(film.shot)
    client = client_of(people["viewer"])
    [row] = client.get("/api/v1/jobs", {"state": "ready"}).json()["results"]
    assert (row["waiting"]["code"], row["waiting"]["sentence"], row["waits"]) == (
        "too_big",
        SENTENCE,
        SENTENCE,
    )
    assert row["waiting"]["since"]
    Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["waiting"] is None
    assert client.get(f"/api/v1/jobs/{job.pk}/why").json() == {"waiting": None, "eta": None, "nodes": None}


def test_the_api_tells_what_nodes_say_to_operators_only(
    film: Film, people: dict[str, User], operator: User
) -> None:
    job = waiting(film.shot)
    plain = client_of(people["viewer"]).get(f"/api/v1/jobs/{job.pk}/why").json()
    assert (plain["waiting"]["sentence"], plain["nodes"]) == (SENTENCE, None)
    told = client_of(operator).get(f"/api/v1/jobs/{job.pk}/why").json()
    assert told["nodes"] == [
        {"node": "gpu-secret", "code": "lacks", "sentence": "Lacks loras/gerda.safetensors."}
    ]


def test_the_api_tells_when_it_will_be_done(film: Film, people: dict[str, User], seen_job: Job) -> None:
    told = client_of(people["viewer"]).get(f"/api/v1/jobs/{seen_job.pk}/why").json()["eta"]
    assert told["unknown"] == ""
    assert (
        told["start"]["earliest"] <= told["start"]["latest"] < told["end"]["earliest"] < told["end"]["latest"]
    )
    assert told["sentence"].startswith("Starts between ")


def test_the_api_tells_when_a_batch_will_be_done(film: Film, people: dict[str, User], seen_job: Job) -> None:
    client = client_of(people["viewer"])
    told = client.get(f"/api/v1/batches/{seen_job.batch_id}").json()["eta"]
    assert (told["start"], told["unknown"]) == (None, "")
    assert told["end"]["earliest"] < told["end"]["latest"]
    Job.objects.filter(batch=seen_job.batch_id).update(state=JobState.CANCELLED)
    assert client.get(f"/api/v1/batches/{seen_job.batch_id}").json()["eta"] is None


def test_the_api_tells_the_most_memory_a_render_took(film: Film, people: dict[str, User]) -> None:
    client = client_of(people["viewer"])
    [attempt] = client.get(f"/api/v1/jobs/{film.job.pk}").json()["attempts"]
    assert attempt["peak_mib"] is None
    film.attempt.__class__.objects.filter(pk=film.attempt.pk).update(report={"peak_mib": 11_900})
    [attempt] = client.get(f"/api/v1/jobs/{film.job.pk}").json()["attempts"]
    assert attempt["peak_mib"] == 11_900


def test_the_api_is_asked_about_own_jobs_only(film: Film, other_film: Film, people: dict[str, User]) -> None:
    job = waiting(other_film.shot)
    assert client_of(people["viewer"]).get(f"/api/v1/jobs/{job.pk}/why").status_code == 404


def test_depth_by_tier_is_counted_lane_by_lane_and_no_further_than_a_glance_needs(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.desk.selectors.MOST_COUNTED", 3)
    version = waiting(film.shot, size=512).template_version
    for _ in range(5):
        waiting(film.shot, template_version=version)
    JobFactory.create(shot=film.shot, need_gb=8.0, tier_gb=8)
    page_ = as_("viewer").get(reverse("desk:farm"))
    lines = {line.tier_gb: line for line in page_.context["tiers"]}
    assert (lines[80].ready, lines[80].more) == (4, True)
    assert (lines[8].ready, lines[8].more) == (1, False)
    assert (lines[12].ready, lines[12].in_flight) == (0, 1)
    shown = page_.content.decode()
    assert ">4+<" in shown
    assert "a new job would wait" in shown
    assert lines[80].wait.words == "no node of this tier may be given work"
    assert "no node of this tier may be given work" in shown
    assert "a new job would wait" not in as_("viewer").get(reverse("desk:home-live")).content.decode()
