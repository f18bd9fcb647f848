"""The shot's material at Render: what is taken by itself, what a person must choose, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Conflict, Refused
from apps.materials.models import Material
from apps.materials.services import add_material
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.services.again import render_again
from apps.renders.services.dry_runs import try_out
from apps.renders.services.material import remove_material
from apps.renders.services.orders import order_for
from apps.renders.services.planned import Plan
from apps.renders.services.planning import plan
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.workflows.selectors import current_version
from tests.comfysim_fixture import StartSim
from tests.factories import (
    ArtifactFactory,
    CharacterFactory,
    NodeFactory,
    ShotCharacterFactory,
    ShotFactory,
    TakeFactory,
)
from tests.integration.comfysim.replay import history_of
from tests.integration.comfysim.replay import submit as send
from tests.integration.materials.made import mask, picture, upload
from tests.integration.renders.test_files import picture_of
from workers.comfy.client import ComfyClient
from workers.inputs import stage
from workers.store import ArtifactStore

pytestmark = pytest.mark.django_db

SIZE = (256, 256)


@pytest.fixture
def shot(film: Project, templates: None, artifact_root: Path) -> Shot:
    return ShotFactory.create(sequence=film.sequences.get())


def bring(owner: Any, user: User, name: str, content: bytes | None = None, **more: Any) -> Material:
    made = content or (mask(SIZE) if "mask" in name else picture(SIZE))
    return add_material(owner, upload(made, name), user=user, **more).material


def driving(shot: Shot, name: str = "walk.mp4", **facts: Any) -> Material:
    """A driving video that the media worker has looked at."""
    known = {"width": 832, "height": 480, "frames": 81, "fps": 16.0, "state": "ready"} | facts
    return Material.objects.create(
        project=shot.project,
        shot=shot,
        kind="video",
        name=name,
        key=f"materials/{name}",
        media_type="video/mp4",
        medium="video",
        sha256=name.rjust(64, "0"),
        bytes=10,
        **known,
    )


def planned(shot: Shot, template: str = "inpaint", **more: Any) -> Plan:
    return plan(project=shot.project, shots=[shot], steps=[Step(template=template, **more)])


def press(user: User, shot: Shot, template: str = "inpaint", **more: Any) -> Job:
    steps = [Step(template=template, **more)]
    batch = submit(user=user, project=shot.project, shots=[shot], steps=steps, idempotency_key="k").batch
    return batch.jobs.get()


def order_of(job: Job) -> Any:
    attempt = Attempt.objects.create(
        job=job,
        number=1,
        token=1,
        node=NodeFactory.create(),
        tier_gb=0,
        state="dispatched",
        accept_by=database_now(),
    )
    return order_for(attempt)


def problems(made: Plan) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.message)) for problem in made.problems]


def test_an_uploaded_plate_and_mask_reach_comfyui_byte_for_byte_and_only_the_mask_is_painted(
    shot: Shot, coordinator: User, artifact_root: Path, comfysim: StartSim
) -> None:
    plate, cut = bring(shot, coordinator, "plate.png"), bring(shot, coordinator, "sky_mask.png")
    order = order_of(press(coordinator, shot, width=SIZE[0], height=SIZE[1]))

    sim = comfysim(48)
    client = ComfyClient(sim.url, client_id="test")
    staged = stage(
        order.graph, order.inputs, store=ArtifactStore(str(artifact_root)).of(order), upload=client.upload
    )
    prompt_id = send(sim, staged)
    entry = history_of(sim, prompt_id)[prompt_id]

    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    for material in (plate, cut):
        came = sim.base_dir / "input" / f"{material.sha256[:40]}.png"
        assert came.read_bytes() == (artifact_root / material.key).read_bytes()
    assert staged["9"]["inputs"]["image"] == f"{cut.sha256[:40]}.png"
    [shown] = entry["outputs"]["20"]["images"]
    with Image.open(sim.base_dir / shown["type"] / shown["subfolder"] / shown["filename"]) as painted:
        right = painted.convert("RGB").crop((160, 0, 256, 256)).getcolors()
        left = painted.convert("RGB").crop((0, 0, 100, 256)).getcolors() or ()
    assert right == [(96 * 256, (0, 128, 128))], "under black the plate stays"
    assert len(left) != 1, "under white it was painted"


def test_the_plan_says_which_file_fills_which_input(shot: Shot, coordinator: User) -> None:
    bring(shot, coordinator, "plate.png")
    bring(shot.sequence, coordinator, "vignette_mask.png")
    [job] = planned(shot).jobs
    told = {file.role: (file.title, file.width, file.material) for file in job.files_told}
    assert told == {"first_frame": ("plate.png", 256, True), "mask": ("vignette_mask.png", 256, True)}


def test_a_take_of_the_shot_goes_before_its_plate_and_the_plan_names_it(
    shot: Shot, coordinator: User
) -> None:
    bring(shot, coordinator, "plate.png")
    bring(shot, coordinator, "sky_mask.png")
    take = TakeFactory.create(shot=shot, kind="keyframe", number=3, media_state="ready")
    keyframe = ArtifactFactory.create(take=take, kind="image", width=1664, height=928)
    [job] = (made := planned(shot)).jobs
    [first] = [file for file in job.files_told if file.role == "first_frame"]
    assert (first.id, first.title, first.material) == (keyframe.pk, "keyframe 3", False)
    assert [warning.code for warning in made.warnings] == ["mask_shape"]


def test_what_is_missing_is_named_with_the_place_where_it_belongs(shot: Shot, coordinator: User) -> None:
    bring(shot, coordinator, "plate.png")
    [(code, told)] = problems(planned(shot))
    assert code == "no_mask"
    assert "“mask” on the shot's page under Material" in told
    Material.objects.all().delete()
    assert {code for code, _ in problems(planned(shot))} == {"no_mask", "no_keyframe"}


def test_of_two_masks_none_is_chosen_and_both_are_named(shot: Shot, coordinator: User) -> None:
    bring(shot, coordinator, "plate.png")
    sky = bring(shot, coordinator, "sky_mask.png")
    bring(shot, coordinator, "door_mask.png", mask((128, 128)))
    [(code, told)] = problems(planned(shot))
    assert code == "no_mask"
    assert "door_mask.png, sky_mask.png" in told
    [job] = planned(shot, files={"mask": sky.pk}).jobs
    assert job.values["mask"] == str(sky.pk)


def test_each_shot_of_a_request_has_its_own_mask(shot: Shot, coordinator: User) -> None:
    other = ShotFactory.create(sequence=shot.sequence)
    bring(shot.project, coordinator, "plate.png")
    cuts = [bring(one, coordinator, "a_mask.png") for one in (shot, other)]
    made = plan(project=shot.project, shots=[shot, other], steps=[Step(template="inpaint")])
    assert [job.values["mask"] for job in made.jobs] == [str(cut.pk) for cut in cuts]


@pytest.mark.parametrize(
    ("size", "codes"), [(SIZE, []), ((512, 512), ["mask_size"]), ((512, 256), ["mask_shape"])]
)
def test_a_mask_that_does_not_fit_its_picture_is_warned_of(
    size: tuple[int, int], codes: list[str], shot: Shot, coordinator: User
) -> None:
    bring(shot, coordinator, "plate.png")
    bring(shot, coordinator, "a_mask.png", mask(size))
    [job] = planned(shot).jobs
    assert [warned.code for warned in job.warnings] == codes


def test_a_driving_video_goes_before_the_clip_that_was_made_of_it(shot: Shot, coordinator: User) -> None:
    ArtifactFactory.create(take=TakeFactory.create(shot=shot, kind="clip", media_state="ready"), kind="video")
    character = CharacterFactory.create(project=shot.project)
    ShotCharacterFactory.create(shot=shot, character=character)
    picture_of(character)
    walk = driving(shot, frames=20, fps=24.0)
    [job] = (made := planned(shot, "wan_animate")).jobs
    assert (job.values["video"], job.fps) == (str(walk.pk), 24), "it is followed at its own rate"
    assert [warning.code for warning in made.warnings] == ["video_short"]
    [upscaled] = planned(shot, "esrgan_upscale").jobs
    assert "video" not in upscaled.files, "what follows its source is made of the shot's clip"


def test_a_video_that_is_continued_at_another_rate_is_warned_of(shot: Shot, coordinator: User) -> None:
    bring(shot, coordinator, "plate.png")
    walk = driving(shot, frames=20, fps=24.0)
    made = planned(shot, "wan_svi", files={"video": walk.pk})
    assert "video_rate" in [warning.code for warning in made.warnings]


def test_what_is_still_looked_at_or_broken_is_given_to_no_job(shot: Shot, coordinator: User) -> None:
    character = CharacterFactory.create(project=shot.project)
    ShotCharacterFactory.create(shot=shot, character=character)
    picture_of(character)
    walk = driving(shot, state="processing")
    assert problems(planned(shot, "wan_animate"))[0][0] == "unfit_file"
    Material.objects.update(state="broken", problem="moov atom not found")
    assert problems(planned(shot, "wan_animate"))[0][0] == "no_clip"
    [(code, told)] = problems(planned(shot, "wan_animate", files={"video": walk.pk}))
    assert code == "unfit_file"
    assert "moov atom not found" in told


def test_material_of_another_film_is_nobodys_here(shot: Shot, coordinator: User) -> None:
    bring(shot, coordinator, "plate.png")
    theirs = driving(ShotFactory.create(), state="ready")
    [(_, told)] = problems(planned(shot, files={"mask": theirs.pk}))
    assert "no material of this project" in told


def test_while_a_job_needs_it_a_file_stays_and_afterwards_its_take_renders_again_exactly(
    shot: Shot, coordinator: User
) -> None:
    bring(shot, coordinator, "plate.png")
    cut = bring(shot, coordinator, "sky_mask.png")
    job = press(coordinator, shot)
    with pytest.raises(Refused, match=job.code):
        remove_material(cut, user=coordinator)
    Job.objects.update(state=JobState.SUCCEEDED)
    take = TakeFactory.create(shot=shot, kind="keyframe", job_id=job.pk)

    assert remove_material(cut, user=coordinator) is False, "its file is kept"
    with pytest.raises(Conflict):
        remove_material(cut, user=coordinator)
    assert problems(planned(shot))[0][0] == "no_mask", "nobody is offered it any more"
    again = render_again(take, user=coordinator, idempotency_key="again").batch.jobs.get()
    assert {one.input: one.sha256 for one in order_of(again).inputs} == {
        one.input: one.sha256 for one in order_of(job).inputs
    }
    assert [one.material_id for one in again.materials.filter(role="mask")] == [cut.pk]

    default_storage.delete(cut.key)
    with pytest.raises(Refused, match=f"sky_mask.png .*{cut.sha256[:12]}"):
        render_again(take, user=coordinator, idempotency_key="once more")


def test_what_no_job_was_ordered_with_goes_with_its_files(
    shot: Shot, coordinator: User, artifact_root: Path, django_capture_on_commit_callbacks: Any
) -> None:
    cut = bring(shot, coordinator, "sky_mask.png")
    with django_capture_on_commit_callbacks(execute=True):
        assert remove_material(cut, user=coordinator) is True
    assert not Material.objects.exists()
    assert [path for path in artifact_root.rglob("*") if path.is_file()] == []


def test_what_is_taken_away_between_plan_and_press_makes_no_job(
    shot: Shot, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(shot, coordinator, "plate.png")
    cut = bring(shot, coordinator, "sky_mask.png")

    def planned_then_taken(**asked: Any) -> Plan:
        made = plan(**asked)
        remove_material(cut, user=coordinator)
        return made

    monkeypatch.setattr("apps.renders.services.submit.plan", planned_then_taken)
    with pytest.raises(Refused, match="taken away just now"):
        press(coordinator, shot)
    assert not Job.objects.exists()


def test_a_dry_run_tells_the_length_that_the_job_will_have(shot: Shot, coordinator: User) -> None:
    character = CharacterFactory.create(project=shot.project)
    ShotCharacterFactory.create(shot=shot, character=character)
    picture_of(character)
    driving(shot, frames=96, fps=12.0)
    [job] = planned(shot, "wan_animate").jobs
    tried = try_out(current_version("wan_animate"), shot=shot)
    told = {one.role: one.value for one in tried.run.written}
    assert told["frames"] == job.values["frames"]
