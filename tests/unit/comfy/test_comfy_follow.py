"""Following a prompt to its real end, with a scripted server and a clock that moves when nothing happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from workers.comfy import follow as follow_module
from workers.comfy.client import ComfyClient, Queue
from workers.comfy.errors import (
    BadAnswer,
    ComfyError,
    ExecutorDead,
    Hung,
    Interrupted,
    InterruptIgnored,
    MadeWay,
    OutOfMemory,
    SlowAnswer,
    TimedOut,
    Unreachable,
    Vanished,
)
from workers.comfy.follow import Finished, follow
from workers.comfy.outputs import OutputFile
from workers.comfy.pace import FLOOR_S, Pace
from workers.comfy.progress import Ended, Event, Executing, ProgressSocket, Reconnected, Started, Step
from workers.comfy.standing import PENDING, RUNNING, UNKNOWN, Ending, Standing, State

GRAPH = {"3": {"class_type": "KSampler", "inputs": {"steps": 4}}}
FILE = OutputFile(
    node_id="9", listed_under="images", filename="a.png", subfolder="", folder="output", kind="image"
)
SUCCESS = Standing(state=State.DONE, ending=Ending.SUCCEEDED, outputs=(FILE,), executed_s=3.5)
STOPPED = Standing(state=State.DONE, ending=Ending.INTERRUPTED, error=Interrupted("ComfyUI interrupted it"))
FAILED = Standing(state=State.DONE, ending=Ending.FAILED, error=OutOfMemory("Allocation on device"))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class ScriptedSocket:
    """Plays its events; an event's pause, and any silence, moves the clock."""

    clock: Clock
    events: list[tuple[float, Event]] = field(default_factory=list)
    after_renewal: list[tuple[float, Event]] = field(default_factory=list)
    is_open: bool = True
    unbroken: bool = False
    breaks_after: int | None = None
    renewals: int = 0

    def renew(self) -> None:
        self.renewals += 1
        self.events, self.after_renewal = self.events + self.after_renewal, []

    def next(self, timeout_s: float) -> Event | None:
        if self.events and self.events[0][0] <= timeout_s:
            pause, event = self.events.pop(0)
            self.clock.now += pause
            if self.breaks_after is not None:
                self.breaks_after -= 1
                self.unbroken = self.unbroken and self.breaks_after >= 0
            return event
        if self.events:
            self.events[0] = (self.events[0][0] - timeout_s, self.events[0][1])
        self.clock.now += timeout_s
        return None


@dataclass
class ScriptedComfy:
    """Answers lookups from a list, the last one for ever. A cancel may replace what is left of it."""

    answers: Sequence[Standing | ComfyError]
    after_cancel: Sequence[Standing | ComfyError] | None = None
    running: tuple[str, ...] = ("somebody else's",)
    after_withdrawal: Sequence[Standing | ComfyError] | None = None
    cancels: int = 0
    withdrawals: int = 0
    lookups: int = 0

    def lookup(self, prompt_id: str) -> Standing:
        self.lookups += 1
        answer = self.answers[0]
        self.answers = self.answers[1:] or [answer]
        if isinstance(answer, ComfyError):
            raise answer
        return answer

    def cancel(self, prompt_id: str) -> bool:
        self.cancels += 1
        if self.after_cancel is not None:
            self.answers, self.after_cancel = self.after_cancel, None
        return False

    def withdraw(self, prompt_id: str) -> None:
        self.withdrawals += 1
        if self.after_withdrawal is not None:
            self.answers, self.after_withdrawal = self.after_withdrawal, None

    def queue(self) -> Queue:
        return Queue(running=self.running, pending=())


@dataclass
class Heard:
    said: list[str] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)

    def queued(self) -> None:
        self.said.append("queued")

    def started(self) -> None:
        self.said.append("started")

    def cached(self, nodes: tuple[str, ...]) -> None:
        self.said.append(f"cached {', '.join(nodes)}")

    def progress(self, fraction: float, doing: str) -> None:
        self.fractions.append(fraction)


