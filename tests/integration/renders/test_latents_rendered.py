"""Two shots of a chain rendered in the stand-in ComfyUI: the second starts from the first's latents."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.services.continuity import make_tail, selection_changed
from apps.renders.services.orders import order_for
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services.media import process_media
from apps.review.services.takes import NewTake, create_takes
from apps.review.states import Media
from farm.contracts import STORE_MARKER, RenderOrder
from farm.latents import read_latents
from tests.comfysim_fixture import ComfySim, StartSim
from tests.factories import ArtifactFactory, ShotFactory, TakeFactory
from tests.integration.comfysim.replay import history_of
from tests.integration.renders.scene import again
from tests.integration.renders.test_chains import attempt_at
from workers.comfy.client import ComfyClient
from workers.comfy.outputs import output_files
from workers.inputs import stage
from workers.outputs import collect
from workers.store import ArtifactStore
from workflows.load import load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]

SVI = Step(template="wan_svi", width=256, height=256, frames=29)
Rendered = Callable[[Job], Take]


@pytest.fixture
def sim(comfysim: StartSim, tmp_path: Path) -> ComfySim:
    """The stand-in with the custom nodes that wan_svi needs."""
    folder = tmp_path / "comfyui" / "custom_nodes"
    folder.mkdir(parents=True)
    for custom in load("wan_svi").manifest.packs:
        (folder / f"{custom.name}.json").write_text(json.dumps(custom.classes), encoding="utf-8")
    started: ComfySim = comfysim(140, base_dir=tmp_path / "comfyui")
    return started


@pytest.fixture
def rendered(sim: ComfySim, artifact_root: Path) -> Rendered:
    """Render a job as a node does, and take its files over as the coordinator does."""
    (artifact_root / STORE_MARKER).touch()
    store = ArtifactStore(str(artifact_root))
    client = ComfyClient(sim.url, client_id=uuid4().hex)

    def render(job: Job) -> Take:
        attempt = attempt_at(job)
        order: RenderOrder = order_for(attempt)
        graph = stage(order.graph, order.inputs, store=store, upload=client.upload)
        prompt_id = str(uuid4())
        client.submit(graph, prompt_id)
        entry: dict[str, Any] = history_of(sim, prompt_id)[prompt_id]
        assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
        facts = collect(output_files(entry["outputs"]), order, client=client, store=store)
        [take] = create_takes(
            [
                NewTake(
                    project_code=job.project.code,
                    shot=job.shot,
                    job_id=job.pk,
                    attempt_id=attempt.pk,
                    kind=job.kind,
                    stage=job.stage,
                    number=job.take_number,
                    template=str(job.template_version),
                    prompt_build_id=job.prompt_build_id,
                    seed=job.seed,
                    node="here",
                    simulated=True,
                    render_seconds=1.0,
                    artifacts=facts,
                    length=job.length,
                )
            ]
        )
        return take

    return render


@pytest.fixture
def shots(film: Project) -> tuple[Shot, Shot]:
    """SH0010, and SH0020 that continues it by latents; both have the chain's first frame."""
    sequence = film.sequences.get()
    first = ShotFactory.create(sequence=sequence, code="SH0010", frames=30, handles=2)
    second = ShotFactory.create(
        sequence=sequence, code="SH0020", frames=30, continuity_from=first, continuity_keep="latents"
    )
    return first, second


def with_keyframe(shot: Shot) -> None:
    """Give a shot the picture that its chain begins with."""
    file = io.BytesIO()
    Image.new("RGB", (64, 36), "teal").save(file, "PNG")
    content = file.getvalue()
    take = TakeFactory.create(shot=shot, media_state=Media.READY)
    digest = hashlib.sha256(content).hexdigest()
    key = f"attempts/{take.pk}/first.png"
    ArtifactFactory.create(take=take, key=key, sha256=digest, bytes=len(content))
    default_storage.save(key, ContentFile(content))


def press(shot: Shot, user: User) -> Job:
    with_keyframe(shot)
    project = shot.sequence.project
    batch = submit(user=user, project=project, shots=[shot], steps=[SVI], idempotency_key=shot.code).batch
    job: Job = batch.jobs.get()
    return job


def latents_of(take: Take) -> Artifact:
    return take.artifacts.get(role=ArtifactRole.LATENT)


def slot(artifact: Artifact, number: int) -> bytes:
    """The numbers of one latent frame of a stored file."""
    path = Path(default_storage.path(artifact.key))
    told, content = read_latents(path), path.read_bytes()
    begins = [
        told.begin + (channel * told.time + number) * told.slice_bytes for channel in range(told.channels)
    ]
    return b"".join(content[begin : begin + told.slice_bytes] for begin in begins)


def test_the_second_shot_starts_from_the_latent_frame_that_holds_the_firsts_last_frame(
    shots: tuple[Shot, Shot],
    coordinator: User,
    rendered: Rendered,
    sim: ComfySim,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_at_once(_name: str, args: list[Any], **_options: Any) -> None:
        make_tail(UUID(args[0]), *args[1:])

    monkeypatch.setattr("apps.renders.services.continuity.app.send_task", cut_at_once)
    first, second = shots
    before, behind = press(first, coordinator), press(second, coordinator)
    assert behind.state == JobState.BLOCKED
    take = rendered(before)
    process_media(take.pk)
    take.refresh_from_db()
    assert (take.media_state, take.artifacts.get(role=ArtifactRole.PROXY).kind) == (Media.READY, "video")
    kept = latents_of(take)
    assert (kept.kind, kept.width, kept.height, kept.frames) == ("latent", 256, 256, 29)
    Take.objects.filter(pk=take.pk).update(selected=True, selected_at=timezone.now())
    selection_changed(first.pk)
    behind = again(behind)
    assert behind.state == JobState.READY
    tail = Artifact.objects.get(pk=behind.values["latent"])
    # 30 frames at 24 fps behind two of head: the last one shows frame 21 of the clip, in latent frame 6
    assert (tail.frames, behind.length["skip"]) == (1, 2)
    other = rendered(behind)
    [given] = (sim.base_dir / "input").glob("*.latent")
    with default_storage.open(tail.key) as file:
        assert given.read_bytes() == file.read()
    assert slot(tail, 0) == slot(kept, 6)
    assert slot(latents_of(other), 1) == slot(kept, 6)
    assert slot(latents_of(other), 0) != slot(kept, 5)
