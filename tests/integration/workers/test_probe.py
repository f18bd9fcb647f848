"""The probe on the stand-in ComfyUI."""

from __future__ import annotations

import uuid

from tests.comfysim_fixture import StartSim
from tests.integration.workers.coordinator import slow_picture
from tests.integration.workers.waiting import until
from workers.comfy.client import ComfyClient
from workers.probe import Probe


def test_a_probe_renders_without_a_gpu_and_leaves_no_file(comfysim: StartSim) -> None:
    sim = comfysim(vram=0)
    probe = Probe(ComfyClient(sim.url, client_id="watch"))

    assert not probe.succeeded(), "it was only sent"
    assert until(probe.succeeded)
    assert list(sim.base_dir.glob("output/**/*.png")) == []


def test_a_probe_waits_behind_what_hangs_and_succeeds_when_that_is_gone(comfysim: StartSim) -> None:
    client = ComfyClient(comfysim(vram=0).url, client_id="watch")
    hanging = str(uuid.uuid4())
    client.submit(slow_picture("hangs", 60), hanging)
    until(lambda: client.queue().running)
    probe = Probe(client)

    assert not any(probe.succeeded() for _ in range(5))
    assert len(client.queue().pending) == 1

    client.cancel(hanging)
    assert until(probe.succeeded)