@dataclass
class Scene:
    comfy: ScriptedComfy
    events: Iterable[tuple[float, Event]] = ()
    should_stop: Callable[[], bool] = lambda: False
    makes_way: Callable[[], bool] = lambda: False
    heard: Heard = field(default_factory=Heard)
    clock: Clock = field(default_factory=Clock)
    after_renewal: Iterable[tuple[float, Event]] = ()
    is_open: bool = True
    unbroken: bool = False

    def __post_init__(self) -> None:
        self.socket = ScriptedSocket(
            self.clock,
            list(self.events),
            list(self.after_renewal),
            is_open=self.is_open,
            unbroken=self.unbroken,
        )

    def play(
        self, *, execution_timeout_s: float = 60, hang_s: float = 20, pace: Pace | None = None
    ) -> Finished:
        return follow(
            cast(ComfyClient, self.comfy),
            "p",
            socket=cast(ProgressSocket, self.socket),
            graph=GRAPH,
            listener=self.heard,
            should_stop=self.should_stop,
            execution_timeout_s=execution_timeout_s,
            hang_s=hang_s,
            interrupt_s=30,
            lost_s=30,
            makes_way=self.makes_way,
            pace=pace,
            clock=self.clock,
        )


@pytest.fixture(autouse=True)
def _no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "HISTORY_STEP_S", 0)
    monkeypatch.setattr(follow_module, "RACE_S", 0)


def test_a_prompt_is_followed_from_queue_to_files() -> None:
    scene = Scene(
        ScriptedComfy([PENDING, PENDING, SUCCESS]),
        [(5, Started()), (0.1, Executing("3")), (1, Step("3", 2, 4)), (1, Ended())],
    )

    finished = scene.play()

    assert finished.outputs == (FILE,)
    assert finished.executed_s == 3.5
    assert finished.queued_s == pytest.approx(5)
    assert scene.heard.said == ["queued", "started"]
    assert scene.heard.fractions == [0, 0, 0.5, 1]


def test_history_that_trails_the_end_is_waited_for() -> None:
    scene = Scene(ScriptedComfy([RUNNING, RUNNING, RUNNING, SUCCESS]), [(0.1, Started()), (0.1, Ended())])

    assert scene.play().outputs == (FILE,)


def test_an_end_that_nobody_told_is_found_in_the_silence() -> None:
    assert Scene(ScriptedComfy([RUNNING, SUCCESS]), [(0.1, Started())]).play().outputs == (FILE,)


def test_a_prompt_that_ended_while_the_socket_was_away_is_found_on_reconnection() -> None:
    scene = Scene(ScriptedComfy([SUCCESS]), [(0.1, Started()), (0.2, Reconnected())])

    scene.play()

    assert scene.comfy.lookups == 1


def test_a_start_that_nobody_told_is_noticed() -> None:
    scene = Scene(ScriptedComfy([RUNNING, SUCCESS]))

    scene.play()

    assert scene.heard.said == ["queued", "started"]


def test_a_failed_prompt_raises_comfyuis_own_error() -> None:
    with pytest.raises(OutOfMemory, match="Allocation on device"):
        Scene(ScriptedComfy([FAILED]), [(0.1, Started()), (0.1, Ended())]).play()


def test_an_interrupt_by_somebody_else_is_told_as_comfyui_tells_it() -> None:
    with pytest.raises(Interrupted, match="ComfyUI interrupted it"):
        Scene(ScriptedComfy([STOPPED]), [(0.1, Started()), (0.1, Ended())]).play()


