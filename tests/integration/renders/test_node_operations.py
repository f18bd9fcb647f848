"""What operators and schedules do to nodes, and what that does to work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.selectors import kept_facts, kept_from_serving
from apps.nodes.services import (
    accept_software,
    assign,
    keep_hours,
    set_desired,
    set_note,
    watch_software,
    work_until,
)
from apps.nodes.services.places import remove_pool, save_schedule
from apps.nodes.standing import reasons
from apps.nodes.states import Desired, SoftwareState
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.services.dispatch import dispatch
from apps.renders.services.sweep import sweep
from apps.renders.states import JobState
from farm.contracts import Capabilities, ComfyFact, Stage
from tests.broker_fixture import Broker
from tests.factories import UserFactory
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, executing, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


@pytest.fixture
def operator(db: None) -> User:
    """Somebody who may do everything to nodes."""
    return UserFactory.create(username="kim", is_superuser=True)


def node() -> Node:
    return Node.objects.select_related("schedule").get(name="gpu24")


def starts_at(farm_time: FarmTime, moment: datetime) -> None:
    """Let the farm's clock show this moment."""
    farm_time.passes((moment - farm_time()).total_seconds())


# draining


@pytest.mark.parametrize("wish", [Desired.DRAINING, Desired.PAUSED])
def test_a_drained_node_finishes_what_it_has_also_what_is_staged_and_takes_nothing(
    node24: Hand, film: Project, coordinator: User, job: Job, operator: User, wish: Desired
) -> None:
    press(film, coordinator, "sd15_t2i", key="staged")
    press(film, coordinator, "sd15_t2i", key="waits")
    at_work = executing(node24)
    dispatch()
    staged = node24.claimed()
    node24.works_on(staged, Stage.STAGED)
    set_desired(node(), wish, user=operator, reason="new fan")
    told = node24.reports()
    assert (told.serve, told.desired, told.cancelled) == (False, wish, ())
    assert dispatch() == 0
    node24.finishes(at_work)
    node24.works_on(staged, Stage.EXECUTING)
    assert node24.reports().cancelled == ()
    node24.finishes(staged)
    assert dispatch() == 0
    assert sorted(Job.objects.values_list("state", flat=True)) == ["ready", "succeeded", "succeeded"]
    assert kept_facts(node()) == {"reason": "new fan", "by": "kim"}
    event = StateEvent.objects.get(machine="node_desired")
    assert (event.to_state, event.actor, event.reason) == (wish, "kim", "new fan")
    set_desired(node(), Desired.ACTIVE, user=operator)
    node24.reports()
    assert dispatch() == 1


def test_an_order_that_was_on_its_way_to_a_node_that_drains_goes_back(
    node24: Hand, job: Job, operator: User
) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    set_desired(node(), Desired.DRAINING, user=operator)
    assert node24.claims(order).reason == "gpu24 is draining"
    assert again(job).state == JobState.READY


# notes


def test_a_note_is_signed_dated_and_told_where_it_is_asked_why(node24: Hand, operator: User) -> None:
    set_note(node(), "fan rattles", user=operator)
    row = node()
    assert (row.note, row.note_by) == ("fan rattles", "kim")
    assert row.note_at is not None
    assert kept_facts(row)["note"] == "fan rattles"
    set_note(row, "  ", user=operator)
    assert (node().note, node().note_by, node().note_at) == ("", "", None)


def test_nobody_else_writes_notes_or_places(node24: Hand, coordinator: User) -> None:
    deeds: tuple[Callable[[], object], ...] = (
        lambda: set_note(node(), "mine", user=coordinator),
        lambda: assign(node(), user=coordinator, tags=["mine"]),
        lambda: work_until(node(), None, user=coordinator),
        lambda: accept_software(node(), user=coordinator),
    )
    for deed in deeds:
        with pytest.raises(NotAllowed):
            deed()
    assert (node().note, node().tags) == ("", "")


def test_tags_are_kept_sorted_each_once_and_what_is_no_tag_is_refused(node24: Hand, operator: User) -> None:
    assign(node(), user=operator, tags=["Fast", "4090", "fast"])
    assert node().tags == "4090\nfast"
    with pytest.raises(Refused) as refused:
        assign(node(), user=operator, tags=["a b"])
    assert refused.value.problems[0].value == "a b"
    assert node().tags == "4090\nfast"


