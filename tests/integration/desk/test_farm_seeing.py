"""``manage.py farm status|nodes|jobs|why|story|limits``, for people and for tools."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.nodes.models import Node, Schedule
from apps.nodes.states import Health
from apps.nodes.words import RIVAL
from apps.renders.models import FarmClock, Hold, Job, Limit
from apps.renders.states import JobState
from tests.factories import JobFactory, NodeFactory
from tests.integration.desk.terminal import attempt_on, farm, tool, waits_for

pytestmark = pytest.mark.django_db

STATES = ("sick", "off_hours", "trouble")


def test_status_tells_leader_nodes_jobs_holds_and_reasons(nodes: dict[str, Node], job: Job) -> None:
    now = timezone.now()
    FarmClock.objects.update_or_create(
        pk=1, defaults={"leader": "host-1", "leader_until": now + timedelta(minutes=5), "word_at": now}
    )
    JobFactory.create(state=JobState.FAILED)
    Hold.objects.create(scope="48", by="alice", reason="new driver")
    said = farm("status")
    assert said.code == 0
    text = said.out
    word = re.search(r"host-1 leads; last word of a node (\d+(?:\.\d+)?) s ago", text)
    assert word and float(word[1]) < 60  # as old as the command took to start
    assert "2: 1 idle, 1 offline" in text
    assert "gpu-2: offline: no report for 30 s" in text
    assert "1 ready, 0 dispatched, 0 running, 0 blocked, 1 failed (24 h), 0 quarantined (24 h)" in text
    assert "48 GB, by alice, " in text
    assert ": new driver" in text
    assert "1 × All 3 fitting nodes are busy." in text
    told = tool("status")
    assert (told["form"], told["command"]) == (1, "status")
    assert told["leader"]["name"] == "host-1"
    assert told["nodes"]["observed"] == {"idle": 1, "offline": 1}
    assert (told["jobs"]["ready"], told["jobs"]["failed_24h"]) == (1, 1)
    assert [(line["code"], line["jobs"], line["more"]) for line in told["waits"]] == [("full", 1, False)]
    assert told["holds"][0]["scope"] == "48"


def test_status_says_that_nobody_leads_and_that_there_is_no_node() -> None:
    said = farm("status").out
    assert "no ticker leads: nothing is dispatched" in said
    assert "no node has ever reported here" in said
    assert tool("status")["leader"] is None


def test_status_counts_no_further_than_a_glance_needs(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    JobFactory.create_batch(4, shot=job.shot, template_version=job.template_version)
    monkeypatch.setattr("apps.desk.terminal.glance.MOST_COUNTED", 3)
    monkeypatch.setattr("apps.renders.waiting.MOST_COUNTED", 3)
    said = farm("status").out
    assert "> 3 ready" in said
    assert "3+ × All 3 fitting nodes are busy." in said


def test_nodes_are_a_table_with_their_gpu_and_what_they_have_in_hand(
    nodes: dict[str, Node], job: Job
) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, progress=0.42)
    attempt_on(nodes["gpu-1"], job, executing_at=timezone.now())
    said = farm("nodes")
    assert said.lines[0].split() == ["NODE", "STATE", "TIER", "GPU", "IN", "HAND", "HEARD", "NOTE"]
    assert "RTX 4090, 20.0 GB free" in said.lines[1]
    assert "J000012 42 %" in said.lines[1]
    assert said.lines[1].endswith("new fan on Friday")
    assert said.lines[1].index("24 GB") == said.lines[2].index("48 GB")
    told = {node["node"]: node for node in tool("nodes")["nodes"]}
    assert told["gpu-1"]["in_hand"] == [{"job": "J000012", "state": "executing", "progress": 0.42}]
    assert told["gpu-1"]["gpus"][0]["free_mib"] == 20480
    assert told["gpu-2"]["observed"] == "offline"


def test_nodes_by_name_pattern_and_state(nodes: dict[str, Node]) -> None:
    assert [node["node"] for node in tool("nodes", "gpu-1")["nodes"]] == ["gpu-1"]
    assert [node["node"] for node in tool("nodes", "gpu-*")["nodes"]] == ["gpu-1", "gpu-2"]
    assert [node["node"] for node in tool("nodes", "--state", "offline")["nodes"]] == ["gpu-2"]
    nothing = farm("nodes", "--state", "sick")
    assert (nothing.code, nothing.out) == (1, "No node.\n")


def test_what_is_concluded_of_a_node_and_its_hours_are_told_beside_what_it_says(
    nodes: dict[str, Node],
) -> None:
    nights = Schedule.objects.create(
        name="nights", windows=[{"days": list(range(7)), "from": "19:00", "to": "19:01"}]
    )
    Node.objects.filter(name="gpu-1").update(
        health=Health.SICK, sick_since=timezone.now(), sick_reason="its probe failed: CUDA error"
    )
    resting = NodeFactory.create(name="gpu-3", schedule=nights, off_hours=True, tags="fast")
    said = farm("status").out
    assert "3: 2 idle, 1 offline, 1 concluded: sick, 1 off hours" in said
    assert "gpu-1: idle, sick: sick since" in said
    assert "its probe failed: CUDA error" in said
    assert "gpu-3: " not in said, "it rests: no trouble"
    assert (tool("status")["nodes"]["health"], tool("status")["nodes"]["off_hours"]) == (
        {"sick": 1, "well": 2},
        1,
    )
    table = {line.split()[0]: line for line in farm("nodes").lines}
    assert "idle, off hours: rests until" in table["gpu-3"]
    found = {state: [node["node"] for node in tool("nodes", "--state", state)["nodes"]] for state in STATES}
    assert found == {"sick": ["gpu-1"], "off_hours": ["gpu-3"], "trouble": ["gpu-1", "gpu-2"]}
    [told] = tool("nodes", resting.name)["nodes"]
    assert (told["health"], told["off_hours"], told["schedule"], told["tags"]) == (
        "well",
        True,
        "nights",
        ["fast"],
    )


def test_why_says_where_a_job_is_that_does_not_wait(nodes: dict[str, Node], job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, progress=0.42, doing="KSampler")
    attempt_on(nodes["gpu-1"], job, executing_at=timezone.now())
    assert "On gpu-1: 42 % KSampler" in farm("why", job.code).lines
    assert tool("why", job.code)["job"]["node"] == "gpu-1"


def test_open_jobs_say_what_they_do_or_why_they_wait(nodes: dict[str, Node], job: Job) -> None:
    running = JobFactory.create(shot=job.shot, state=JobState.RUNNING, progress=0.5, doing="KSampler")
    attempt_on(nodes["gpu-1"], running)
    failed = JobFactory.create(
        shot=job.shot, state=JobState.FAILED, failure_message="out of memory\nat KSampler"
    )
    said = farm("jobs")
    assert said.lines[0].split()[:4] == ["JOB", "SHOT", "MAKES", "STATE"]
    assert [line.split()[0] for line in said.lines[1:]] == [running.code, "J000012"]
    assert "gpu-1" in said.lines[1]
    assert said.lines[1].endswith("50 % KSampler")
    assert said.lines[2].endswith("All 3 fitting nodes are busy.")
    [told] = tool("jobs", "--state", "failed")["jobs"]
    assert (told["job"], told["says"], told["project"]) == (failed.code, "out of memory", "FROST")
    assert [one["job"] for one in tool("jobs", "--node", "gpu-1")["jobs"]] == [running.code]
    assert {one["job"] for one in tool("jobs", "--project", "frost")["jobs"]} == {running.code, "J000012"}
    assert [one["job"] for one in tool("jobs", "--batch", job.batch.code)["jobs"]] == ["J000012"]
    short = tool("jobs", "--limit", "1")
    assert (len(short["jobs"]), short["more"]) == (1, True)
    assert farm("jobs", "--state", "quarantined").code == 1


def test_why_tells_the_reason_since_when_and_each_node(nodes: dict[str, Node], job: Job) -> None:
    rows = [
        {"node": "gpu-2", "code": "offline", "params": {"since": timezone.now().isoformat()}},
        {"node": "gpu-1", "code": "lacks", "params": {"files": ["loras/gerda.safetensors"]}},
    ]
    waits_for(job, "full", {"nodes": 3}, rows)
    said = farm("why", "J000012")
    clock = f"{timezone.localtime():%H:%M}"
    assert said.lines[0] == f"J000012 {job.label}: ready"
    assert said.lines[1] == f"All 3 fitting nodes are busy. (since {clock})"
    assert "NODE   SAYS" in said.out
    assert "gpu-1  Lacks loras/gerda.safetensors." in said.out
    assert f"gpu-2  Offline since {clock}." in said.out
    told = tool("why", "J000012")
    assert told["waiting"]["code"] == "full"
    assert [row["code"] for row in told["nodes"]] == ["lacks", "offline"]
    assert told["eta"]["unknown"]
    assert told["job"]["wait"] == "full"


def test_why_says_when_nobody_leads_for_the_reason_is_an_old_one(nodes: dict[str, Node], job: Job) -> None:
    waits_for(job, "full", {"nodes": 3})
    assert farm("why", "J000012").lines[2] == "no ticker leads: nothing is dispatched"
    soon = timezone.now() + timedelta(minutes=5)
    FarmClock.objects.update_or_create(pk=1, defaults={"leader": "host-1", "leader_until": soon})
    assert "no ticker leads" not in farm("why", "J000012").out


def test_why_of_a_failed_job_is_its_failure(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, failure_message="out of memory")
    assert "out of memory" in farm("why", "J000012").out
    assert tool("why", "J000012")["waiting"] is None


def test_the_story_of_a_job_is_told(job: Job) -> None:
    farm("prioritise", "J000012", "high")
    assert "J000012" in farm("story", "J000012").out
    assert farm("story", "J999999").code == 1


def test_limits_say_how_full_they_are(nodes: dict[str, Node], job: Job) -> None:
    limit = Limit.objects.create(name="kling", most=1, note="paid by the call")
    limit.templates.add(job.template_version.template)
    attempt_on(nodes["gpu-1"], job)
    said = farm("limits")
    assert said.lines[1].split()[:4] == ["kling", "1", "/", "1"]
    [told] = tool("limits")["limits"]
    assert (told["limit"], told["most"], told["taken"]) == ("kling", 1, 1)
    Limit.objects.all().delete()
    assert farm("limits").out == "There are no limits.\n"


def test_what_is_said_under_a_nodes_name_and_not_taken_is_trouble_for_two_minutes(
    nodes: dict[str, Node],
) -> None:
    words = RIVAL % {"address": "rack2:8188"}
    Node.objects.filter(name="gpu-1").update(misheard=words, misheard_at=timezone.now())
    assert f"gpu-1: idle: {words}" in " ".join(farm("status").out.split())
    assert tool("nodes", "gpu-1")["nodes"][0]["misheard"] == words
    assert {node["node"] for node in tool("nodes", "--state", "trouble")["nodes"]} == {"gpu-1", "gpu-2"}

    Node.objects.update(misheard_at=timezone.now() - timedelta(minutes=3))
    assert "another worker" not in farm("status").out
    assert tool("nodes", "gpu-1")["nodes"][0]["misheard"] == ""
    assert [node["node"] for node in tool("nodes", "--state", "trouble")["nodes"]] == ["gpu-2"]