def test_a_prompt_that_comfyui_forgot_has_vanished() -> None:
    with pytest.raises(Vanished, match="restarted"):
        Scene(ScriptedComfy([UNKNOWN]), [(0.1, Started()), (1, Reconnected())]).play()


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "out of ComfyUI's queue before it began"),
        (((0.1, Started()),), "cleared ComfyUI's history before it told"),
    ],
)
def test_what_a_comfyui_forgot_that_was_never_off_the_line_a_person_took_out(
    events: tuple[tuple[float, Event], ...], words: str
) -> None:
    """It was not restarted, so it has taken nobody down."""
    with pytest.raises(Interrupted, match=words):
        Scene(ScriptedComfy([UNKNOWN]), events, unbroken=True).play()


def test_a_line_that_was_lost_behind_unread_words_is_a_restart() -> None:
    scene = Scene(
        ScriptedComfy([UNKNOWN]),
        [(0.1, Started()), (0.0, Reconnected()), (0.0, Executing("3")), (0.0, Reconnected())],
        unbroken=True,
    )
    scene.socket.breaks_after = 3

    with pytest.raises(Vanished, match="restarted"):
        scene.play()


def test_a_comfyui_that_was_away_has_been_restarted_even_where_the_line_noticed_nothing() -> None:
    with pytest.raises(Vanished, match="restarted"):
        Scene(ScriptedComfy([Unreachable("refused"), UNKNOWN]), unbroken=True).play()


def test_one_glance_that_misses_the_prompt_does_not_lose_it() -> None:
    scene = Scene(ScriptedComfy([UNKNOWN, RUNNING, SUCCESS]), [(0.1, Started())])

    assert scene.play().outputs == (FILE,)


@pytest.mark.parametrize("away", [Unreachable("refused"), SlowAnswer("silent"), BadAnswer("500")])
def test_a_short_absence_of_comfyui_is_waited_out(away: ComfyError) -> None:
    scene = Scene(ScriptedComfy([away, away, RUNNING, SUCCESS]), [(0.1, Started())])

    assert scene.play().outputs == (FILE,)


def test_a_comfyui_that_stays_away_took_the_prompt_with_it() -> None:
    scene = Scene(ScriptedComfy([Unreachable("refused")]), [(0.1, Started())])

    with pytest.raises(Vanished) as gone:
        scene.play(hang_s=600, execution_timeout_s=600)

    assert isinstance(gone.value.__cause__, Unreachable)


def test_a_comfyui_that_makes_no_sense_for_long_is_told_as_it_is() -> None:
    with pytest.raises(BadAnswer, match="500"):
        Scene(ScriptedComfy([BadAnswer("500")]), [(0.1, Started())]).play()


def test_a_comfyui_that_is_away_does_not_hang() -> None:
    away = [Unreachable("refused")] * 8
    gone = Scene(ScriptedComfy([*away, UNKNOWN]), [(0.1, Started())])
    back = Scene(ScriptedComfy([*away, RUNNING, RUNNING, SUCCESS]), [(0.1, Started())])

    with pytest.raises(Vanished, match="restarted"):
        gone.play(hang_s=5)
    assert back.play(hang_s=5).outputs == (FILE,)
    assert (gone.comfy.cancels, back.comfy.cancels) == (0, 0)


def test_waiting_behind_another_prompt_is_neither_a_hang_nor_a_time_out() -> None:
    scene = Scene(ScriptedComfy([PENDING] * 100 + [SUCCESS]))

    finished = scene.play(execution_timeout_s=10, hang_s=10)

    assert finished.queued_s > 100


def test_pending_while_nothing_runs_is_a_dead_executor() -> None:
    scene = Scene(ScriptedComfy([PENDING], after_cancel=[UNKNOWN], running=()))

    with pytest.raises(ExecutorDead):
        scene.play(hang_s=10)

    assert scene.comfy.cancels >= 1


def test_execution_without_progress_is_a_hang_and_is_interrupted() -> None:
    scene = Scene(ScriptedComfy([RUNNING], after_cancel=[STOPPED]), [(0.1, Started()), (1, Step("3", 1, 4))])

    with pytest.raises(Hung, match="KSampler 1/4"):
        scene.play(hang_s=10)

    assert scene.comfy.cancels == 1


