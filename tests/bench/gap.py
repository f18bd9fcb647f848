"""How long a GPU stands still between two queued renders: through the farm, and fed directly."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from tests.bench import direct, rig
from tests.bench.figures import Figure, say, spread

COUNT = {0.5: 20, 5.0: 12}
"""Renders on each side, by their length in seconds."""
AIM = 1.1


def require(*sides: Sequence[float], count: int) -> None:
    """Raise RuntimeError unless every side has so many gaps: a render more or less is another measurement."""
    if any(len(gaps) != count for gaps in sides):
        raise RuntimeError(f"{[len(gaps) for gaps in sides]} gaps where {count} were expected")


def gaps() -> Iterator[Figure]:
    """Measure both lengths of render."""
    for render_s, count in COUNT.items():
        yield _gap(render_s, count)


def _gap(render_s: float, count: int) -> Figure:
    with rig.farm(nodes=1, render_s=render_s) as farm:
        url = farm.plan.nodes[0].comfyui_url
        # The model is loaded, every road warm. By another shot: ComfyUI would remember this one's picture.
        rig.press(farm, shots=1, takes=1, begin=count)
        rig.await_jobs(farm, 1, patience_s=60)
        graph = direct.any_graph(url)
        direct.forget_history(url)
        rig.press(farm, shots=count, takes=1)
        rig.await_jobs(farm, 1 + count, patience_s=60 + 3 * count * render_s)
        ours = direct.gaps_ms(url)
        direct.forget_history(url)
        with direct.DirectClient(url) as client:
            for prompt_id in [client.queue(variant) for variant in direct.variants(graph, count)]:
                client.await_end(prompt_id)
                client.files(prompt_id)
        bare = direct.gaps_ms(url)
    require(ours, bare, count=count - 1)
    say(f"gap, {render_s:g} s renders: farm {spread(ours)}; direct {spread(bare)}")
    return Figure(
        figure=f"GPU idle between two queued {render_s:g} s renders, through the farm / fed directly",
        value=statistics.mean(ours),
        unit="ms",
        against=statistics.mean(bare),
        goal=AIM,
    )
