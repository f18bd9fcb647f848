"""A thousand renders of no length on two nodes: lifecycles per second, and what each process holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from farm.demo.supervisor import Child
from tests.acceptance.farm_fixture import Farm
from tests.bench import direct, rig
from tests.bench.figures import Figure, say
from tests.bench.memory import held_mb

SHOTS, TAKES = 24, 42
JOBS = SHOTS * TAKES
WARM = 200
"""Jobs after which every process has loaded what it needs; memory is compared with this moment."""
FLAT = 1.1
DIRECT = 200


def thousand() -> Iterator[Figure]:
    """Measure both in one run."""
    with rig.farm(nodes=2, render_s=0) as farm:
        rig.press(farm, shots=1, takes=2)
        rig.await_jobs(farm, 2, patience_s=60)
        begun = time.monotonic()
        rig.press(farm, shots=SHOTS, takes=TAKES)
        rig.await_jobs(farm, WARM, patience_s=600)
        early = _held(farm)
        rig.await_jobs(farm, JOBS + 2, patience_s=1800)
        seconds = time.monotonic() - begun
        late = _held(farm)
        require_lives(farm.supervisor.children)
        straight = _direct_per_s(farm)
    say(f"{JOBS} jobs in {seconds:.0f} s, the press included")
    yield Figure(
        figure="render lifecycles with two workers, through the farm / prompts fed directly and read",
        value=JOBS / seconds,
        unit="1/s",
        against=straight,
    )
    for name, megabytes in late.items():
        yield Figure(
            figure=f"memory of {name} after {JOBS} jobs / after {WARM}",
            value=megabytes,
            unit="MB",
            against=early[name],
            goal=FLAT,
        )


def require_lives(children: Mapping[str, Child]) -> None:
    """Raise RuntimeError if a process has died: the one in its place has grown for a part of the run only."""
    if died := [name for name, child in children.items() if child.deaths]:
        raise RuntimeError(f"{', '.join(died)} died while its memory was measured")


def _held(farm: Farm) -> dict[str, float]:
    """Megabytes of every living process, by its name."""
    farm.supervisor.tend()
    return {
        name: held_mb(child.process.pid)
        for name, child in farm.supervisor.children.items()
        if child.process is not None
    }


def _direct_per_s(farm: Farm) -> float:
    """Prompts per second when both stand-ins are fed directly, every file read."""
    urls = [node.comfyui_url for node in farm.plan.nodes]
    graphs = {url: direct.variants(direct.any_graph(url), DIRECT // len(urls)) for url in urls}
    begun = time.monotonic()
    with ThreadPoolExecutor(len(urls)) as threads:
        list(threads.map(_feed, urls, graphs.values()))
    return DIRECT / (time.monotonic() - begun)


def _feed(url: str, graphs: list[direct.Graph]) -> None:
    with direct.DirectClient(url) as client:
        for prompt_id in [client.queue(graph) for graph in graphs]:
            client.await_end(prompt_id)
            client.files(prompt_id)