def test_a_pool_with_nodes_in_it_is_not_removed(node24: Hand, operator: User) -> None:
    pool = Pool.objects.create(name="day")
    assign(node(), user=operator, pool=pool)
    with pytest.raises(Refused):
        remove_pool(pool, user=operator)
    assign(node(), user=operator, pool=None)
    remove_pool(pool, user=operator)
    assert not Pool.objects.exists()


# schedules

NIGHTS = [{"days": [0, 1, 2, 3, 4], "from": "19:00", "to": "08:00"}]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def nights(node24: Hand, operator: User, farm_time: FarmTime) -> Schedule:
    """The node works at night; it is noon."""
    starts_at(farm_time, NOON)
    schedule = save_schedule(Schedule(name="nights", windows=NIGHTS), user=operator)
    assign(node(), user=operator, schedule=schedule)
    return schedule


def test_outside_its_hours_a_node_finishes_what_it_has_and_takes_nothing(
    nights: Schedule, node24: Hand, film: Project, coordinator: User, job: Job, farm_time: FarmTime
) -> None:
    assert node().off_hours
    assert not node24.reports().serve
    assert dispatch() == 0
    assert kept_from_serving(node()) == "off_hours"
    assert reasons(node(), farm_time()) == ["rests until 19:00 (schedule nights)"]
    starts_at(farm_time, NOON.replace(hour=19))
    node24.reports()
    sweep()
    assert node24.reports().serve
    order = executing(node24)
    press(film, coordinator, "sd15_t2i", key="next")
    starts_at(farm_time, NOON + timedelta(hours=20))
    node24.reports()
    sweep()
    told = node24.reports()
    assert (told.serve, told.cancelled) == (False, ())
    node24.finishes(order)
    assert again(job).state == JobState.SUCCEEDED
    assert dispatch() == 0


def test_an_operator_lets_it_work_on_for_a_while(
    nights: Schedule, node24: Hand, operator: User, farm_time: FarmTime
) -> None:
    until = farm_time() + timedelta(hours=2)
    work_until(node(), until, user=operator)
    assert node24.reports().serve
    assert reasons(node(), farm_time())[0].endswith("by kim’s wish (schedule nights)")
    farm_time.passes(2 * 3600 + 1)
    node24.reports()
    sweep()
    assert node().off_hours
    with pytest.raises(Refused):
        work_until(node(), until, user=operator)


def test_taken_off_its_schedule_a_node_works_at_all_hours(
    nights: Schedule, node24: Hand, operator: User
) -> None:
    assign(node(), user=operator, schedule=None)
    assert not node().off_hours
    with pytest.raises(Refused):
        work_until(node(), datetime(2099, 1, 1, tzinfo=UTC), user=operator)


def test_when_a_node_rests_and_works_by_its_schedule_stands_in_its_story(
    nights: Schedule, node24: Hand, operator: User, farm_time: FarmTime
) -> None:
    starts_at(farm_time, NOON.replace(hour=19))
    keep_hours(farm_time())
    keep_hours(farm_time())
    starts_at(farm_time, NOON + timedelta(days=1))
    keep_hours(farm_time())
    work_until(node(), farm_time() + timedelta(hours=2), user=operator)
    farm_time.passes(2 * 3600 + 1)
    keep_hours(farm_time())
    assign(node(), user=operator, schedule=None)
    events = StateEvent.objects.filter(machine="node_hours", story=node().pk).order_by("id")
    assert [(event.to_state, event.reason) for event in events] == [
        ("resting", "the working hours of schedule nights are over"),
        ("working", "the working hours of schedule nights have begun"),
        ("resting", "the working hours of schedule nights are over"),
        ("working", "it works on by kim’s wish, whatever schedule nights says"),
        ("resting", "the working hours of schedule nights are over"),
        ("working", "it has no schedule any more"),
    ]


def test_a_schedule_that_went_is_followed_no_more(nights: Schedule, farm_time: FarmTime) -> None:
    nights.delete()
    keep_hours(farm_time())
    assert not node().off_hours