def test_a_silent_socket_is_opened_anew_before_silence_is_called_a_hang() -> None:
    steps = [(8.0, Step("3", value, 4)) for value in (2, 3, 4)]
    scene = Scene(
        ScriptedComfy([RUNNING] * 22 + [SUCCESS]), [(0.1, Started())], after_renewal=[*steps, (0.1, Ended())]
    )

    assert scene.play(hang_s=20).outputs == (FILE,)
    assert (scene.socket.renewals, scene.comfy.cancels) == (1, 0)


def test_time_without_a_socket_is_no_hang() -> None:
    scene = Scene(ScriptedComfy([RUNNING] * 20 + [SUCCESS]), is_open=False)

    assert scene.play(hang_s=5).outputs == (FILE,)
    assert scene.comfy.cancels == 0


def test_progress_keeps_a_long_render_from_being_a_hang() -> None:
    steps = [(9.0, Step("3", value, 4)) for value in (1, 2, 3, 4)]
    scene = Scene(ScriptedComfy([RUNNING] * 16 + [SUCCESS]), [(0.1, Started()), *steps, (0.1, Ended())])

    assert scene.play(hang_s=10).outputs == (FILE,)


def test_execution_beyond_its_time_is_interrupted_even_while_it_progresses() -> None:
    steps = [(0.2, Step("3", value, 1000)) for value in range(1000)]
    scene = Scene(ScriptedComfy([RUNNING], after_cancel=[STOPPED]), [(0.1, Started()), *steps])

    with pytest.raises(TimedOut, match="20 s"):
        scene.play(execution_timeout_s=20)

    assert scene.comfy.cancels == 1


def test_a_stopped_render_is_followed_until_comfyui_confirms() -> None:
    scene = Scene(
        ScriptedComfy([RUNNING], after_cancel=[RUNNING, RUNNING, STOPPED]),
        [(0.1, Started())],
        should_stop=lambda: True,
    )

    with pytest.raises(Interrupted, match="as asked"):
        scene.play()

    assert scene.comfy.cancels > 1


def test_a_stopped_render_that_was_still_pending_is_gone_at_once() -> None:
    scene = Scene(ScriptedComfy([PENDING], after_cancel=[UNKNOWN]), should_stop=lambda: True)

    with pytest.raises(Interrupted, match="as asked"):
        scene.play()


def test_an_interrupt_is_repeated_although_progress_goes_on() -> None:
    steps = [(0.2, Step("3", value, 1000)) for value in range(1000)]
    scene = Scene(
        ScriptedComfy([RUNNING], after_cancel=[RUNNING] * 3 + [STOPPED]), steps, should_stop=lambda: True
    )

    with pytest.raises(Interrupted):
        scene.play()

    assert scene.comfy.cancels > 2


def test_a_render_that_ignores_the_interrupt_is_given_up_after_a_bound() -> None:
    scene = Scene(ScriptedComfy([RUNNING]), [(0.1, Started())], should_stop=lambda: True)

    with pytest.raises(InterruptIgnored, match="as asked; interrupted, it went on for 30 s"):
        scene.play(hang_s=600)


def test_a_render_that_finished_before_the_interrupt_bit_is_not_thrown_away() -> None:
    scene = Scene(
        ScriptedComfy([RUNNING], after_cancel=[SUCCESS]), [(0.1, Started())], should_stop=lambda: True
    )

    assert scene.play().outputs == (FILE,)


def test_a_cancel_that_gets_no_answer_is_sent_again() -> None:
    class Away(ScriptedComfy):
        def cancel(self, prompt_id: str) -> bool:
            super().cancel(prompt_id)
            if self.cancels < 3:
                raise Unreachable("refused")
            self.answers = [STOPPED]
            return True

    scene = Scene(Away([RUNNING]), [(0.1, Started())], should_stop=lambda: True)

    with pytest.raises(Interrupted, match="as asked"):
        scene.play()


