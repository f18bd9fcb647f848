"""The words for why something waits: every code the dispatcher writes, and codes nobody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from apps.common.counting import CountAtMost
from apps.nodes.states import Desired, Observed
from apps.nodes.words import FAILED
from apps.renders.models import Job, Lane
from apps.renders.states import JobState
from apps.renders.waiting import reason_of, told_by_nodes, wait_sentence, wait_summary
from apps.renders.waitsentences import NODE_SENTENCES, SENTENCES, TAKERS
from apps.renders.waitwords import clock_text, node_sentence, sentence
from tests.factories import BatchFactory, JobFactory, ProjectFactory

AT = datetime(2020, 2, 3, 14, 20, tzinfo=timezone.get_default_timezone())

LANES: list[tuple[str, dict[str, Any], str]] = [
    ("farm_paused", {"by": "alice", "reason": "power cut."}, "The farm is paused by alice: power cut."),
    ("farm_paused", {"by": "alice", "reason": ""}, "The farm is paused by alice."),
    (
        "tier_paused",
        {"tier": 48, "by": "bob", "reason": "driver"},
        "Work for 48 GB is paused by bob: driver.",
    ),
    ("tier_paused", {"tier": 0, "by": "bob", "reason": ""}, "Work for no VRAM is paused by bob."),
    ("project_paused", {"by": "alice"}, "The project is paused by alice."),
    ("project_paused", {"by": ""}, "The project is paused."),
    ("limit_full", {"limit": "kling", "most": 3}, "The limit kling is full: at most 3 at once."),
    ("no_node", {}, "No node has ever reported here."),
    (
        "none_serves",
        {"nodes": {"offline": 2, "off_hours": 1}},
        "No node may be given work: 2 offline, 1 off hours.",
    ),
    (
        "larger_than_any",
        {"need": "200"},
        "Needs 200 GB on one GPU; no card is that large. Choose a smaller size.",
    ),
    ("too_big", {"need": 48, "largest": 24}, "Needs 48 GB on one GPU; the largest node here has 24 GB."),
    (
        "missing",
        {"tier": 24, "missing": "loras/a.safetensors", "where": [["gpu-2", "loras/a.safetensors"]]},
        "No node of 24 GB or more has loras/a.safetensors. gpu-2 lacks loras/a.safetensors.",
    ),
    ("missing", {"tier": 24, "missing": ["a", "b"]}, "No node of 24 GB or more has a, b."),
    ("no_key", {"service": "KLING"}, "No node has a key for KLING."),
    (
        "older_workers",
        {"says": ["frames"]},
        (
            "The workers of all nodes that could take it are too old: they do not know clips as single "
            "pictures. Update them."
        ),
    ),
    ("older_workers", {}, "The workers of all nodes that could take it are too old. Update them."),
    ("pinned_away", {"node": "gpu-1", "why": "offline"}, "Only gpu-1 may render it. There: Offline."),
    ("pinned_away", {"node": "gpu-1", "why": "busy"}, "Only gpu-1 may render it. There: Busy."),
    ("pinned_away", {"node": "gpu-1", "why": ""}, "Only gpu-1 may render it."),
    (
        "pinned_away",
        {"node": "gpu-1", "why": {"code": "lacks", "params": {"files": ["a"]}}},
        "Only gpu-1 may render it. There: Lacks a.",
    ),
    ("no_pool", {"pool": "night"}, "No node of the pool night can take it."),
    ("avoided", {"failed_on": "gpu-1"}, "It failed on every fitting node: gpu-1."),
    (
        "warming",
        {"left_s": 120.0},
        "Left to the nodes that have its models loaded: they should begin it within 2:00.",
    ),
    ("warming", {}, "Waits for a node that has its models loaded: sooner than loading them anew."),
    ("no_tags", {"tags": "fp8\nfast"}, "No node has all the tags it asks for: fp8, fast."),
    (
        "blocked",
        {"nodes": 1, "until": AT.isoformat()},
        "The one fitting node is blocked for this template after failures, until 2020-02-03 14:20.",
    ),
    (
        "blocked",
        {"nodes": 3, "until": AT.isoformat()},
        "All 3 fitting nodes are blocked for this template after failures, until 2020-02-03 14:20.",
    ),
    ("blocked", {}, "Every fitting node is blocked for this template after failures."),
    ("full", {"nodes": 1}, "The one fitting node is busy."),
    ("full", {"nodes": 3}, "All 3 fitting nodes are busy."),
    ("full", {"nodes": ["gpu-1", "gpu-2"]}, "All 2 fitting nodes are busy."),
    (
        "share",
        {"used_s": 7200, "ahead": ["SNOW", "ICE"]},
        "Others go first by fair share: SNOW, ICE. Its project used 2:00:00 of GPU time in 24 hours.",
    ),
    (
        "share",
        {"used_s": 7200},
        "Other projects go first by fair share. This one used 2:00:00 of GPU time in 24 hours.",
    ),
    ("share", {}, "Other projects go first by fair share."),
    ("behind", {"ahead": {"30": 2, "high": 5, "0": 0}}, "Others go first: 2 × urgent, 5 × high."),
    ("behind", {"ahead": 7}, "Others go first: 7 jobs."),
    ("behind", {}, "Others go first."),
    ("continues", {"on": "SQ010_SH0010"}, "Waits for the selected take of SQ010_SH0010."),
    (
        "continues_failed",
        {"on": "SQ010_SH0010", "state": "failed"},
        "Waits for the selected take of SQ010_SH0010, whose last clip is failed.",
    ),
    ("continues_failed", {"on": "SQ010_SH0010"}, "Waits for the selected take of SQ010_SH0010."),
    (
        "continues_stale",
        {"on": "SQ010_SH0010"},
        "Waits for a take of SQ010_SH0010 that is not stale to be selected.",
    ),
    (
        "continues_cut",
        {"on": "SQ010_SH0010"},
        "Waits until the end of the selected take of SQ010_SH0010 is cut.",
    ),
    (
        "continues_uncut",
        {"on": "SQ010_SH0010", "problem": "no clip_0001.mp4 there."},
        (
            "The end of the selected take of SQ010_SH0010 cannot be cut: no clip_0001.mp4 there. "
            "Select another one."
        ),
    ),
    (
        "continues_uncut",
        {"on": "SQ010_SH0010"},
        "The end of the selected take of SQ010_SH0010 cannot be cut.",
    ),
    ("starting", {}, "Its order is on its way to a node."),
    ("broker", {}, "The message broker cannot be reached."),
]

NODES: list[tuple[str, dict[str, Any], str]] = [
    ("keyless", {"service": "KLING"}, "Has no key for KLING."),
    (
        "older_worker",
        {"says": ["unsized"]},
        "Its worker is too old: it does not know outputs whose size only the render shows. Update it.",
    ),
    ("unproven", {}, "Its golden render of this version failed, and other nodes can take it."),
    ("too_small", {"has": 24, "need": 48}, "Has 24 GB; 48 GB are needed."),
    ("too_small", {"has": 0, "need": 48}, "Has 0 GB; 48 GB are needed."),
    ("too_small", {"has": None, "need": 48}, "Its memory is not known; 48 GB are needed."),
    (
        "foreign",
        {"has": 12, "held_mib": 9216},
        "Other processes hold 9.0 GB of its memory, which leaves 12 GB.",
    ),
    ("lacks", {"files": ["a", "b"]}, "Lacks a, b."),
    ("lacks", {"files": "a, b"}, "Lacks a, b."),
    ("lacks", {"files": "a", "nearest": "vae/a.sft"}, "Lacks a; nearest there: vae/a.sft."),
    ("pool", {"pool": "night"}, "Is not in the pool night."),
    ("dedicated", {"pool": "night"}, "Is kept for the pool night."),
    ("tags", {"tags": "fp8"}, "Lacks the tag fp8."),
    ("avoided", {}, "The job failed there before."),
    ("pinned", {}, "The job is for another node only."),
    (
        "blocked",
        {"failures": 3, "until": AT},
        "Blocked for this template after 3 failures, until 2020-02-03 14:20.",
    ),
    ("blocked", {"until": AT.isoformat()}, "Blocked for this template until 2020-02-03 14:20."),
    ("off_hours", {"until": AT}, "Off hours until 2020-02-03 14:20."),
    ("off_hours", {"until": ""}, "Off hours."),
    ("off_hours", {"reason": "nights"}, "Off hours by the schedule nights."),
    ("avoided", {}, "The job failed there before."),
    ("paused", {"by": "alice", "reason": ""}, "Paused by alice."),
    ("paused", {"by": "alice", "reason": "card"}, "Paused by alice: card."),
    ("paused", {"reason": ""}, "Paused."),
    ("draining", {}, "Draining: it finishes what it has and takes nothing new."),
    (
        "draining",
        {"by": "alice", "reason": ""},
        "Drained by alice: it finishes what it has and takes nothing new.",
    ),
    (
        "draining",
        {"by": "alice", "reason": "card", "note": "ask Bob"},
        "Drained by alice: card. Note: ask Bob",
    ),
    ("offline", {"reason": "no report for 30 s"}, "Offline: no report for 30 s."),
    ("sick", {"reason": "ComfyUI hangs"}, "Sick: ComfyUI hangs."),
    ("deaf", {"reason": ""}, "Deaf: its ComfyUI or its store cannot be used."),
    ("offline", {"since": AT}, "Offline since 2020-02-03 14:20."),
    ("starting", {}, "Starting: what it can do is not known yet."),
    ("simulated", {}, "SIMULATED, which is not allowed here."),
    ("busy", {"job": "J000001", "left_s": 90}, "Renders J000001, about 1:30 more."),
    ("busy", {"job": "J000001"}, "Renders J000001."),
    ("busy", {}, "Busy."),
    ("staged", {}, "Busy, and the next one is staged behind it."),
    ("free", {}, "Free: it would take it."),
]


@pytest.mark.parametrize(("code", "facts", "said"), LANES)
def test_a_reason_is_one_sentence(code: str, facts: dict[str, Any], said: str) -> None:
    assert sentence(code, facts) == said


@pytest.mark.parametrize(("code", "facts", "said"), NODES)
def test_what_a_node_says_is_one_sentence(code: str, facts: dict[str, Any], said: str) -> None:
    assert node_sentence(code, facts) == said


WRITERS = (
    "apps/renders/services/waits.py",
    "apps/renders/services/dependents.py",
    "apps/renders/scheduling/round.py",
)


def test_every_code_that_the_dispatcher_writes_has_words() -> None:
    code = re.compile(r'"([a-z_]+)"(?:, \{|,\n\s+\{)')
    written = {
        name for path in WRITERS for name in code.findall((Path(settings.BASE_DIR) / path).read_text())
    }
    assert {"full", "too_small", "tier_paused", "depends", "lacks"} <= written
    assert written <= {*SENTENCES, *NODE_SENTENCES}
    kept = {*map(str, Observed), *map(str, Desired), "off_hours", "simulated"}
    assert kept - {"idle", "active"} <= set(NODE_SENTENCES)


def test_every_code_has_an_example_here() -> None:
    of_jobs = {"paused", "batch_paused", "start_after", "depends", "depends_failed"}
    assert set(SENTENCES) == {code for code, _facts, _said in LANES} | of_jobs
    assert set(NODE_SENTENCES) == {code for code, _facts, _said in NODES}
    assert set(NODE_SENTENCES) >= TAKERS


@pytest.mark.parametrize(("code", "facts", "said"), [*LANES, *NODES])
def test_every_sentence_is_korean_in_korean(code: str, facts: dict[str, Any], said: str) -> None:
    speak = sentence if (code, facts, said) in LANES else node_sentence
    with translation.override("ko"):
        told = speak(code, facts)
    assert any("가" <= letter <= "힣" for letter in told), told
    for fact in ("alice", "gpu-1", "kling", "J000001", "SQ010_SH0010", "14:20", "2:00:00"):
        assert (fact in said) == (fact in told)


def test_what_a_newer_farm_wrote_is_shown_as_it_stands() -> None:
    assert sentence("quantum", {"flux": 3}) == "Waits: quantum (flux 3)."
    assert sentence("quantum", {}) == "Waits: quantum."
    assert node_sentence("quantum", {}) == "Waits: quantum."
    assert sentence("", {}) == ""


def test_why_a_node_is_sick_is_said_in_the_readers_language_and_what_a_person_wrote_as_it_is() -> None:
    concluded = FAILED % {"count": 3, "jobs": 2, "job": "J000001", "failure": "CUDA error"}
    with translation.override("ko"):
        sick = node_sentence("sick", {"reason": concluded})
        paused = node_sentence("paused", {"reason": "failures in a row", "by": "kim"})
    assert "작업 2개에서 연속 3번 실패, 마지막은 J000001: CUDA error" in sick
    assert "failures in a row" in paused


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"nodes": "many"},
        {"nodes": {"offline": None}},
        {"until": "soon", "nodes": 2},
        {"where": [["gpu"]], "missing": 7, "tier": "large"},
        {"why": {"no": "code"}, "node": "gpu"},
        {"ahead": 3.5, "used_s": "long", "left_s": "long", "held_mib": "much", "has": {}, "state": "gone"},
    ],
)
@pytest.mark.parametrize("code", sorted({*SENTENCES, *NODE_SENTENCES}))
def test_facts_of_another_form_break_nothing(code: str, facts: Mapping[str, Any]) -> None:
    assert isinstance(sentence(code, facts), str)
    assert isinstance(node_sentence(code, facts), str)


def test_times_are_told_by_the_readers_clock() -> None:
    now = timezone.now()
    with timezone.override("Asia/Seoul"):
        local = timezone.localtime(now)
        assert clock_text(now) == f"{local:%H:%M}"
        tomorrow = now + timedelta(days=1)
        if timezone.localtime(tomorrow).year == local.year:
            assert clock_text(tomorrow) == f"{timezone.localtime(tomorrow):%m-%d %H:%M}"
        assert clock_text(AT) == "2020-02-03 23:20"


@pytest.fixture
def job(db: None) -> Job:
    """A ready job whose lane says that its only node is busy."""
    made: Job = JobFactory.create()
    says(made, "full", {"nodes": 1})
    return made


def says(job: Job, code: str, facts: dict[str, Any]) -> None:
    rows = [{"node": "gpu-1", "code": "lacks", "params": {"files": ["a"]}}, {"node": "gpu-2"}]
    Lane.objects.filter(jobs=job).update(
        wait_code=code, wait_params=facts, wait_nodes=rows, waits_since=timezone.now()
    )


def test_a_jobs_own_holds_come_before_what_its_lane_says(job: Job) -> None:
    job = Job.objects.get(pk=job.pk)
    assert wait_sentence(job) == "The one fitting node is busy."
    job.start_after = timezone.now() + timedelta(hours=1)
    assert wait_sentence(job) == f"Starts after {clock_text(job.start_after)}."
    job.batch.paused, job.batch.paused_by = True, "bob"
    assert wait_sentence(job) == "Its batch is paused by bob."
    job.paused, job.paused_by = True, "alice"
    assert wait_sentence(job) == "Paused by alice."
    assert told_by_nodes(job) == []


def test_it_waits_since_the_reason_began_or_since_it_is_ready(job: Job) -> None:
    job = Job.objects.get(pk=job.pk)
    assert job.lane is not None
    job.ready_at = timezone.now() + timedelta(minutes=1)
    assert reason_of(job).since == job.ready_at
    job.ready_at = timezone.now() - timedelta(days=1)
    assert reason_of(job).since == job.lane.waits_since


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCEEDED, JobState.CANCELLED])
def test_a_job_that_does_not_wait_says_nothing(job: Job, state: str) -> None:
    job = Job.objects.get(pk=job.pk)
    job.state = state
    assert wait_sentence(job) == ""
    assert told_by_nodes(job) == []


def test_a_node_that_says_nothing_known_breaks_no_table(job: Job) -> None:
    rows = told_by_nodes(Job.objects.get(pk=job.pk))
    assert [(row.node, row.sentence) for row in rows] == [("gpu-1", "Lacks a."), ("gpu-2", "")]


@pytest.mark.django_db
def test_the_summary_counts_jobs_by_reason_the_most_first() -> None:
    project = ProjectFactory.create()
    batch = BatchFactory.create(project=project)
    few = JobFactory.create_batch(2, need_gb=80.0, tier_gb=80)
    many = JobFactory.create_batch(4)
    for one in few:
        says(one, "too_big", {"need": 80, "largest": 24})
    for one in many:
        says(one, "full", {"nodes": 2})
    JobFactory.create(state=JobState.RUNNING)
    paused = JobFactory.create(batch=batch, shot__sequence__project=project, held=True, paused=True)
    says(paused, "full", {"nodes": 2})
    lines = wait_summary()
    assert [(line.jobs, line.more, line.sentence) for line in lines] == [
        (4, False, "All 2 fitting nodes are busy."),
        (2, False, "Needs 80 GB on one GPU; the largest node here has 24 GB."),
    ]
    only = wait_summary(type(project).objects.filter(pk=few[0].project_id))
    assert [line.jobs for line in only] == [1]


@pytest.mark.django_db
def test_the_summary_takes_one_query_and_stops_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    first = JobFactory.create()
    for _ in range(6):
        JobFactory.create(shot=first.shot, template_version=first.template_version)
    says(first, "full", {"nodes": 2})
    monkeypatch.setattr("apps.renders.waiting.MOST_COUNTED", 5)
    with CaptureQueriesContext(connection) as asked:
        [line] = wait_summary()
    assert (line.jobs, line.more) == (5, True)
    assert len(asked) == 1
    assert "ORDER BY" in asked[0]["sql"]  # of the index, else PostgreSQL reads the table
    assert "LIMIT 5" in asked[0]["sql"]


def test_rows_are_counted_in_the_order_of_an_index_only() -> None:
    with pytest.raises(ValueError, match="order of the index"):
        CountAtMost(Job.objects.order_by(), "lane", most=3)
