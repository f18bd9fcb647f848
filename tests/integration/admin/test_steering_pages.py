"""Pages on which people steer: jobs, batches, selections, projects, the farm, limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.nodes.models import Pool
from apps.projects.models import Project
from apps.renders.models import Attempt, Hold, Job, JobDependency, Limit, RenderBatch
from apps.renders.states import JobState
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from tests.factories import JobFactory, NodeFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.html_forms import sent_by
from tests.integration.admin.rows import listing, page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(film: Film) -> Job:
    made: Job = JobFactory.create(shot=film.shot, batch=film.job.batch)
    return made


def tick(*jobs: Job, action: str, **more: str) -> dict[str, Any]:
    return {"action": action, "index": "0", "_selected_action": [str(job.pk) for job in jobs], **more}


def asked(html: str) -> dict[str, Any]:
    """What the form about a selection sends when nothing in it is touched."""
    return sent_by(html, listing(Job))


def shown_steer(browser: Client, row: Job | RenderBatch) -> dict[str, Any]:
    """What “When and where” on a row's page sends when nothing in it is touched."""
    return sent_by(browser.get(page(row)).content.decode(), "/steer/")


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_ticked_jobs_are_paused_and_resumed(film: Film, waiting: Job, as_: Browser) -> None:
    browser = as_("coordinator")
    browser.post(listing(Job), tick(waiting, film.job, action="pause_jobs"))
    assert {now(job).paused_by for job in (waiting, film.job)} == {"coordinator"}
    browser.post(listing(Job), tick(waiting, action="resume_jobs"))
    assert (now(waiting).held, now(film.job).held) == (False, True)


def test_ticked_jobs_are_hurried(film: Film, waiting: Job, as_: Browser) -> None:
    answer = as_("coordinator").post(listing(Job), tick(waiting, film.job, action="make_urgent"), follow=True)
    assert "2 jobs changed." in answer.content.decode()
    assert {now(job).rank for job in (waiting, film.job)} == {30}


def test_all_jobs_of_a_list_longer_than_its_page_are_cancelled_after_the_question(
    film: Film, as_: Browser
) -> None:
    JobFactory.create_batch(130, shot=film.shot, batch=film.job.batch)
    browser = as_("coordinator")
    some = tick(film.job, action="cancel_jobs", select_across="1")
    question = browser.post(listing(Job), some).content.decode()
    assert "Cancel 131 jobs?" in question
    assert "and 31 more" in question
    browser.post(listing(Job), asked(question))
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.CANCELLED}


def test_what_waits_for_a_cancelled_job_goes_with_it_when_ticked(
    film: Film, waiting: Job, as_: Browser
) -> None:
    later = JobFactory.create(shot=film.shot, batch=film.job.batch, state=JobState.BLOCKED)
    JobDependency.objects.create(job=later, depends_on=waiting)
    browser = as_("coordinator")
    question = browser.post(listing(Job), tick(waiting, action="cancel_jobs")).content.decode()
    browser.post(listing(Job), asked(question) | {"dependents": "1"})
    assert {now(job).state for job in (waiting, later)} == {JobState.CANCELLED}


def test_a_selection_gets_a_place_and_keeps_what_nobody_touched(
    film: Film, waiting: Job, as_: Browser
) -> None:
    Pool.objects.create(name="nights")
    other = JobFactory.create(shot=film.shot, batch=film.job.batch, priority=20, rank=20)
    browser = as_("coordinator")
    question = browser.post(listing(Job), tick(waiting, other, action="steer_jobs")).content.decode()
    assert "different: leave them so" in question
    answer = browser.post(
        listing(Job), asked(question) | {"pool": "nights", "tags": "fast, big"}, follow=True
    )
    assert "2 jobs changed." in answer.content.decode()
    for job in (waiting, other):
        assert (now(job).pool_id, now(job).tags) == (Pool.objects.get().pk, "big\nfast")
    assert [now(job).priority for job in (waiting, other)] == [10, 20]


def test_what_jobs_do_not_share_is_cleared_only_when_ticked(film: Film, waiting: Job, as_: Browser) -> None:
    at = timezone.now() + timedelta(hours=3)
    Job.objects.filter(pk=waiting.pk).update(deadline=at, tags="fast")
    other = JobFactory.create(shot=film.shot, batch=film.job.batch)
    browser = as_("coordinator")
    question = browser.post(listing(Job), tick(waiting, other, action="steer_jobs")).content.decode()
    browser.post(listing(Job), asked(question) | {"priority": "20"})
    assert (now(waiting).deadline, now(waiting).tags, now(waiting).priority) == (at, "fast", 20)
    question = browser.post(listing(Job), tick(waiting, other, action="steer_jobs")).content.decode()
    browser.post(listing(Job), asked(question) | {"clear": ["deadline", "tags"]})
    assert (now(waiting).deadline, now(waiting).tags) == (None, "")


