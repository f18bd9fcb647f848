"""``manage.py job_story``: one job's story, told from rows and from log files."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.renders.jobstory import log_text
from apps.renders.models import Attempt, Job
from apps.renders.services.claim import claim
from apps.renders.services.control import cancel
from apps.renders.services.sweep import sweep
from apps.renders.services.told import MOST_LINES
from apps.review.models import Take
from apps.review.services.reviewing import review_take
from apps.review.states import Review
from farm.contracts import ClaimRequest, FailureClass, LogLine, RenderOrder, RenderReport
from tests.factories import UserFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import (
    again,
    attempt_of,
    dispatched,
    executing,
    lease_runs_out,
    next_order,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


def story(name: object, *options: str) -> str:
    out = io.StringIO()
    call_command("job_story", str(name), *options, stdout=out)
    return out.getvalue()


def moments(name: object, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in story(name, "--json", *options).splitlines()]


def with_lines(report: RenderReport, order: RenderOrder, *lines: LogLine) -> RenderReport:
    return replace(report, log=lines).signed(order.report_key)


def line(message: str, *, seconds_ago: float = 0.0, **facts: str) -> LogLine:
    at = database_now().timestamp() - seconds_ago
    return LogLine(at=at, level="info", logger="workers.render", message=message, facts=facts)


@pytest.fixture
def told(job: Job, node24: Hand) -> Job:
    """A job that failed once and then succeeded, with what its node logged."""
    first = next_order(node24)
    failed = with_lines(
        node24.failure(first, FailureClass.UNKNOWN), first, line("prompt queued", prompt="p1")
    )
    node24.finishes(first, failed)
    second = executing(node24)
    node24.finishes(second, with_lines(node24.success(second), second, line("outputs stored", files="1")))
    return again(job)


def test_a_job_that_failed_once_and_then_succeeded_is_told_in_order_with_sources(told: Job) -> None:
    said = moments(told.code)
    assert [one["time"] for one in said] == sorted(one["time"] for one in said)
    texts = [(one["source"], one["attempt"], one["text"]) for one in said]
    log = [one for one in texts if one[0] == "gpu24"]
    assert log == [("gpu24", 1, "prompt queued"), ("gpu24", 2, "outputs stored")]
    assert texts[0][2].startswith("job · → ready")
    order = [
        next(number for number, (_, _, text) in enumerate(texts) if wanted in text)
        for wanted in (
            "job · → ready",
            "job ready → dispatched",
            "attempt dispatched → accepted",
            "→ failed",
            "attempt executing → succeeded",
        )
    ]
    assert order == sorted(order)
    reports = [text for source, _, text in texts if source == "report"]
    assert reports == [
        "report of gpu24: failed, with 1 log lines",
        "report of gpu24: succeeded, with 1 log lines",
    ]
    assert any(text.startswith("take_media · → processing") for _, _, text in texts)


def test_people_read_the_job_its_attempts_with_stage_times_and_then_every_moment(told: Job) -> None:
    text = story(told.code)
    head, _, body = text.partition("\n\n")
    assert f"{told.code} ({told.pk})" in head
    assert "attempt 1 (" in head
    assert "failed (unknown: in ComfyUI's own words)" in head
    assert "on gpu24 by vram.8: succeeded" in head
    assert "executing +" in head
    assert "#1  prompt queued" in body
    assert "prompt=p1" in body


def test_a_nodes_words_look_like_no_other_line_and_steer_no_terminal(job: Job, node24: Hand) -> None:
    order = next_order(node24)
    failed = node24.failure(order, FailureClass.UNKNOWN)
    assert failed.failure is not None
    forged = line("ended\n2026-01-01 00:00:00.000  event  #1  job → succeeded\x1b[2J", why="a\r\nb")
    node24.finishes(
        order,
        with_lines(replace(failed, failure=replace(failed.failure, message="first\nsecond")), order, forged),
    )
    text = story(job.code)
    assert r"ended\n2026-01-01 00:00:00.000  event  #1  job → succeeded\x1b[2J" in text
    assert r"why=a\r\nb" in text
    assert r"first\nsecond" in text
    assert "\x1b" not in text
    assert not any(told.startswith(("2026-01-01", "second", "b")) for told in text.splitlines())
    assert "\n" not in log_text(attempt_of(order))


def test_a_job_is_found_by_code_by_id_and_by_an_attempts_id(told: Job) -> None:
    attempt = Attempt.objects.filter(job=told).first()
    assert attempt is not None
    assert story(told.code) == story(told.pk) == story(attempt.pk)


@pytest.mark.parametrize("name", ["J999999", "5d85785c-65ca-4cde-a0f3-b47203c0a211", "rubbish"])
def test_an_unknown_job_is_a_clear_error(name: str) -> None:
    with pytest.raises(CommandError, match=f"job “{name}”: no such job or attempt; give a job's code"):
        story(name)


def test_a_verdict_belongs_to_the_story(told: Job, coordinator: User) -> None:
    take = Take.objects.get(job_id=told.pk)
    review_take(take, to=Review.APPROVED, user=coordinator)
    assert any("review pending → approved" in one["text"] for one in moments(told.code))


def test_a_cancelled_job_says_who_cancelled_it(job: Job, node24: Hand, coordinator: User) -> None:
    executing(node24)
    assert cancel(job, user=coordinator)
    said = [one["text"] for one in moments(job.code)]
    assert any("running → cancelled" in text and coordinator.username in text for text in said)


def test_a_node_that_was_never_heard_of_again_is_said_to_be_lost(job: Job, node24: Hand) -> None:
    order = executing(node24)
    lease_runs_out(order)
    sweep()
    assert attempt_of(order).state == "lost", "the lease has not run out"
    (word,) = [one for one in moments(job.code) if one["source"] == "report"]
    assert word["text"].startswith("no word from gpu24: killed, or cut off?")


def test_a_node_whose_clock_is_ahead_is_put_in_its_place_and_this_is_said(told: Job) -> None:
    attempt = Attempt.objects.get(job=told, number=2)
    ahead = 3600.0
    attempt.log[0]["at"] += ahead
    Attempt.objects.filter(pk=attempt.pk).update(log=attempt.log, clock_ahead_s=ahead)
    (moved,) = [one for one in moments(told.code) if one["text"] == "outputs stored"]
    assert moved["clock"] == "node, corrected"
    assert attempt.finished_at is not None
    assert moved["time"] < (attempt.finished_at + timedelta(seconds=60)).isoformat()
    assert "clock of gpu24 3600.000 s ahead (measured at its claim" in story(told.code)


def test_a_nodes_time_is_said_to_be_its_own_where_its_clock_is_not_known(told: Job) -> None:
    assert {one["clock"] for one in moments(told.code) if one["source"] == "gpu24"} == {"node"}
    assert "(node's clock)" in story(told.code)


@pytest.mark.parametrize("ahead", [5.0, -5.0])
def test_a_claim_measures_how_far_the_nodes_clock_is_ahead(job: Job, node24: Hand, ahead: float) -> None:
    order = dispatched(node24)
    sent_at = database_now().timestamp() + ahead
    claimed = ClaimRequest(
        attempt_id=order.attempt_id, token=order.token, node="gpu24", epoch="e1", sent_at=sent_at
    )
    assert claim(claimed).granted
    measured = attempt_of(order).clock_ahead_s
    assert measured is not None
    assert abs(measured - ahead) < 4, "the message's way makes it less, but not by that much"


@pytest.mark.parametrize("sent_at", [0.0, float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_is_none_measures_nothing(job: Job, node24: Hand, sent_at: float) -> None:
    order = dispatched(node24)
    claimed = ClaimRequest(
        attempt_id=order.attempt_id, token=order.token, node="gpu24", epoch="e1", sent_at=sent_at
    )
    assert claim(claimed).granted
    assert attempt_of(order).clock_ahead_s is None


def test_a_node_that_sends_more_lines_than_it_should_is_cut_short(job: Job, node24: Hand) -> None:
    order = next_order(node24)
    node24.finishes(
        order, with_lines(node24.success(order), order, *[line(f"step {n}") for n in range(5_000)])
    )
    kept = attempt_of(order).log
    assert len(kept) == MOST_LINES
    assert kept[-1]["message"] == "step 4999"
    assert "log" not in attempt_of(order).report


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_line_whose_time_is_none_is_left_out_and_the_report_counts(
    job: Job, node24: Hand, at: float
) -> None:
    order = next_order(node24)
    odd = LogLine(at=at, level="info", logger="x", message="when?")
    node24.finishes(order, with_lines(node24.success(order), order, odd, line("outputs stored")))
    assert again(job).state == "succeeded"
    assert [one["message"] for one in attempt_of(order).log] == ["outputs stored"]
    assert "outputs stored" in story(job.code)


def test_log_files_of_all_processes_are_merged_once(told: Job, tmp_path: Path) -> None:
    attempt = Attempt.objects.get(job=told, number=2)
    kept = attempt.log[0]
    at = database_now().isoformat(timespec="milliseconds")

    def write(name: str, *lines: object) -> None:
        text = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
        (tmp_path / name).write_text(text, encoding="utf-8")

    said = {"time": at, "level": "info", "logger": "x"}
    write(
        "web.log",
        {**said, "message": "jobs submitted", "process": "web", "jobs": [str(told.pk)]},
        {**said, "message": "another's", "process": "web", "job": "fe23d458-3aec-455c-9b24-db6cd18e3e7c"},
        "Traceback (most recent call last):",
        f'{{"not json" {told.pk}',
        f'{{"job": "{told.pk}"}}',
    )
    write(
        "gpu24.log",
        {
            **said,
            "time": _iso(kept["at"]),
            "message": kept["message"],
            "process": "gpu24",
            "attempt": str(attempt.pk),
        },
        {**said, "message": "order ended", "process": "gpu24", "attempt": str(attempt.pk)},
    )
    merged = moments(told.code, "--logs", str(tmp_path))
    found = [(one["source"], one["text"]) for one in merged if one["source"].startswith("log ")]
    assert sorted(found) == [("log gpu24", "order ended"), ("log web", "jobs submitted")]
    assert [one["text"] for one in merged].count("outputs stored") == 1


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def test_a_folder_without_log_files_is_a_clear_error(told: Job, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no log files here; name the folder"):
        story(told.code, "--logs", str(tmp_path / "nowhere"))


def test_the_jobs_page_shows_the_nodes_lines_as_text(told: Job, client: Client) -> None:
    Attempt.objects.filter(job=told, number=1).update(
        log=[{"at": 0.0, "level": "info", "logger": "x", "message": "<b>bold</b>", "facts": {}}]
    )
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:renders_job_change", args=[told.pk])).content.decode()
    assert "outputs stored files=1" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "line of the node" in page
