"""Several farms side by side, each driven by a process of its own, as Django speaks to one farm only."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from farm.demo.supervisor import die_with
from tests.acceptance.farm_fixture import Prepared
from tests.chaos.farms import enter, farm_for
from tests.chaos.plan import Group
from tests.farmsim.scenarios import play_named


def play_in_lanes(groups: list[Group], prepared: Prepared, *, lanes: int) -> Iterator[int]:
    """Play groups side by side, each in a process of its own; yield how many of its scenarios were ok."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        lanes, spawn, initializer=_end_with, initargs=(os.getpid(),), max_tasks_per_child=1
    ) as pool:
        runs = {pool.submit(play, group, prepared): group for group in groups}
        for run in as_completed(runs):
            error = run.exception()
            if error is not None:
                story = "".join(traceback.format_exception(error))
                sys.stderr.write(f"{runs[run].name} broke:\n{story}")
            yield 0 if error else run.result()


def play(group: Group, prepared: Prepared) -> int:
    """Play a group's scenarios on its farm; return how many were ok."""
    if group.simulated:
        return play_named([scenario.name for scenario in group.scenarios])
    farm = farm_for(group, prepared=prepared)
    try:
        enter(farm)
        # It needs Django's apps, which need this farm's settings.
        theatre = importlib.import_module("tests.chaos.play")
        good: int = theatre.play_all(farm, group.scenarios)
        return good
    finally:
        farm.close()


def _end_with(parent: int) -> None:
    """Let nothing outlive a run that is killed: a farm's processes end with this one."""
    ask = die_with(parent)
    if ask is not None:
        ask()