def test_a_wish_that_cannot_be_kept_is_told_beside_its_field(film: Film, waiting: Job, as_: Browser) -> None:
    browser = as_("coordinator")
    question = browser.post(listing(Job), tick(waiting, action="steer_jobs")).content.decode()
    answer = browser.post(listing(Job), asked(question) | {"deadline": "2001-01-01T10:00"})
    assert "this has passed" in answer.content.decode()
    assert now(waiting).deadline is None


def test_a_page_shown_before_somebody_elses_change_does_not_take_it_back(
    film: Film, waiting: Job, as_: Browser
) -> None:
    browser = as_("coordinator")
    shown = shown_steer(browser, waiting)
    assert shown["initial-priority"] == ["10"]
    Job.objects.filter(pk=waiting.pk).update(priority=30, rank=30)
    browser.post(reverse("admin:renders_job_steer", args=[waiting.pk]), shown | {"tags": "fast"})
    assert (now(waiting).priority, now(waiting).tags) == (30, "fast")


def test_times_without_their_seconds_are_no_change(film: Film, waiting: Job, as_: Browser) -> None:
    at = timezone.now() + timedelta(hours=3, seconds=17)
    Job.objects.filter(pk=waiting.pk).update(deadline=at)
    browser = as_("coordinator")
    shown = shown_steer(browser, waiting)
    browser.post(reverse("admin:renders_job_steer", args=[waiting.pk]), shown | {"priority": "20"})
    assert (now(waiting).deadline, now(waiting).priority) == (at, 20)


@pytest.mark.usefixtures("templates")
def test_a_batch_gets_a_deadline_on_its_page(film: Film, waiting: Job, as_: Browser) -> None:
    Job.objects.update(template_version=WorkflowTemplateVersion.objects.get(template__slug="sd15_t2i"))
    browser, batch = as_("coordinator"), waiting.batch
    shown = shown_steer(browser, batch)
    at = timezone.localtime() + timedelta(days=2)
    address = reverse("admin:renders_renderbatch_steer", args=[batch.pk])
    browser.post(address, shown | {"deadline": at.strftime("%Y-%m-%dT%H:%M")})
    wanted = at.replace(second=0, microsecond=0)
    assert {job.deadline for job in (now(waiting), now(film.job))} == {wanted}


