"""Cancel, requeue, pause, priority: who may, and what it does."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.renders.models import Job, JobDependency, Priority, RenderBatch
from apps.renders.states import JobState
from tests.factories import JobFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.html_forms import sent_by
from tests.integration.admin.rows import listing, page

pytestmark = pytest.mark.django_db


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def press(browser: Client, job: Job, button: str, **sent: str) -> int:
    return browser.post(reverse(f"admin:renders_job_{button}", args=[job.pk]), sent).status_code


@pytest.mark.parametrize("role", ("admin", "coordinator", "artist"))
def test_who_renders_may_cancel_and_requeue(film: Film, as_: Browser, role: str) -> None:
    browser = as_(role)
    assert press(browser, film.job, "cancel") == 302
    assert state_of(film.job) == JobState.CANCELLED
    assert press(browser, film.job, "requeue") == 302
    assert state_of(film.job) == JobState.READY


def test_a_cancel_asks_first_and_takes_what_waits_along_if_wished(film: Film, as_: Browser) -> None:
    browser, cancel = as_("coordinator"), reverse("admin:renders_job_cancel", args=[film.job.pk])
    later = JobFactory.create(shot=film.shot, state=JobState.BLOCKED)
    shown = browser.get(page(film.job)).content.decode()
    assert "?cancel=ask" in shown
    assert cancel not in shown, "one press cancels nothing"
    assert 'name="dependents"' not in browser.get(f"{page(film.job)}?cancel=ask").content.decode()
    JobDependency.objects.create(job=later, depends_on=film.job)
    asked = browser.get(f"{page(film.job)}?cancel=ask").content.decode()
    assert 'name="dependents"' in asked
    browser.post(cancel, sent_by(asked, cancel) | {"dependents": "1"})
    assert (state_of(film.job), state_of(later)) == (JobState.CANCELLED, JobState.CANCELLED)


@pytest.mark.parametrize("button", ("cancel", "requeue", "pause", "priority"))
def test_a_viewer_may_press_none_of_the_buttons_and_sees_none(film: Film, as_: Browser, button: str) -> None:
    viewer = as_("viewer")
    assert press(viewer, film.job, button, priority="30", paused="1") == 403
    assert (
        reverse(f"admin:renders_job_{button}", args=[film.job.pk])
        not in viewer.get(page(film.job)).content.decode()
    )
    assert state_of(film.job) == JobState.RUNNING


@pytest.mark.parametrize("button", ("cancel", "requeue", "pause", "priority"))
def test_jobs_of_another_film_are_out_of_reach(
    film: Film, other_film: Film, as_: Browser, button: str
) -> None:
    assert press(as_("coordinator"), other_film.job, button, priority="30", paused="1") == 404
    assert state_of(other_film.job) == JobState.RUNNING


@pytest.mark.parametrize("button", ("cancel", "requeue", "pause", "priority"))
def test_following_a_link_changes_nothing(film: Film, as_: Browser, button: str) -> None:
    address = reverse(f"admin:renders_job_{button}", args=[film.job.pk])
    assert as_("coordinator").get(address).status_code == 405
    assert state_of(film.job) == JobState.RUNNING


def test_a_forged_form_is_refused(film: Film, as_: Browser) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = as_("coordinator").cookies
    assert press(browser, film.job, "cancel") == 403
    assert state_of(film.job) == JobState.RUNNING


def test_a_closed_job_offers_requeue_and_no_cancel(film: Film, as_: Browser) -> None:
    Job.objects.filter(pk=film.job.pk).update(state=JobState.FAILED)
    shown = as_("coordinator").get(page(film.job)).content.decode()
    assert reverse("admin:renders_job_requeue", args=[film.job.pk]) in shown
    assert reverse("admin:renders_job_cancel", args=[film.job.pk]) not in shown


def test_the_priority_changes(film: Film, as_: Browser) -> None:
    press(as_("coordinator"), film.job, "priority", priority="30")
    assert Job.objects.get(pk=film.job.pk).priority == Priority.URGENT


def test_an_unknown_priority_is_refused_by_name(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    answer = browser.post(
        reverse("admin:renders_job_priority", args=[film.job.pk]), {"priority": "99"}, follow=True
    )
    assert "“99” is no priority." in answer.content.decode()


def test_many_jobs_are_cancelled_only_after_the_question(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    tick = {"action": "cancel_jobs", "index": "0", "_selected_action": [str(film.job.pk)]}
    asked = browser.post(listing(Job), tick)
    assert "Cancel 1 job?" in asked.content.decode()
    assert state_of(film.job) == JobState.RUNNING
    browser.post(listing(Job), tick | {"confirmed": "1"})
    assert state_of(film.job) == JobState.CANCELLED


def test_a_batch_is_cancelled_as_a_whole_after_the_question(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    cancel = reverse("admin:renders_renderbatch_cancel", args=[film.job.batch_id])
    assert cancel not in browser.get(page(film.job.batch)).content.decode()
    assert cancel in browser.get(page(film.job.batch) + "?cancel=ask").content.decode()
    browser.post(cancel)
    assert state_of(film.job) == JobState.CANCELLED


def test_a_batch_is_paused_and_resumed_on_its_page(film: Film, as_: Browser) -> None:
    browser, batch = as_("coordinator"), film.job.batch
    pause = reverse("admin:renders_renderbatch_pause", args=[batch.pk])
    assert "Pause" in browser.get(page(batch)).content.decode()
    browser.post(pause, {"paused": "1"})
    assert RenderBatch.objects.get(pk=batch.pk).paused
    assert "Resume" in browser.get(page(batch)).content.decode()
    browser.post(pause, {"paused": "0"})
    assert not RenderBatch.objects.get(pk=batch.pk).paused


def test_a_viewer_may_not_pause_a_batch_and_is_not_offered_to(film: Film, as_: Browser) -> None:
    viewer, batch = as_("viewer"), film.job.batch
    pause = reverse("admin:renders_renderbatch_pause", args=[batch.pk])
    assert pause not in viewer.get(page(batch)).content.decode()
    assert viewer.post(pause, {"paused": "1"}).status_code == 403
    assert not RenderBatch.objects.get(pk=batch.pk).paused


def test_a_viewer_is_offered_no_actions_on_jobs(film: Film, as_: Browser) -> None:
    viewer = as_("viewer")
    tick = {"action": "cancel_jobs", "index": "0", "_selected_action": [str(film.job.pk)], "confirmed": "1"}
    viewer.post(listing(Job), tick)
    assert state_of(film.job) == JobState.RUNNING


def live(browser: Client, *jobs: Job) -> tuple[int, str]:
    ids = ",".join(str(job.pk) for job in jobs)
    answer = browser.get(f"{reverse('desk:live-jobs')}?cells=state,node,take&ids={ids}")
    return answer.status_code, answer.content.decode()


def test_live_cells_show_progress_of_the_own_film_only(film: Film, other_film: Film, as_: Browser) -> None:
    status, cells = live(as_("viewer"), film.job, other_film.job)
    assert status == 200
    assert f'id="job-state-{film.job.pk}"' in cells
    assert "50 %" in cells
    assert str(other_film.job.pk) not in cells


def test_a_list_with_an_open_job_asks_for_its_cells(film: Film, as_: Browser) -> None:
    for address in (listing(Job), page(film.job), page(film.job.batch), page(film.shot)):
        shown = as_("viewer").get(address).content.decode()
        assert reverse("desk:live-jobs") in shown
        assert f'id="job-state-{film.job.pk}"' in shown


def test_polling_stops_when_nothing_is_open_any_more(film: Film, as_: Browser) -> None:
    Job.objects.filter(pk=film.job.pk).update(state=JobState.SUCCEEDED)
    status, cells = live(as_("viewer"), film.job)
    assert status == 286
    assert "succeeded" in cells
    assert reverse("desk:live-jobs") not in as_("viewer").get(listing(Job)).content.decode()
