"""The farm page and the pages of nodes, pools, schedules and blocked pairs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from apps.accounts.models import User
from apps.common.models import StateEvent
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.states import Desired, Health, Observed, SoftwareState
from apps.renders.models import Attempt, FarmClock, Job, Limit, NodeBlock
from apps.renders.states import BlockState, JobState
from apps.workflows.models import WorkflowTemplate
from tests.factories import JobFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.html_forms import form_with
from tests.integration.admin.rows import listing, make_node, page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]

NIGHTS = [{"days": list(range(7)), "from": "19:00", "to": "19:01"}]


def farm(browser: Client, **asked: str) -> str:
    return browser.get(reverse("desk:farm"), asked).content.decode()


def block_of(node: Node, state: str = BlockState.BLOCKED) -> NodeBlock:
    return NodeBlock.objects.create(
        node=node,
        template=WorkflowTemplate.objects.get(slug="sd15_t2i"),
        state=state,
        failures=3,
        until=timezone.now() + timedelta(hours=5) if state == BlockState.BLOCKED else None,
        reason="3 failures of sd15_t2i in a row, the last in J000001: CUDA error",
    )


def test_the_farm_page_says_in_words_why_a_node_gets_no_work(film: Film, as_: Browser) -> None:
    node = film.rows["node"]
    since = timezone.now()
    Node.objects.filter(pk=node.pk).update(
        health=Health.SICK,
        sick_since=since,
        sick_reason="its probe failed: CUDA error",
        desired=Desired.DRAINING,
        desired_by="kim",
        desired_reason="new fan",
        note="fan rattles",
        note_by="lee",
        note_at=since,
        resident=["checkpoints/flux1-dev.safetensors"],
        tags="4090\nfast",
        pool=Pool.objects.create(name="stage-a"),
        software_state=SoftwareState.DRIFTED,
        drift=[{"code": "model_came", "params": {"name": "vae/y.safetensors"}}],
    )
    node.gpus.update(foreign_mib=4096)
    Attempt.objects.filter(node=node).update(clock_ahead_s=-7200.0)
    block_of(node)
    shown = farm(as_("viewer"))
    for words in (
        "concluded: sick",
        "its probe failed: CUDA error",
        "draining by kim: new fan",
        "fan rattles",
        "lee",
        "flux1-dev.safetensors",
        "4090",
        "stage-a",
        "drift",
        "model vae/y.safetensors came",
        "4.0 GB held by others",
        "2:00:00 behind, harmless",
        "sd15_t2i blocked until",
    ):
        assert words in shown, words
    assert "Drain<" not in shown.replace(" ", ""), "a viewer steers nothing"
    assert "Clear block" in farm(as_("root"))


def test_a_draining_node_that_has_nothing_in_hand_is_drained(film: Film, as_: Browser) -> None:
    Node.objects.update(desired=Desired.DRAINING)
    assert "drained" not in farm(as_("viewer"))
    Attempt.objects.update(holds_slot=False)
    assert "drained" in farm(as_("viewer"))


def test_a_node_off_hours_says_until_when(film: Film, as_: Browser) -> None:
    Node.objects.update(off_hours=True, schedule=Schedule.objects.create(name="nights", windows=NIGHTS))
    assert "rests until 19:00 (schedule nights)" in farm(as_("viewer"))


def test_many_nodes_are_drained_at_once_by_who_may(film: Film, as_: Browser) -> None:
    nodes = [film.rows["node"], make_node("gpu-2"), make_node("gpu-3")]
    ticked = {"action": "drain_nodes", "_selected_action": [str(node.pk) for node in nodes[:2]]}
    assert "drain_nodes" not in as_("viewer").get(listing(Node)).content.decode()
    as_("viewer").post(listing(Node), ticked)
    assert not Node.objects.exclude(desired=Desired.ACTIVE).exists()
    said = as_("root").post(listing(Node), ticked, follow=True).content.decode()
    assert "2 nodes are to be draining; they hear so with their next reports." in said
    wished = dict(Node.objects.values_list("name", "desired"))
    assert wished == {"gpu24": Desired.DRAINING, "gpu-2": Desired.DRAINING, "gpu-3": Desired.ACTIVE}
    back = as_("root").post(listing(Node), ticked | {"action": "activate_nodes"}, follow=True)
    assert "2 nodes are to be active" in back.content.decode()
    assert not Node.objects.exclude(desired=Desired.ACTIVE).exists()


def test_the_page_of_a_node_is_drawn_again_but_for_what_is_typed(film: Film, as_: Browser) -> None:
    shown = as_("root").get(page(film.rows["node"])).content.decode()
    drawn = shown.split("hx-select-oob=", 1)[1].split('"')[1].split(",")
    assert len(drawn) >= 4
    for part in drawn:
        assert shown.count(f'id="{part.removeprefix("#")}"') == 1, part
    hand = shown.split('id="node-hand"', 1)[1].split("</table>", 1)[0]
    assert film.job.code in hand
    assert "<input" not in hand


def test_an_operator_without_a_film_opens_every_page_the_sidebar_offers(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    operator = as_("nobody")
    people["nobody"].user_permissions.add(Permission.objects.get(codename="change_node"))
    home = operator.get(reverse("admin:index")).content.decode()
    offered = set(re.findall(r'href="(/admin/[^"]+)"', home.split('id="nav-sidebar"', 1)[1]))
    assert {listing(NodeBlock), listing(Limit), listing(StateEvent), reverse("desk:farm")} <= offered
    for address in offered:
        if "logout" not in address:
            assert operator.get(address, follow=True).status_code == 200, address
    events = operator.get(listing(StateEvent)).content.decode()
    assert film.job.code not in events, "films are for their members"


def test_an_empty_list_says_why_it_is_empty(film: Film, as_: Browser) -> None:
    root = as_("root")
    nothing, sought = (root.get(listing(Schedule), asked).content.decode() for asked in ({}, {"q": "zzz"}))
    assert "Nothing here yet." in nothing
    assert reverse("admin:nodes_schedule_add") in nothing
    assert "Nothing fits the search and the filters." in sought


def test_what_executes_stands_above_what_is_staged(film: Film, as_: Browser) -> None:
    later = JobFactory.create(shot=film.shot, code="J999001")
    for job, number, at in ((film.job, 2, None), (later, 1, timezone.now())):
        Attempt.objects.create(
            job=job,
            number=number,
            state="staged",
            token="t",
            queue="q",
            tier_gb=8,
            executing_at=at,
            node=film.rows["node"],
            accept_by=timezone.now(),
        )
    Attempt.objects.filter(pk=film.attempt.pk).update(holds_slot=False)
    shown = as_("root").get(page(film.rows["node"])).content.decode()
    hand = shown.split('id="node-hand"', 1)[1].split("</table>", 1)[0]
    assert hand.index("J999001") < hand.index(film.job.code)


def test_every_page_says_by_which_clock_its_times_are(film: Film, as_: Browser, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Seoul"
    for address in (reverse("admin:index"), reverse("desk:farm"), listing(Job), page(film.job)):
        shown = as_("viewer").get(address).content.decode()
        assert shown.count("times are in Asia/Seoul") >= 1, address


def test_the_marks_by_which_nodes_are_compared_are_shown(film: Film, as_: Browser) -> None:
    node = film.rows["node"]
    facts = {"python": "3.12.3", "pytorch": "2.7.0"}
    Node.objects.filter(pk=node.pk).update(fingerprint="9f2c55d01a", comfyui_facts=facts)
    shown = as_("viewer").get(page(node)).content.decode()
    for fact in ("9f2c55d01a", "3.12.3", "2.7.0"):
        assert fact in shown


def test_the_most_memory_a_render_took_is_told_on_its_jobs_page(film: Film, as_: Browser) -> None:
    assert "11.6 GB" not in as_("viewer").get(page(film.job)).content.decode()
    Attempt.objects.filter(pk=film.attempt.pk).update(report={"peak_mib": 11_900})
    assert "11.6 GB" in as_("viewer").get(page(film.job)).content.decode()


def test_nodes_are_found_by_pool_state_and_name(film: Film, as_: Browser) -> None:
    Node.objects.all().delete()
    for name in ("a1", "a2", "b1"):
        make_node(name)
    Node.objects.filter(name__startswith="a").update(pool=Pool.objects.create(name="stage-a"))
    Node.objects.filter(name="a2").update(observed=Observed.OFFLINE)

    def found(**asked: str) -> list[str]:
        context = as_("viewer").get(reverse("desk:farm-live"), asked).context
        return [card.node.name for card in context["cards"]]

    assert found() == ["a1", "a2", "b1"]
    assert found(pool="stage-a") == ["a1", "a2"]
    assert found(pool="-") == ["b1"]
    assert found(state="trouble") == ["a2"]
    assert found(state="busy", pool="stage-a") == ["a1"]
    assert found(text="B") == ["b1"]
    assert "No node is like that" in farm(as_("viewer"), pool="moon")


def test_many_nodes_stand_on_several_pages(film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.desk.views.PAGE_NODES", 2)
    Node.objects.all().delete()
    for name in ("a1", "a2", "b1"):
        make_node(name)

    def found(page: str) -> list[str]:
        context = as_("viewer").get(reverse("desk:farm-live"), {"page": page}).context
        return [card.node.name for card in context["cards"]]

    assert found("") == found("1") == found("00") == found("last") == ["a1", "a2"]
    assert found("2") == found("999999999") == ["b1"]


def test_a_live_page_keeps_its_filter(film: Film, as_: Browser) -> None:
    assert "farm/live/?pool=stage-a&amp;state=busy" in farm(as_("viewer"), pool="stage-a", state="busy")


def test_the_farm_page_of_many_nodes_takes_as_many_queries(film: Film, as_: Browser) -> None:
    browser = as_("root")

    def queries() -> int:
        farm(browser)
        with CaptureQueriesContext(connection) as seen:
            farm(browser)
        return len(seen)

    few = queries()
    for number in range(40):
        node = make_node(f"more{number}", pool=Pool.objects.create(name=f"pool{number}"))
        schedule = Schedule.objects.create(name=f"plan{number}", windows=NIGHTS)
        Node.objects.filter(pk=node.pk).update(schedule=schedule, off_hours=True)
        block_of(node)
    assert queries() == few


def test_the_page_of_a_node_tells_its_story_and_what_is_kept_from_it(film: Film, as_: Browser) -> None:
    node = film.rows["node"]
    block_of(node)
    assert as_("root").post(
        reverse("admin:nodes_node_desired", args=[node.pk]), {"desired": "paused", "reason": "new fan"}
    )
    shown = as_("viewer").get(page(node)).content.decode()
    for words in ("sd15_t2i", "3 failures in a row", "new fan", "paused by root"):
        assert words in shown, words


def press(browser: Client, node: Node, deed: str, **sent: str) -> Node:
    said = {"row_version": str(Node.objects.get(pk=node.pk).row_version)} | sent
    assert browser.post(reverse(f"admin:nodes_node_{deed}", args=[node.pk]), said).status_code == 302
    return Node.objects.get(pk=node.pk)


def test_an_operator_places_pins_and_lets_work(film: Film, as_: Browser) -> None:
    root, node = as_("root"), film.rows["node"]
    Pool.objects.create(name="stage-a")
    Schedule.objects.create(name="nights", windows=NIGHTS)
    node = press(root, node, "place", pool="stage-a", schedule="nights", tags="Fast, 4090")
    assert (node.pool and node.pool.name, node.tags, node.off_hours) == ("stage-a", "4090\nfast", True)
    assert press(root, node, "note", note="fan rattles").note_by == "root"
    assert not press(root, node, "hours", hours="5").off_hours
    assert press(root, node, "hours", hours="").off_hours
    before = node.tags
    assert press(root, node, "place", pool="moon", tags="x").tags == before, "refused as a whole"
    assert press(root, node, "hours", hours="soon").works_until is None


def test_what_was_typed_on_a_nodes_page_and_refused_is_still_there(film: Film, as_: Browser) -> None:
    root, node = as_("root"), film.rows["node"]
    Pool.objects.create(name="stage-a")

    def refused(deed: str, **sent: str) -> str:
        address = reverse(f"admin:nodes_node_{deed}", args=[node.pk])
        said = {"row_version": str(Node.objects.get(pk=node.pk).row_version)} | sent
        return root.post(address, said, follow=True).content.decode()

    shown = refused("place", pool="stage-a", schedule="", tags="fast, no!tag")
    assert "a tag is a word" in shown
    assert 'value="fast, no!tag"' in shown
    assert '<option value="stage-a" selected>' in " ".join(shown.split())
    assert Node.objects.get(pk=node.pk).pool is None
    assert "no!tag" not in root.get(page(node)).content.decode(), "once: then it is as it is"
    # Two at one page: whose change it was is told, what was typed stands there, and theirs where nothing was.
    opened = str(Node.objects.get(pk=node.pk).row_version)
    press(as_("root"), node, "place", pool="stage-a", schedule="", tags="slow")
    shown = refused("place", pool="", schedule="", tags="fast", row_version=opened)
    assert "Changed after you opened this page" in shown
    assert "<ins>slow</ins>" in shown
    assert 'value="fast"' in shown
    assert '<option value="stage-a" selected>' in " ".join(shown.split()), "nobody typed another pool"
    assert Node.objects.get(pk=node.pk).tags == "slow"
    opened = str(Node.objects.get(pk=node.pk).row_version)
    press(as_("root"), node, "note", note="fan rattles\r\ncalled them")
    shown = refused("note", note="", row_version=opened)
    assert Node.objects.get(pk=node.pk).note == "fan rattles\ncalled them"
    assert "fan rattles\ncalled them</textarea>" in shown, "nobody typed another note"
    note = "fan rattles " * 200
    assert note.strip() in refused("note", note=note)
    assert 'value="too hot for the rack' in refused(
        "desired", desired="asleep", reason="too hot for the rack"
    )


def test_blocks_are_cleared_by_the_button_and_many_at_once(film: Film, as_: Browser) -> None:
    one = block_of(film.rows["node"])
    root = as_("root")
    root.post(reverse("admin:renders_nodeblock_clear", args=[one.pk]))
    assert NodeBlock.objects.get().state == BlockState.CLEAR
    NodeBlock.objects.update(state=BlockState.BLOCKED)
    root.post(listing(NodeBlock), {"action": "clear", "index": "0", "_selected_action": [str(one.pk)]})
    assert NodeBlock.objects.get().state == BlockState.CLEAR


def test_a_schedule_is_written_as_people_write_it(film: Film, as_: Browser) -> None:
    root = as_("root")
    sent = {"name": "nights", "timezone": "Asia/Seoul", "hours": "mon-fri 19:00-08:00\nsat,sun 00:00-24:00"}
    add = reverse("admin:nodes_schedule_add")
    assert root.post(add, sent).status_code == 302
    row = Schedule.objects.get()
    assert row.windows[1] == {"days": [5, 6], "from": "00:00", "to": "00:00"}
    shown = root.get(page(row)).content.decode()
    assert "mon-fri 19:00-08:00\nsat,sun 00:00-00:00" in shown
    wrong = root.post(add, sent | {"name": "x", "hours": "someday 19:00-08:00"}).content.decode()
    assert "begin with days" in wrong
    wrong = root.post(add, sent | {"name": "x", "timezone": "Moon"}).content.decode()
    assert "not a time zone" in wrong
    assert Schedule.objects.count() == 1


def test_a_pool_with_nodes_is_not_deleted(film: Film, as_: Browser) -> None:
    pool = Pool.objects.create(name="stage-a")
    Node.objects.update(pool=pool)
    address = reverse("admin:nodes_pool_delete", args=[pool.pk])
    answers(as_("root"), address)
    assert Pool.objects.filter(pk=pool.pk).exists()
    Node.objects.update(pool=None)
    answers(as_("root"), address)
    assert not Pool.objects.exists()


def answers(browser: Client, address: str) -> Any:
    """Look at a page that asks before it deletes, and say yes to what it shows."""
    asked = form_with(browser.get(address).content.decode(), "post")
    return browser.post(address, asked, follow=True)


def removed(browser: Client, node: Node) -> str:
    told = answers(browser, reverse("admin:nodes_node_delete", args=[node.pk]))
    return " ".join(told.content.decode().split())


def test_a_node_that_is_gone_for_good_is_removed_and_what_it_rendered_stays(film: Film, as_: Browser) -> None:
    node, attempt = film.rows["node"], film.attempt
    Node.objects.filter(pk=node.pk).update(observed=Observed.OFFLINE)
    Attempt.objects.update(holds_slot=False, node=node)
    closed = JobFactory.create(shot=film.shot, state=JobState.FAILED, pinned_to=node)
    assert closed.lane is not None
    assert "Remove…" in as_("root").get(page(node)).content.decode()
    assert "Remove…" not in as_("admin").get(page(node)).content.decode()
    removed(as_("root"), node)
    assert not Node.objects.filter(pk=node.pk).exists()
    attempt.refresh_from_db()
    closed.refresh_from_db()
    assert (attempt.node, closed.pinned_to, closed.state) == (None, None, JobState.FAILED)


def test_a_node_that_open_jobs_wait_for_alone_is_not_removed_and_they_are_named(
    film: Film, as_: Browser
) -> None:
    node = film.rows["node"]
    Node.objects.filter(pk=node.pk).update(observed=Observed.OFFLINE)
    Attempt.objects.update(holds_slot=False)
    pinned = JobFactory.create_batch(7, shot=film.shot, pinned_to=node)
    told = removed(as_("root"), node)
    assert "7 open jobs may run on it only" in told
    codes = sorted(job.code for job in pinned)
    assert f"{', '.join(codes[:5])} … + 2" in told
    assert Node.objects.filter(pk=node.pk).exists()
    found = as_("root").get(listing(Job), {"q": node.name}).content.decode()
    assert codes[6] in found, "as the sentence says"


def test_a_node_that_reports_or_has_work_is_not_removed(film: Film, as_: Browser) -> None:
    node = film.rows["node"]
    Node.objects.filter(pk=node.pk).update(observed=Observed.IDLE)
    Attempt.objects.update(holds_slot=True, node=node)
    told = removed(as_("root"), node)
    assert "it still reports; stop its worker" in told
    assert "it has work in hand" in told
    assert Node.objects.filter(pk=node.pk).exists()


def test_the_farm_page_says_that_no_ticker_leads(film: Film, as_: Browser) -> None:
    def told() -> bool:
        page = as_("viewer").get(reverse("desk:farm-live")).content.decode()
        return "No ticker leads: nothing is dispatched." in page

    assert told(), "none has ever led"
    soon = timezone.now() + timedelta(minutes=1)
    FarmClock.objects.update_or_create(pk=1, defaults={"leader": "host-1", "leader_until": soon})
    assert not told()
    FarmClock.objects.update(leader_until=timezone.now() - timedelta(minutes=1))
    assert told(), "who led is gone"


def test_a_page_that_met_another_change_in_the_database_says_so_and_nothing_broke(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, met = film.rows["node"], list[Node]()

    def deadlocked(node: Node, **_: Any) -> None:
        met.append(node)
        raise OperationalError("deadlock detected") from DeadlockDetected()

    monkeypatch.setattr("apps.renders.admin.nodes.remove_node", deadlocked)
    answer = answers(as_("root"), reverse("admin:nodes_node_delete", args=[node.pk]))
    assert met == [node]
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "Somebody changed the same thing at the same moment." in answer.content.decode()
    monkeypatch.undo()
    assert Node.objects.filter(pk=node.pk).exists()


def test_the_farm_page_tells_each_nodes_last_failure_and_the_job_to_who_may_see_it(
    film: Film, as_: Browser
) -> None:
    node, now = film.rows["node"], timezone.now()
    Attempt.objects.filter(node=node).update(failure_class="", failure_message="")
    for minutes, said in ((1, "input_missing"), (5, "out_of_memory")):
        job = JobFactory.create(shot=film.job.shot)
        Attempt.objects.create(
            job=job,
            node=node,
            number=1,
            token=said,
            tier_gb=24,
            state="failed",
            failure_class=said,
            failure_message="CUDA ran out",
            accept_by=now,
            finished_at=now - timedelta(minutes=minutes),
        )
    (card,) = as_("viewer").get(reverse("desk:farm-live")).context["cards"]
    assert card.failed.failure_class == "input_missing"
    assert page(card.failed.job) in farm(as_("viewer"))
    elsewhere = JobFactory.create()
    Attempt.objects.filter(pk=card.failed.pk).update(job=elsewhere)
    shown = farm(as_("viewer"))
    assert "last failure" in shown
    assert page(elsewhere) not in shown