def test_the_priority_is_raised_and_lowered_in_the_list_without_a_new_page(
    film: Film, waiting: Job, as_: Browser
) -> None:
    browser = as_("coordinator")
    address = reverse("admin:renders_job_priority", args=[waiting.pk])
    assert address in browser.get(listing(Job)).content.decode()

    def step(way: str) -> str:
        answer = browser.post(address, {"step": way}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        return answer.content.decode()

    assert f'id="job-priority-{waiting.pk}" hx-swap-oob="true"' in step("up")
    assert now(waiting).priority == 20
    assert "urgent" in step("up")
    step("up")
    assert now(waiting).priority == 30, "there is nothing above urgent"
    step("down")
    assert now(waiting).priority == 20
    assert "now has priority" not in browser.get(listing(Job)).content.decode(), "the cell has said it"


def test_a_viewer_sees_no_steps_in_the_list(film: Film, waiting: Job, as_: Browser) -> None:
    shown = as_("viewer").get(listing(Job)).content.decode()
    assert waiting.code in shown
    assert "hx-post" not in shown


def test_the_list_tells_when_and_where_and_who_is_held(film: Film, waiting: Job, as_: Browser) -> None:
    node = NodeFactory.create(name="gpu-77")
    at = timezone.now() + timedelta(hours=3)
    Job.objects.filter(pk=waiting.pk).update(
        pool=Pool.objects.create(name="nights"), pinned_to=node, tags="fast", deadline=at, rank=25
    )
    RenderBatch.objects.filter(pk=waiting.batch_id).update(paused=True)
    Job.objects.filter(pk=waiting.pk).update(held=True)
    shown = as_("viewer").get(listing(Job)).content.decode()
    for words in ("pool nights", "only on gpu-77", "tags fast", "batch paused", "its deadline has raised it"):
        assert words in shown


@pytest.mark.parametrize(
    ("question", "found"),
    [({"held": "1"}, 1), ({"held": "0"}, 1), ({"due": "late"}, 1), ({"due": "day"}, 0), ({"due": "none"}, 1)],
)
def test_jobs_are_filtered_by_hold_and_deadline(
    film: Film, waiting: Job, as_: Browser, question: dict[str, str], found: int
) -> None:
    Job.objects.filter(pk=waiting.pk).update(held=True, deadline=timezone.now() - timedelta(hours=1))
    answer = as_("viewer").get(listing(Job), question)
    assert len(answer.context["cl"].result_list) == found


def test_the_story_of_a_job_tells_who_changed_what(film: Film, waiting: Job, as_: Browser) -> None:
    browser = as_("coordinator")
    browser.post(reverse("admin:renders_job_priority", args=[waiting.pk]), {"priority": "30"})
    for address in (page(waiting), reverse("admin:common_stateevent_changelist")):
        shown = browser.get(address).content.decode()
        assert "priority normal → urgent" in shown
        assert "coordinator" in shown


def test_a_projects_admin_pauses_it_with_a_button(film: Film, as_: Browser) -> None:
    admin, address = as_("admin"), reverse("admin:projects_project_pause", args=[film.project.pk])
    assert address in admin.get(page(film.project)).content.decode()
    admin.post(address, {"paused": "1"})
    shown = as_("viewer").get(page(film.project)).content.decode()
    assert "by admin: nothing of this project starts" in shown
    assert address not in shown
    admin.post(address, {"paused": "0"})
    assert not Project.objects.get(pk=film.project.pk).paused


def test_saving_a_projects_form_leaves_its_pause_alone(film: Film, as_: Browser) -> None:
    Project.objects.filter(pk=film.project.pk).update(paused=True, paused_by="somebody")
    admin = as_("admin")
    sent = form_of(admin, page(film.project)) | {"name": "Another name"}
    assert admin.post(page(film.project), sent).status_code == 302
    project = Project.objects.get(pk=film.project.pk)
    assert (project.name, project.paused, project.paused_by) == ("Another name", True, "somebody")


def with_permissions(browser: Client, user: User, *names: str) -> Client:
    rows = Permission.objects.filter(content_type__app_label="renders", codename__in=names)
    assert rows.count() == len(names)
    user.user_permissions.add(*rows)
    return browser


def test_an_operator_pauses_the_farm_and_a_tier_on_the_farm_page(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    operator = with_permissions(as_("viewer"), people["viewer"], "change_hold")
    set_, farm = reverse("admin:renders_hold_set"), reverse("desk:farm")
    assert set_ in operator.get(farm).content.decode()
    sent = sent_by(operator.get(farm).content.decode(), set_)
    assert sent["reason"] == [""], "the farm page asks why"
    operator.post(set_, sent | {"reason": "new cards"})
    operator.post(set_, {"scope": "24", "paused": "1"})
    for address in (farm, reverse("admin:index")):
        shown = as_("artist").get(address).content.decode()
        assert "viewer · new cards" in shown
        assert set_ not in shown
    listed = as_("artist").get(listing(Hold)).content.decode()
    assert "the whole farm" in listed
    assert "24 GB" in listed
    activity = as_("artist").get(reverse("admin:common_stateevent_changelist")).content.decode()
    assert "the whole farm" in activity
    operator.post(set_, sent_by(operator.get(farm).content.decode(), set_))
    assert [hold.scope for hold in Hold.objects.all()] == ["24"]


@pytest.mark.usefixtures("templates")
def test_an_operator_sets_a_limit_and_everybody_sees_its_use(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    names = ("add_limit", "change_limit", "view_limit")
    operator = with_permissions(as_("viewer"), people["viewer"], *names)
    template = WorkflowTemplate.objects.get(slug="sd15_t2i")
    add = reverse("admin:renders_limit_add")
    answer = operator.post(add, {"name": "licence", "most": "1", "templates": [str(template.pk)], "note": ""})
    assert answer.status_code == 302
    limit = Limit.objects.get()
    assert list(limit.templates.all()) == [template]
    limit.templates.add(film.job.template_version.template)
    assert Attempt.objects.filter(holds_slot=True).count() == 1
    for address in (listing(Limit), reverse("desk:farm")):
        shown = as_("artist").get(address).content.decode()
        assert "licence" in shown
        assert "1 / 1" in shown
    sent = {"name": "licence", "most": "4", "templates": [str(template.pk)], "note": "x"}
    version = operator.get(page(limit)).context["row_version"]
    assert operator.post(page(limit), sent | {"row_version": version}).status_code == 302
    assert (Limit.objects.get().most, list(limit.templates.all())) == (4, [template])
    wrong = operator.post(add, {"name": "two words", "most": "-1", "note": ""})
    assert wrong.status_code == 200
    assert Limit.objects.count() == 1


@pytest.mark.parametrize("wrong", ({"tags": "fast night!"}, {"deadline": "tomorrow"}))
def test_what_was_typed_into_when_and_where_is_kept_when_it_is_refused(
    film: Film, waiting: Job, as_: Browser, wrong: dict[str, str]
) -> None:
    browser = as_("coordinator")
    for row in (waiting, waiting.batch):
        typed = shown_steer(browser, row) | wrong | {"reason": "the client calls at nine"}
        steer = reverse(f"admin:renders_{row._meta.model_name}_steer", args=[row.pk])
        again = browser.post(steer, typed, follow=True).content.decode()
        sent = sent_by(again, "/steer/")
        ((name, value),) = wrong.items()
        assert (sent[name], sent["reason"]) == ([value], ["the client calls at nine"])
        assert shown_steer(browser, row)["reason"] == [""], "it is shown once"
        assert (now(waiting).tags, now(waiting).deadline) == ("", None)
