"""A farm worth a picture: a finished demo production, a render under way, a failed one, verdicts given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from farm.demo.home import Home
from tests.acceptance.farm_database import SqliteFile
from tests.acceptance.farm_fixture import SETUP, Farm
from tests.screenshots.pages import REFUSED

VRAM_GB: Final = (8, 24)
CORE: Final = ("coordinator", "media", "ticker", "notices")
QUICK: Final = ("--seconds-per-step", "0", "--model-load-seconds", "0")
FAULT: Final = "fail:node=FluxGuidance,times=always"
SLOW: Final = ("--seconds-per-step", "4", "--model-load-seconds", "0", "--fault", FAULT)
"""A keyframe goes on for longer than the pictures take, and one template's graph raises in ComfyUI."""

PLAYED: Final = "played"
"""A folder that holds this file holds a finished demo."""

COLLECT: Final = """
import shutil
from django.conf import settings
from farm.demo import stage
shutil.rmtree(settings.STATIC_ROOT, ignore_errors=True)
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
ASK: Final = """
from apps.accounts.models import User
from apps.productions.models import Shot
from apps.renders.services.submit import Envelope, Step, submit
def ask(first, last, note, *steps, **wishes):
    shots = Shot.objects.filter(sequence__code="SQ020").select_related("project").order_by("code")
    shots = list(shots)[first:last]
    submit(
        user=User.objects.get(username="coordinator"),
        project=shots[0].project,
        shots=shots,
        steps=[Step(template=name, takes=takes) for name, takes in steps],
        idempotency_key=note + " {when}",
        envelope=Envelope(note=note, **wishes),
    )
"""
SUBSCRIBE: Final = """
from apps.accounts.models import User
from apps.notices.models import Subscription
from apps.notices.services.subscribing import ping, subscribe
root = User.objects.get(username="admin")
if not Subscription.objects.filter(road="webhook").exists():
    kinds = ["job.failed", "job.done", "batch.done", "batch.failed"]
    subscribe(user=root, kinds=kinds)
    hook, _secret = subscribe(
        user=root,
        shared=True,
        name="#renders",
        kinds=kinds,
        road="webhook",
        url="https://hooks.invalid/shotfarm",
    )
    ping(hook, user=root)
    ping(Subscription.objects.get(owner=root, road="inbox", standing=""), user=root)
"""
IMPORT: Final = """
import io, json
from apps.accounts.models import User
from apps.workflows.catalogues import RECORDED
from apps.workflows.services.importing import import_file
from workflows.load import load
graph = load("wan22_i2v").graph
root = User.objects.get(username="admin")
import_file(io.BytesIO(json.dumps(graph).encode()), name="walk.json", catalogue_name=RECORDED, user=root)
posed = load("controlnet_pose").graph
posed["9"]["class_type"] = "ControlNetApplyFancy"
posed["11"] = {"class_type": "KSampler", "inputs": {"seed": "many"}, "_meta": {"title": "Left over"}}
posed["12"]["inputs"]["steps"] = 0
file = io.BytesIO(json.dumps(posed).encode())
import_file(file, name="posed.json", catalogue_name=RECORDED, user=root)
broken = {"7": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0]}, "_meta": {"title": "Decode"}}}
file = io.BytesIO(json.dumps(broken).encode())
import_file(file, name="broken.json", catalogue_name=RECORDED, user=root)
"""
VERSIONS: Final = """
import copy, io, json
from apps.accounts.models import User
from apps.workflows.catalogues import RECORDED
from apps.workflows.models import WorkflowTemplate
from apps.workflows.services.confirming import confirm
from apps.workflows.services.importing import import_file
from apps.workflows.services.versions import deprecate
from workflows.load import load
root = User.objects.get(username="admin")
if not WorkflowTemplate.objects.filter(slug="portrait").exists():
    figure = {"precision": "fp16", "max_pixels": 1000000, "max_frames": 1, "gb": 8}
    figure |= {"evidence": "renders on our card", "source": "our studio", "source_kind": "secondary"}
    into = first = None
    for steps in (20, 28):
        graph = copy.deepcopy(load("sd15_t2i").graph)
        (sampler,) = [node for node in graph.values() if node["class_type"] == "KSampler"]
        sampler["inputs"]["steps"] = steps
        file = io.BytesIO(json.dumps(graph).encode())
        row = import_file(file, name=f"Portrait{steps}.json", catalogue_name=RECORDED, user=root).row
        figure["precision"] = row.manifest["bindings"]["precision"]["choices"][0]
        version = confirm(row, row.manifest | {"slug": "portrait", "vram": [figure]}, user=root, into=into)
        first, into = first or version, version.template
    deprecate(first, reason="too few steps for faces", user=root)