def test_a_schedule_nobody_can_read_keeps_nobody_from_working(nights: Schedule, farm_time: FarmTime) -> None:
    Schedule.objects.update(timezone="Atlantis/Capital")
    keep_hours(farm_time())
    assert not node().off_hours


def test_only_the_databases_clock_counts(nights: Schedule, node24: Hand, farm_time: FarmTime) -> None:
    """A node's own clock is nowhere in a report: hours off, it rests and works with all the others."""
    assert not node24.reports().serve
    starts_at(farm_time, NOON.replace(hour=20))
    node24.reports()
    sweep()
    assert node24.reports().serve


def test_a_schedule_that_is_none_is_refused(operator: User) -> None:
    with pytest.raises(Refused):
        save_schedule(Schedule(name="never", windows=[]), user=operator)
    assert not Schedule.objects.exists()


# software


def tells(
    hand: Hand, *, comfyui: str = "0.8.0", customs: tuple[str, ...] = ("VideoHelper",), models: str = ""
) -> None:
    """The node tells what runs there."""
    files = {folder: tuple(names) for folder, names in hand.able.models.items()}
    if models:
        files["vae"] = (*files.get("vae", ()), models)
    able = Capabilities(
        classes=hand.able.classes, models=files, custom_nodes={name: f"{name}-1" for name in customs}
    )
    comfy = ComfyFact(reachable=True, version=comfyui, device_type="cuda")
    hand.able = able
    hand.reports(comfy=comfy, capabilities=able)
    hand.reports(comfy=comfy)


def test_what_a_node_came_with_is_accepted_and_what_changes_is_drift(node24: Hand, operator: User) -> None:
    tells(node24)
    accept_software(node(), user=operator)
    watch_software()
    assert (node().drift, node().software_state) == ([], SoftwareState.SAME)
    tells(node24, comfyui="0.9.0", models="y.safetensors")
    watch_software()
    assert [row["code"] for row in node().drift] == ["version_changed", "model_came"]
    event = StateEvent.objects.get(machine="node_software")
    assert (event.to_state, event.story) == ("drifted", node().pk)
    assert event.reason == ("its software differs in 2 ways, first: ComfyUI is 0.9.0, accepted was 0.8.0")
    assert watch_software() == 0, "nothing new is nothing to compare"
    assert StateEvent.objects.filter(machine="node_software").count() == 1
    accept_software(node(), user=operator)
    assert (node().drift, node().software_state) == ([], SoftwareState.SAME)


def test_a_new_version_is_seen_without_capabilities(node24: Hand) -> None:
    newer = ComfyFact(reachable=True, version="0.9.0", device_type="cuda")
    node24.reports(comfy=newer)
    watch_software()
    assert [row["params"]["has"] for row in node().drift] == ["0.9.0"]
    node24.reports(comfy=ComfyFact(reachable=False, error="gone"), state="deaf")
    watch_software()
    assert [row["params"]["has"] for row in node().drift] == ["0.9.0"], "a silent ComfyUI has no version"


def test_a_node_is_compared_with_its_pool_and_with_no_other(
    node24: Hand, bus: Broker, operator: User
) -> None:
    pool = Pool.objects.create(name="day")
    tells(node24, comfyui="0.3.64", customs=())
    for name in ("a24", "b24", "c24"):
        tells(Hand(name, tier_gb=24, broker=bus).arrives())
    Node.objects.filter(name__in=("a24", "b24", "c24")).update(pool=pool)
    for row in Node.objects.all():
        accept_software(row, user=operator)
    assert node().drift == []
    assign(node(), user=operator, pool=pool)
    watch_software()
    assert [row["code"] for row in node().drift] == ["pool_version", "pool_has_custom_node"]
    assert set(Node.objects.exclude(name="gpu24").values_list("software_state", flat=True)) == {"same"}


def test_loaded_models_are_written_down_and_forgotten_with_the_node(
    node24: Hand, farm_time: FarmTime
) -> None:
    node24.reports(resident=("checkpoints/a.safetensors",))
    assert node().resident == ["checkpoints/a.safetensors"]
    for _ in range(15):
        farm_time.passes(5)
        Hand("other", tier_gb=8, broker=node24.broker).reports()
        sweep()
    assert (node().observed, node().resident) == ("offline", [])
