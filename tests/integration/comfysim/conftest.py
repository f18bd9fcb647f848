"""A stage for recorded stories: a server such as the recordings were made with, whose time stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.steps import Steps
from tests.integration.comfysim.stories import Stage, put_pictures
from workers.comfysim.nodes import diffusion, recorder


@pytest.fixture
def sim(comfysim: StartSim) -> ComfySim:
    """A server as it comes."""
    started: ComfySim = comfysim()
    return started


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    """For the servers inside this process; at the end everything goes on."""
    steps = Steps()
    for nodes in (recorder, diffusion):
        monkeypatch.setattr(nodes, "time", steps)
    yield steps
    steps.go()


@pytest.fixture
def stage(version: str, steps: Steps, comfysim: StartSim) -> Stage:
    """No GPU, one model, nodes that take no time."""
    models = {"checkpoints": ["random_sd15.safetensors"]}
    started = Stage(comfysim(vram=0, comfyui_version=version, models=models), version)
    put_pictures(started.sim.base_dir)
    return started
