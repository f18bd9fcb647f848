"""The watch: what it sees of ComfyUI, and when it calls a sick one well."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from farm.contracts import NodeState, ProbeResult
from workers.comfy.client import ComfyClient, Queue
from workers.comfy.errors import (
    ComfyError,
    ExecutionFailed,
    GraphRejected,
    Problem,
    SlowAnswer,
    Unreachable,
)
from workers.comfy.standing import PENDING, UNKNOWN, Ending, Standing, State
from workers.gpu import Site
from workers.memory import OwnMemory
from workers.neighbours import Neighbours
from workers.node import LOOK_S, Node
from workers.nvml import Cards
from workers.probe import PATIENCE_S, AskedProbe, Probe
from workers.restart import Restart
from workers.watch import Watch


class FakeComfy:
    """ComfyUI as the watch sees it."""

    def __init__(self) -> None:
        self.away: ComfyError | None = None
        self.executor_lives = True
        self.broken: ComfyError | None = None
        self.stats: object = {"system": {"comfyui_version": "0.27.0"}, "devices": [{"type": "cpu"}]}
        self.names = ["wan\\a.safetensors"]
        self.submitted: list[str] = []
        self.running: list[str] = []
        self.withdrawn: list[str] = []
        self.catalogue_read = 0
        self.freed = 0
        self.sizes_read = 0
        self.sizes_fail = False

    def system_stats(self) -> object:
        if self.away:
            raise self.away
        return self.stats

    def queue(self) -> Queue:
        return Queue(running=tuple(self.running), pending=())

    def submit(self, _graph: object, prompt_id: str) -> None:
        self.submitted.append(prompt_id)

    def withdraw(self, prompt_id: str) -> None:
        self.withdrawn.append(prompt_id)

    def lookup(self, prompt_id: str) -> Standing:
        if prompt_id not in self.submitted:
            return UNKNOWN
        if self.executor_lives and self.broken:
            return Standing(state=State.DONE, ending=Ending.FAILED, error=self.broken)
        return Standing(state=State.DONE, ending=Ending.SUCCEEDED) if self.executor_lives else PENDING

    def object_info(self) -> dict[str, Any]:
        self.catalogue_read += 1
        return {"SaveImage": {}, "KSampler": {}}

    def model_folders(self) -> dict[str, tuple[str, ...]]:
        return {}

    def model_sizes(self, folders: Iterable[str]) -> dict[str, int]:
        self.sizes_read += 1
        if self.sizes_fail:
            raise SlowAnswer("no answer within 10 s")
        return {f"{folder}/wan/a.safetensors": 6 for folder in folders}

    def free(self) -> None:
        self.freed += 1

    def models(self, *, as_listed: bool) -> dict[str, tuple[str, ...]]:
        assert as_listed
        return {"checkpoints": tuple(self.names)}


class FakeRestart(Restart):
    """Remembers whether it was told of a sick ComfyUI."""

    def __init__(self) -> None:
        super().__init__(())
        self.told: list[bool] = []

    def consider(self, *, sick: bool) -> bool:
        self.told.append(sick)
        return False


def watching(
    comfy: FakeComfy,
    check_store: Callable[[], str] = str,
    restart: Restart | None = None,
    **more: Any,
) -> tuple[Node, Watch, list[str]]:
    node, told = Node("gpu1", "celery@gpu1"), list[str]()
    watch = Watch(
        node,
        cast(ComfyClient, comfy),
        Site(comfyui_url="http://127.0.0.1:8188"),
        check_store=check_store,
        changed=lambda: told.append(node.standing()[0]),
        cards=lambda: Cards(()),
        restart=restart,
        **more,
    )
    return node, watch, told


def test_a_comfyui_that_hangs_may_be_restarted_and_one_that_is_starting_is_left_alone() -> None:
    comfy, restart = FakeComfy(), FakeRestart()
    comfy.executor_lives = False
    node, watch, _ = watching(comfy, restart=restart)
    watch.look()
    node.sick = "it hangs"
    watch.look()
    for away in (Unreachable("connection refused"), SlowAnswer("no answer within 10 s")):
        comfy.away = away
        watch.look()

    assert restart.told == [False, True, False, True]


def test_a_comfyui_that_executes_somebody_elses_prompt_is_not_restarted_over_it() -> None:
    comfy, restart = FakeComfy(), FakeRestart()
    comfy.executor_lives, comfy.running = False, ["an artist's"]
    node, watch, _ = watching(comfy, restart=restart)
    node.sick = "it went on for a minute after its interrupt"
    watch.look()
    comfy.running = []
    watch.look()

    assert restart.told == [False, True]


def test_the_watch_tells_only_what_is_new() -> None:
    comfy = FakeComfy()
    node, watch, told = watching(comfy)

    watch.look()
    watch.look()
    assert (told, comfy.catalogue_read) == ([NodeState.IDLE], 1)

    comfy.away = Unreachable("connection refused")
    watch.look()
    watch.look()
    assert told == [NodeState.IDLE, NodeState.DEAF]
    assert node.sight.fingerprint


def test_a_store_that_goes_and_comes_back_is_told_each_time() -> None:
    found = ["", "not mounted", "not mounted", ""]
    _, watch, told = watching(FakeComfy(), lambda: found.pop(0))

    for _ in range(4):
        watch.look()

    assert told == [NodeState.IDLE, NodeState.DEAF, NodeState.IDLE]


def test_a_store_that_is_away_is_seen_while_comfyui_is_away_too() -> None:
    comfy = FakeComfy()
    comfy.away = Unreachable("connection refused")
    node, watch, _ = watching(comfy, lambda: "not mounted")

    watch.look()

    assert node.sight.store == "not mounted"


def test_a_comfyui_that_comes_back_is_asked_anew_what_it_can_do() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    watch.look()
    before = node.sight.fingerprint

    comfy.away = Unreachable("connection refused")
    watch.look()
    comfy.away, comfy.names = None, ["b.safetensors"]
    watch.look()

    assert node.sight.fingerprint != before


def test_model_names_are_told_with_slashes_and_kept_as_listed() -> None:
    node, watch, _ = watching(FakeComfy())

    watch.look()

    assert node.sight.capabilities is not None
    assert node.sight.capabilities.models == {"checkpoints": ("wan/a.safetensors",)}
    assert node.sight.models_as_listed == {"checkpoints": ("wan\\a.safetensors",)}


def test_a_sick_node_recovers_only_when_a_probe_has_rendered() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    node.sick, comfy.executor_lives = "ComfyUI hangs", False

    for _ in range(4):
        watch.look()
        assert node.standing()[0] is NodeState.SICK
    assert len(comfy.submitted) == 1, "one probe waits, not one per look"

    comfy.executor_lives = True
    watch.look()
    assert node.standing()[0] is NodeState.IDLE


def test_a_restarted_comfyui_is_probed_anew() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    node.sick, comfy.executor_lives = "ComfyUI hangs", False
    watch.look()

    comfy.away = Unreachable("connection refused")
    watch.look()
    comfy.away, comfy.executor_lives = None, True
    comfy.submitted.clear()  # a restart loses the queue

    for _ in range(3):
        watch.look()
    assert node.standing()[0] is NodeState.IDLE


def test_a_probe_that_is_refused_leaves_the_node_sick() -> None:
    class Refusing(FakeComfy):
        def submit(self, _graph: object, prompt_id: str) -> None:
            raise GraphRejected((Problem(kind="missing_node_type", message=f"no {prompt_id}"),))

    node, watch, _ = watching(Refusing())
    node.sick = "ComfyUI hangs"

    watch.look()
    watch.look()

    assert node.standing() == (NodeState.SICK, "ComfyUI hangs")


def test_a_probe_says_nothing_of_a_hang_found_after_it_was_sent() -> None:
    class HangsMeanwhile(FakeComfy):
        def lookup(self, prompt_id: str) -> Standing:
            node.sick = "ComfyUI hangs again"
            return super().lookup(prompt_id)

    node, watch, _ = watching(HangsMeanwhile())
    node.sick = "ComfyUI hangs"

    watch.look()
    watch.look()

    assert node.standing() == (NodeState.SICK, "ComfyUI hangs again")


def test_a_probe_that_is_asked_for_is_rendered_once_and_its_end_is_told() -> None:
    comfy = FakeComfy()
    node, watch, told = watching(comfy)
    watch.look()
    node.probe_asked = "p1"

    for _ in range(4):
        watch.look()

    assert len(comfy.submitted) == 1
    assert node.report(()).probe == ProbeResult(id="p1", ok=True)
    assert told == [NodeState.IDLE, NodeState.IDLE], "its end is told at once"
    node.probe_asked = "p2"
    assert node.probe_is_due


def test_a_probe_that_fails_is_told_in_comfyuis_words_and_makes_the_node_sick() -> None:
    comfy = FakeComfy()
    comfy.broken = ExecutionFailed("CUDA error: an illegal memory access was encountered")
    node, watch, _ = watching(comfy)
    node.probe_asked = "p1"

    watch.look()
    watch.look()

    assert node.probe == ProbeResult(id="p1", ok=False, message=comfy.broken.message)
    assert node.standing() == (NodeState.SICK, f"a probe failed: {comfy.broken.message}")


def test_a_probe_that_nobody_renders_has_failed_unless_it_waits_behind_a_render() -> None:
    comfy, now = FakeComfy(), [0.0]
    comfy.executor_lives = False
    probe = AskedProbe(Probe(cast(ComfyClient, comfy)), clock=lambda: now[0])

    for busy in (False, True, True, False):
        assert not probe.get_on("p1", busy=busy)
        now[0] += PATIENCE_S
    now[0] += 1

    assert probe.get_on("p1", busy=False)
    assert probe.result == ProbeResult(
        id="p1", ok=False, message=f"ComfyUI rendered no probe within {PATIENCE_S:g} s"
    )
    assert comfy.withdrawn == comfy.submitted, "nobody waits for it any more"


def test_a_probe_that_waits_behind_somebody_elses_prompt_makes_nobody_sick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    comfy, now = FakeComfy(), [0.0]
    defaults: Any = AskedProbe.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "clock", lambda: now[0])
    comfy.executor_lives, comfy.running = False, ["an artist's"]
    node, watch, _ = watching(comfy)
    node.probe_asked = "p1"
    for _ in range(3):
        watch.look()
        now[0] += PATIENCE_S + 1
    assert (len(comfy.submitted), node.probe, node.sick) == (1, None, "")

    comfy.running = []
    watch.look()

    assert "rendered no probe" in node.sick


def test_the_watch_sees_whose_prompt_executes() -> None:
    comfy = FakeComfy()
    node, watch, told = watching(comfy)
    watch.look()
    comfy.running = ["an artist's"]
    watch.look()

    state, reason = node.standing()
    assert state is NodeState.IDLE
    assert "somebody else's prompt executes in ComfyUI" in reason
    assert told == [NodeState.IDLE, NodeState.IDLE], "it is told at once"
    node.others.ours("ours")
    comfy.running = ["ours"]
    watch.look()
    assert "somebody" not in node.standing()[1]


@pytest.mark.parametrize(
    "stats", [{"system": None, "devices": []}, {"system": {}, "devices": {}}, {"devices": [None]}, {}]
)
def test_system_stats_of_an_odd_shape_make_the_node_deaf_with_a_reason(stats: object) -> None:
    comfy = FakeComfy()
    comfy.stats = stats
    node, watch, told = watching(comfy)

    watch.look()

    state, reason = node.standing()
    assert (state, told) == (NodeState.DEAF, [NodeState.DEAF])
    assert "/system_stats makes no sense" in reason


@pytest.mark.parametrize("queue", [{"queue_running": None}, {"queue_pending": [7]}, {"queue_running": [[1]]}])
def test_a_queue_of_an_odd_shape_makes_the_node_deaf_with_a_reason(queue: dict[str, Any]) -> None:
    class Odd(FakeComfy):
        def queue(self) -> Queue:
            client = ComfyClient("http://127.0.0.1:8188", client_id="watch")
            client.wire = cast(Any, SimpleNamespace(get=lambda _path: answer(queue)))
            return client.queue()

    node, watch, _ = watching(Odd())

    watch.look()

    assert node.standing()[0] is NodeState.DEAF
    assert "/queue makes no sense" in node.standing()[1]


def answer(body: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code, response.raw = 200, io.BytesIO(json.dumps(body).encode())
    return response


def test_what_comfyui_says_of_itself_travels_short() -> None:
    comfy = FakeComfy()
    comfy.stats = {"system": {"comfyui_version": "9" * 500}, "devices": [{"type": "c" * 500}]}
    node, watch, _ = watching(comfy)

    watch.look()

    assert {len(node.sight.comfy.version), len(node.sight.comfy.device_type)} == {40}


def test_a_comfyui_that_forgot_its_last_prompt_was_restarted_and_holds_nothing() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    watch.look()
    assert node.sight.catalogue is not None
    graph = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "wan/a.safetensors"}}}
    comfy.submitted.append("p1")
    node.residents.begin("p1", graph, node.sight.catalogue)

    watch.look()
    assert node.report(()).resident == ("checkpoints/wan/a.safetensors",)

    comfy.submitted.clear()
    watch.look()
    assert node.report(()).resident == ()


def test_a_comfyui_that_is_away_for_a_moment_has_forgotten_nothing() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    watch.look()
    assert node.sight.catalogue is not None
    graph = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "wan\\a.safetensors"}}}
    comfy.submitted.append("p1")
    node.residents.begin("p1", graph, node.sight.catalogue)

    for comfy.away in (Unreachable("a cut cable"), None):
        watch.look()

    assert node.report(()).resident == ("checkpoints/wan/a.safetensors",)


def with_ram_left(mib: int) -> dict[str, Any]:
    return {"system": {"ram_total": 64_000 << 20, "ram_free": mib << 20}, "devices": [{"type": "cpu"}]}


def test_a_comfyui_whose_machine_runs_out_of_memory_is_freed_and_its_node_deaf_meanwhile() -> None:
    comfy = FakeComfy()
    comfy.stats = with_ram_left(1500)
    node, watch, told = watching(comfy, min_ram_mib=4000)

    watch.look()

    state, reason = node.standing()
    assert (state, comfy.freed) == (NodeState.DEAF, 1)
    assert "1500 MiB of memory left" in reason
    assert node.sight.comfy.ram_free_mib == 1500
    comfy.stats = with_ram_left(9000)
    watch.look()
    assert told == [NodeState.DEAF, NodeState.IDLE]


def test_a_worker_that_grew_too_large_is_deaf_and_goes_on_with_what_it_has_in_hand() -> None:
    ends: list[str] = []
    clock = iter(range(0, 10_000, 1000)).__next__
    own = OwnMemory(100, rss_mib=lambda: 150, end=lambda: ends.append("end"), clock=clock)
    node, watch, _ = watching(FakeComfy(), own_memory=own)
    node.hand.receive("a1")

    watch.look()
    assert (node.standing()[0], ends) == (NodeState.DEAF, [])

    node.hand.release("a1")
    watch.look()
    assert ends == ["end"]


def test_a_node_whose_comfyui_another_worker_has_is_deaf_and_says_whose_it_is(tmp_path: Path) -> None:
    other = Neighbours(tmp_path, "gpu0")
    node, watch, _ = watching(FakeComfy(), neighbours=Neighbours(tmp_path, "gpu1"))
    assert other.check(comfyui=Site(comfyui_url="http://localhost:8188").address) == ""

    watch.look()
    assert node.standing()[0] is NodeState.DEAF
    assert node.standing()[1].startswith("node gpu0 of this machine")

    other.close()
    watch.look()
    assert node.standing()[0] is NodeState.IDLE


def test_sizes_of_models_are_read_when_there_are_others_and_cost_no_node_its_place() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    for _ in range(2):
        watch.look_again(catalogue=True)
        watch.look()
    assert node.sight.catalogue is not None
    assert (comfy.sizes_read, node.sight.catalogue.sizes) == (1, {"checkpoints/wan/a.safetensors": 6})

    comfy.names, comfy.sizes_fail = ["b.safetensors"], True
    watch.look_again(catalogue=True)
    watch.look()

    assert (comfy.sizes_read, node.standing()[0]) == (2, NodeState.IDLE)
    assert node.sight.catalogue.sizes == {}


def test_a_store_that_hangs_is_named_while_the_watch_waits_for_it() -> None:
    asked, answered = Event(), Event()

    def hangs() -> str:
        asked.set()
        answered.wait(30)
        return ""

    node, watch, _ = watching(FakeComfy(), check_store=hangs)
    clock = cast(Any, node)
    looks = Thread(target=watch.look)
    looks.start()
    asked.wait(30)

    clock._clock = lambda: time.monotonic() + LOOK_S + 1
    assert node.standing() == (NodeState.STARTING, "the artifact store has not answered a look for 120 s")

    answered.set()
    looks.join(30)
    assert node.standing()[0] is NodeState.IDLE