"""
RAISES: Final = ASK + 'ask(0, 1, "Gerda\'s close-up in full quality", ("flux_t2i", 1))'
MORE: Final = ASK + 'ask(1, 6, "second look at the flight", ("sd15_t2i", 2), ("wan22_i2v", 2))'
STEERED: Final = (
    ASK
    + """
from datetime import timedelta
from apps.common.clock import database_now
from apps.nodes.models import Node, Pool
from apps.renders.models import Limit
from apps.renders.services.holds import hold
from apps.renders.services.steering import change_jobs
from apps.renders.models import Job
from apps.workflows.models import WorkflowTemplate
root = User.objects.get(username="admin")
Pool.objects.get_or_create(name="nights", defaults={"note": "after seven"})
limit, _made = Limit.objects.get_or_create(name="flux-licence", defaults={"most": 2, "note": "two seats"})
limit.templates.set(WorkflowTemplate.objects.filter(slug="flux_t2i"))
hold("8", user=root, reason="new driver")
tomorrow = database_now() + timedelta(hours=20)
wishes = {"deadline": tomorrow, "pool": "nights", "tags": ("fast",)}
ask(6, 8, "for the trailer", ("sd15_t2i", 2), ("wan22_i2v", 1), **wishes)
some = Job.objects.filter(batch__note="for the trailer", kind="keyframe")
change_jobs(some, {"priority": 20}, user=root, reason="the client calls at nine")
first = some.order_by("take_number").first()
change_jobs(some.filter(take_number=first.take_number), {"paused": True}, user=root)
"""
)


@contextmanager
def farm_to_show(folder: Path, *, again: bool) -> Iterator[Farm]:
    """Play the demo in an empty folder, or ``again`` take what the last time left there; then start renders
    that go on while pictures are taken.
    """
    again = again and (folder / PLAYED).exists()
    home = Home.open(folder, fresh=not again)
    try:
        if not again:
            _play(home)
        farm = Farm(home, SqliteFile(folder), vram=VRAM_GB, knobs=SLOW)
        try:
            farm.coordinate(COLLECT)
            farm.coordinate(SUBSCRIBE)
            farm.coordinate(IMPORT)
            farm.coordinate(VERSIONS)
            farm.serve()
            farm.start(*CORE, *_nodes(farm))
            now = f"{time.time():.0f}"
            farm.coordinate(RAISES.replace("{when}", now))
            failed = "SELECT 1 FROM renders_job WHERE state = 'failed'"
            farm.wait_until(lambda: farm.rows(failed), "the job whose graph raises has failed")
            farm.coordinate(MORE.replace("{when}", now))
            begun = "SELECT 1 FROM renders_job WHERE state = 'running'"
            farm.wait_until(lambda: farm.rows(begun), "a render has begun before its tier is held")
            farm.coordinate(STEERED.replace("{when}", now))
            moving = "SELECT 1 FROM renders_job WHERE state = 'running' AND progress > 0.2"
            farm.wait_until(lambda: farm.rows(moving), "a render is under way")
            farm.wait_until(lambda: farm.rows(REFUSED), "nodes say why a job waits")
            tried = "SELECT 1 FROM notices_deliverytry"
            farm.wait_until(lambda: farm.rows(tried), "a webhook was tried")
            yield farm
        finally:
            farm.supervisor.stop()
            farm.lay_down()
    finally:
        home.lock.close()


def _play(home: Home) -> None:
    farm = Farm(home, SqliteFile(home.folder), vram=VRAM_GB, knobs=QUICK)
    try:
        farm.coordinate(SETUP)
        farm.serve()
        farm.start(*CORE, *_nodes(farm))
        farm.coordinate(DEMO)
        farm.wait_until(lambda: set(farm.states()) == {"succeeded"}, "the demo is rendered", patience_s=150)
        unseen = "SELECT 1 FROM review_take WHERE media_state <> 'ready'"
        farm.wait_until(lambda: not farm.rows(unseen), "every take can be looked at")
        farm.coordinate(DECIDE)
    finally:
        farm.supervisor.stop()
        farm.lay_down()
    (home.folder / PLAYED).touch()


def _nodes(farm: Farm) -> list[str]:
    return [name for node in farm.plan.nodes for name in (f"comfyui-{node.name}", node.name)]