def test_a_waiting_prompt_that_makes_way_is_taken_out_and_never_interrupted() -> None:
    scene = Scene(ScriptedComfy([PENDING], after_withdrawal=[UNKNOWN]), makes_way=lambda: True)

    with pytest.raises(MadeWay):
        scene.play()

    assert (scene.comfy.withdrawals, scene.comfy.cancels) == (1, 0)
    assert scene.heard.said == ["queued"]


@pytest.mark.parametrize("meanwhile", [[RUNNING, SUCCESS], [SUCCESS]])
def test_a_prompt_that_began_before_it_could_make_way_is_rendered(meanwhile: list[Standing]) -> None:
    scene = Scene(ScriptedComfy([PENDING], after_withdrawal=meanwhile), makes_way=lambda: True)

    assert scene.play().outputs == (FILE,)

    assert (scene.comfy.withdrawals, scene.comfy.cancels) == (1, 0)
    assert scene.heard.said == ["queued", "started"]


def test_an_executing_prompt_makes_no_way() -> None:
    scene = Scene(
        ScriptedComfy([RUNNING, SUCCESS]), [(0.1, Started()), (0.1, Ended())], makes_way=lambda: True
    )

    assert scene.play().outputs == (FILE,)

    assert scene.comfy.withdrawals == 0


def test_a_withdrawal_whose_outcome_is_not_seen_at_once_is_found_later() -> None:
    scene = Scene(
        ScriptedComfy([PENDING], after_withdrawal=[SlowAnswer("no answer"), UNKNOWN]), makes_way=lambda: True
    )

    with pytest.raises(MadeWay):
        scene.play()


def test_a_prompt_that_comfyui_loses_after_it_began_did_not_make_way() -> None:
    scene = Scene(
        ScriptedComfy([PENDING], after_withdrawal=[RUNNING, UNKNOWN, UNKNOWN]), makes_way=lambda: True
    )

    with pytest.raises(Vanished):
        scene.play()


STEPS = [(2.0, Step("3", value, 20)) for value in (1, 2, 3, 4, 5)]


def test_silence_after_regular_steps_is_a_hang_before_the_orders_limit() -> None:
    scene = Scene(ScriptedComfy([RUNNING], after_cancel=[STOPPED]), [(0.1, Started()), *STEPS])
    began = scene.clock.now

    with pytest.raises(Hung, match=f"without progress for {FLOOR_S:g} s"):
        scene.play(execution_timeout_s=10_000, hang_s=1000)

    assert scene.clock.now - began < 2 * FLOOR_S


def test_a_hang_that_was_but_a_long_step_is_remembered_as_one() -> None:
    pace = Pace()
    scene = Scene(ScriptedComfy([RUNNING], after_cancel=[STOPPED]), [(0.1, Started()), *STEPS])

    with pytest.raises(Hung):
        scene.play(execution_timeout_s=10_000, hang_s=1000, pace=pace)

    assert pace.longest["3"] > FLOOR_S


def test_what_follows_the_last_step_may_take_as_long_as_the_order_allows() -> None:
    last = (2.0, Step("3", 20, 20))
    quiet = int(2 * FLOOR_S / 2)
    scene = Scene(
        ScriptedComfy([RUNNING] * quiet + [SUCCESS]), [(0.1, Started()), *STEPS, last, (0.1, Executing("8"))]
    )

    assert scene.play(execution_timeout_s=10_000, hang_s=1000).outputs == (FILE,)
    assert scene.comfy.cancels == 0


def test_a_clock_that_was_set_while_comfyui_executed_makes_no_render_longer_than_it_was() -> None:
    year = Standing(state=State.DONE, ending=Ending.SUCCEEDED, outputs=(FILE,), executed_s=2_000_000.0)
    scene = Scene(ScriptedComfy([year]), [(1, Started()), (1.5, Executing("3")), (1.5, Ended())])

    finished = scene.play()

    assert finished.queued_s == pytest.approx(1)
    assert finished.executed_s == pytest.approx(3)
