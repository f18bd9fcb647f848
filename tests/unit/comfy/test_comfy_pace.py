"""From the steps seen to the silence that is a hang."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.comfy.conftest import Recording
from workers.comfy.pace import ENOUGH, FACTOR, FLOOR_S, TEMPLATES, Pace, Paces
from workers.comfy.progress import Executing, NodeProgress, Nodes, Step, parse_event

HANG_S = 900.0


def stepping(
    seconds: float, steps: int, *, pace: Pace | None = None, node: str = "5", begin: int = 1
) -> Pace:
    """A pace after so many steps of a node that has a hundred."""
    pace = pace or Pace()
    for number in range(steps):
        pace.take(Step(node, begin + number, 100), 50.0 + number * seconds)
    return pace


def test_the_first_steps_say_nothing_yet() -> None:
    assert stepping(20, ENOUGH).limit(HANG_S) == HANG_S
    assert stepping(20, ENOUGH + 1).limit(HANG_S) == FACTOR * 20


def test_the_limit_has_a_floor_and_never_exceeds_the_orders() -> None:
    assert stepping(0.1, 10).limit(HANG_S) == FLOOR_S
    assert stepping(500, 10).limit(HANG_S) == HANG_S
    assert stepping(0.1, 10).limit(FLOOR_S / 2) == FLOOR_S / 2


@pytest.mark.parametrize(
    "leave",
    [
        lambda pace: pace.take(Executing("8"), 99.0),
        lambda pace: pace.take(Nodes({"8": NodeProgress(0, 1, False, "8")}), 99.0),
        lambda pace: pace.take(Step("5", 100, 100), 99.0),
        lambda pace: pace.take(Step("8", 1, 4), 99.0),
        lambda pace: pace.take(Step("5", 1, 100), 99.0),
    ],
    ids=["another node", "another node's state", "last step", "another sampler", "another round"],
)
def test_beyond_a_nodes_steps_the_orders_limit_holds(leave: Callable[[Pace], None]) -> None:
    pace = stepping(2, 10)
    assert pace.limit(HANG_S) == FLOOR_S

    leave(pace)

    assert pace.limit(HANG_S) == HANG_S


def test_what_comes_before_the_first_step_is_no_step() -> None:
    pace = Pace()
    pace.take(Step("5", 0, 100), 0.0)  # announced; then the model loads for ten minutes

    stepping(2, 10, pace=pace)

    assert pace.longest == {"5": 2.0}


def test_a_remembered_template_needs_one_step_and_allows_what_was_seen_before() -> None:
    paces = Paces()
    paces.keep("flux v1", stepping(30, 10))

    again = paces.of("flux v1")
    assert stepping(2, 1, pace=again).limit(HANG_S) == HANG_S
    assert stepping(2, 2, pace=again).limit(HANG_S) == FACTOR * 30
    assert stepping(2, 2, pace=paces.of("wan v1")).limit(HANG_S) == HANG_S


def test_a_larger_render_of_a_remembered_template_is_measured_by_its_own_steps() -> None:
    paces = Paces()
    paces.keep("wan v1", stepping(1, 10))

    assert stepping(40, 2, pace=paces.of("wan v1")).limit(HANG_S) == FACTOR * 40


def test_the_longest_unused_template_is_forgotten() -> None:
    paces = Paces()
    for number in range(TEMPLATES + 1):
        paces.keep(f"t{number}", stepping(30, 10))

    assert (paces.of("t0").longest, paces.of("t1").longest) == ({}, {"5": 30.0})


events = st.one_of(
    st.builds(Step, st.sampled_from("58"), st.integers(0, 6).map(float), st.just(6.0)),
    st.builds(Executing, st.sampled_from("58")),
    st.builds(
        lambda name, done: Nodes({name: NodeProgress(0, 6, done, name)}), st.sampled_from("58"), st.booleans()
    ),
)


@given(st.lists(st.tuples(events, st.floats(0, 2000)), max_size=40), st.floats(1, 4000))
def test_whatever_comes_no_step_as_long_as_one_seen_is_ever_a_hang(
    story: list[tuple[Step | Executing | Nodes, float]], hang_s: float
) -> None:
    pace, now = Pace(), 0.0
    for event, silence in story:
        now += silence
        pace.take(event, now)

        limit = pace.limit(hang_s)
        assert min(hang_s, FLOOR_S) <= limit <= hang_s
        at_work = event.node if isinstance(event, Step) else ""
        assert limit >= min(hang_s, FACTOR * pace.longest.get(at_work, 0.0))


def test_a_recorded_cold_sampler_is_never_near_its_limit(recording: Recording) -> None:
    exchange = recording("ksampler_cold")
    prompt_id = exchange["post"]["body"]["prompt_id"]
    pace, heard, steps = Pace(), 0.0, 0
    for message in exchange["ws"]:
        event = parse_event(message.get("text"), prompt_id)
        if event is None:
            continue
        assert message["t"] - heard < pace.limit(HANG_S) / 3
        pace.take(event, message["t"])
        heard, steps = message["t"], steps + isinstance(event, Step)

    assert steps == 4
    assert pace.longest["5"] == pytest.approx(19.9, abs=0.1)
