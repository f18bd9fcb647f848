"""A small farm, and Kim at its terminal."""

from __future__ import annotations

import pytest

from apps.desk.terminal import actor
from apps.nodes.models import Gpu, Node, Source
from apps.nodes.states import Observed
from apps.renders.models import Job
from tests.factories import (
    JobFactory,
    NodeFactory,
    SequenceFactory,
    ShotFactory,
)
from tests.integration.desk.terminal import waits_for


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kim sits at the terminal."""
    monkeypatch.setattr(actor, "os_user", lambda: "kim")


@pytest.fixture
def nodes(db: None) -> dict[str, Node]:
    """Two nodes: one idle with a 4090, one that has not been heard of."""
    idle = NodeFactory.create(name="gpu-1", note="new fan on Friday")
    Gpu.objects.create(
        node=idle, index=0, name="RTX 4090", source=Source.NVML, total_mib=24564, free_mib=20480
    )
    away = NodeFactory.create(
        name="gpu-2", observed=Observed.OFFLINE, reason="no report for 30 s", tier_gb=48
    )
    return {"gpu-1": idle, "gpu-2": away}


@pytest.fixture
def job(db: None) -> Job:
    """A job that waits because the only fitting node is busy."""
    shot = ShotFactory.create(
        sequence=SequenceFactory.create(project__code="FROST", code="SQ010"), code="SH0010"
    )
    made: Job = JobFactory.create(shot=shot, code="J000012", take_number=1)
    waits_for(made, "full", {"nodes": 3})
    return made
