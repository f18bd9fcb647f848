"""A farm worth a picture: a finished demo production, a render under way, a failed one, verdicts given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from farm.demo.home import Home
from tests.acceptance.farm_database import SqliteFile
from tests.acceptance.farm_fixture import SETUP, Farm

VRAM_GB: Final = (8, 24)
CORE: Final = ("broker", "web", "coordinator", "media", "ticker")
QUICK: Final = ("--seconds-per-step", "0", "--model-load-seconds", "0")
SLOW: Final = ("--seconds-per-step", "4", "--model-load-seconds", "0", "--oom-above", "12")
"""A keyframe goes on for longer than the pictures take, and the large model does not fit."""

COLLECT: Final = """
from farm.demo import stage
stage.collect_static()
"""
DEMO: Final = """
from apps.projects.models import Project
from farm.demo import wishes
answer([batch.code for batch in wishes.ask(Project.objects.get(), slates=False)])
"""
DECIDE: Final = """
from apps.accounts.models import User
from apps.review.models import Take
from apps.review.services import review_take
user = User.objects.get(username="coordinator")
verdicts = ["approved", "approved", "retake", "approved", "rejected"]
for take, verdict in zip(Take.objects.filter(kind="keyframe").order_by("created_at"), verdicts):
    review_take(take, to=verdict, user=user, note="The sleigh is cut off" if verdict != "approved" else "")
"""
MORE: Final = """
from apps.accounts.models import User
from apps.productions.models import Shot
from apps.renders.services.submit import Step, submit
user = User.objects.get(username="coordinator")
shots = list(Shot.objects.filter(sequence__code="SQ020").select_related("project").order_by("code"))
def ask(of, note, *steps):
    submit(user=user, project=of[0].project, shots=of, steps=list(steps), idempotency_key=note, note=note)
ask(shots[:1], "Gerda's close-up in full quality", Step("flux_t2i"))
ask(shots[1:6], "second look at the flight", Step("sd15_t2i", takes=2), Step("wan22_i2v"))
"""


@contextmanager
def farm_to_show(folder: Path) -> Iterator[Farm]:
    """Play the demo in an empty folder, then start renders that go on while pictures are taken."""
    home = Home.open(folder, fresh=True)
    try:
        done = Farm(home, SqliteFile(folder), vram=VRAM_GB, knobs=QUICK)
        done.coordinate(SETUP)
        done.coordinate(COLLECT)
        done.start(*CORE, *_nodes(done))
        done.coordinate(DEMO)
        done.wait_until(lambda: set(done.states()) == {"succeeded"}, "the demo is rendered", patience_s=150)
        ready = "SELECT 1 FROM review_take WHERE media_state <> 'ready'"
        done.wait_until(lambda: not done.rows(ready), "every take can be looked at")
        done.coordinate(DECIDE)
        done.rest()
        going_on = Farm(home, SqliteFile(folder), vram=VRAM_GB, knobs=SLOW)
        try:
            going_on.start(*CORE, *_nodes(going_on))
            going_on.coordinate(MORE)
            going_on.wait_until(lambda: "failed" in going_on.states(), "the large model has failed")
            moving = "SELECT 1 FROM renders_job WHERE state = 'running' AND progress > 0.2"
            going_on.wait_until(lambda: going_on.rows(moving), "a render is under way")
            yield going_on
        finally:
            going_on.supervisor.stop()
    finally:
        home.lock.close()


def _nodes(farm: Farm) -> list[str]:
    return [name for node in farm.plan.nodes for name in (f"comfyui-{node.name}", node.name)]
