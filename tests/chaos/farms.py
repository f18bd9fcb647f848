"""Farms to break: each in a folder of its own, copied from one that was prepared once."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import django

from farm.demo.home import Home
from farm.demo.processes import coordinator_environment
from tests import postgres
from tests.acceptance.farm_fixture import Farm, Prepared, prepare
from tests.chaos.plan import Group

HELD_NODE: Final = "tests.chaos.held_node"


def prepare_all(folder: Path) -> Prepared:
    """Prepare what all farms are copies of, on the database that SHOTFARM_TEST_DB names."""
    if os.environ.setdefault("SHOTFARM_TEST_DB", "sqlite") == "postgres":
        os.environ["SHOTFARM_TEST_DB"] = postgres.serve().url
    return prepare(folder)


def farm_for(group: Group, *, prepared: Prepared) -> Farm:
    """Copy the prepared farm beside it; its GPU workers can be held at edges."""
    folder = prepared.folder.with_name(group.name.replace(" ", "-"))
    shutil.copytree(prepared.folder, folder)
    database = prepared.database.copied_to(folder)
    knobs = ("--seconds-per-step", str(group.step_s), "--model-load-seconds", "0")
    farm = Farm(Home.open(folder, fresh=False), database, vram=group.vram, knobs=knobs)
    for node in farm.plan.nodes:
        child = farm.supervisor.children[node.name]
        command = tuple(HELD_NODE if word == "workers" else word for word in child.program.command)
        env = {**child.program.env, "CHAOS_HOLDS": str(folder / "holds")}
        child.program = replace(child.program, command=command, env=env)
    return farm


def enter(farm: Farm) -> None:
    """Make this process's Django speak to the farm, as its coordinator does. Once per process."""
    os.environ.update(coordinator_environment(farm.plan), SHOTFARM_LOG="line", SHOTFARM_LOG_LEVEL="ERROR")
    django.setup()
