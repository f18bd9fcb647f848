"""The three nodes the recordings were made with; in the catalogue only with --test-nodes."""

from __future__ import annotations

import time
from typing import Any

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.vram import out_of_memory


@node("RecSleep")
def sleep_in_steps(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    steps = inputs["steps"]
    for step in range(1, steps + 1):
        time.sleep(inputs["seconds"] / steps)
        run.progress(step, steps)
    return (inputs["image"],)


@node("RecSleepDeaf")
def sleep_without_listening(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    time.sleep(inputs["seconds"])
    return (inputs["image"],)


@node("RecRaise")
def fail(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    if inputs["kind"] == "oom":
        raise out_of_memory(20)
    if inputs["kind"] == "exit":
        raise SystemExit("deliberate exit in RecRaise")
    raise ValueError("deliberate failure in RecRaise")
