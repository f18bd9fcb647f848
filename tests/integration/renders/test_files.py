"""What a job brings beside the file it starts from: references of the cast, last frames, masks."""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.accounts.models import User
from apps.characters.models import Character, CharacterReference
from apps.common.clock import database_now
from apps.common.errors import Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.services.orders import order_for
from apps.renders.services.submit import Step, submit
from apps.review.models import Artifact
from apps.workflows.services import sync_templates
from tests.factories import (
    ArtifactFactory,
    CharacterFactory,
    NodeFactory,
    ShotCharacterFactory,
    ShotFactory,
    TakeFactory,
)
from workflows.load import template_from

pytestmark = pytest.mark.django_db


def _load(name: str) -> dict[str, Any]:
    return {"class_type": "LoadImage", "inputs": {"image": name}}


GRAPH: dict[str, Any] = {
    "1": _load("first.png"),
    "2": _load("last.png"),
    "3": _load("reference.png"),
    "4": _load("reference2.png"),
    "5": {
        "class_type": "ImageStitch",
        "inputs": {"image1": ["3", 0], "image2": ["4", 0], "direction": "right", "match_image_size": True},
    },
    "6": {"class_type": "ImageBatch", "inputs": {"image1": ["1", 0], "image2": ["2", 0]}},
    "7": {"class_type": "ImageBatch", "inputs": {"image1": ["6", 0], "image2": ["5", 0]}},
    "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "x"}},
    "9": {"class_type": "PrimitiveString", "inputs": {"value": "words"}},
}


def _file(node: str) -> dict[str, Any]:
    return {"type": "file", "targets": [{"node": node, "input": "image"}]}


MANIFEST: dict[str, Any] = {
    "manifest": 1,
    "slug": "two_frames",
    "version": 1,
    "title": {"en": "Two frames", "ko": "두 프레임"},
    "description": {"en": "From one frame to another.", "ko": "한 프레임에서 다른 프레임으로."},
    "kind": "keyframe",
    "produces": "image",
    "bindings": {
        "positive": {"type": "text", "targets": [{"node": "9", "input": "value"}]},
        "first_frame": _file("1"),
        "last_frame": _file("2"),
        "reference": _file("3"),
        "reference_2": _file("4")
        | {"optional": {"remove": ["4", "5"], "relink": [{"node": "7", "input": "image2", "to": ["3", 0]}]}},
        "filename_prefix": {"type": "text", "targets": [{"node": "8", "input": "filename_prefix"}]},
    },
    "defaults": {},
    "outputs": [{"node": "8", "kind": "image", "role": "primary"}],
    "vram": [],
    "models": [],
    "timeouts": {"execution_s": 60, "hang_s": 30},
}
TWO = "two_frames"


@pytest.fixture
def shot(film: Project, templates: None) -> Shot:
    """A shot with a keyframe; a template of two frames and two references is on offer."""
    sync_templates([template_from(GRAPH, MANIFEST)])
    shot = ShotFactory.create(sequence=film.sequences.get())
    _take_of(shot)
    return shot


def _take_of(shot: Shot, kind: str = "image") -> Artifact:
    take = TakeFactory.create(shot=shot, kind="keyframe" if kind == "image" else "clip", media_state="ready")
    return ArtifactFactory.create(take=take, kind=kind)


def picture_of(character: Character, order: int = 0) -> CharacterReference:
    return CharacterReference.objects.create(
        character=character,
        key=f"references/{character.code}-{order}.png",
        media_type="image/png",
        sha256=f"{order}".rjust(64, character.code[-1]),
        bytes=10,
        width=64,
        height=64,
        order=order,
    )


def _cast(shot: Shot, pictures: int = 1) -> list[CharacterReference]:
    character = CharacterFactory.create(project=shot.project)
    ShotCharacterFactory.create(shot=shot, character=character)
    return [picture_of(character, order) for order in range(pictures)]


def _press(user: User, shot: Shot, files: dict[str, UUID], **more: Any) -> Job:
    step = Step(template=TWO, files=files, **more)
    batch = submit(user=user, project=shot.project, shots=[shot], steps=[step], idempotency_key="k").batch
    return batch.jobs.get()


def _refused(user: User, shot: Shot, files: dict[str, UUID]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as told:
        _press(user, shot, files)
    assert not Job.objects.exists()
    return [(problem.field, str(problem.message)) for problem in told.value.problems]


def test_references_are_the_pictures_of_the_cast_everybodys_first_one_before_anybodys_second(
    coordinator: User, shot: Shot
) -> None:
    gerda, _, kay = *_cast(shot, pictures=2), *_cast(shot)
    job = _press(coordinator, shot, {"last_frame": _take_of(shot).pk})
    assert (job.values["reference"], job.values["reference_2"]) == (str(gerda.pk), str(kay.pk))


def test_a_picture_that_is_named_is_not_given_twice(coordinator: User, shot: Shot) -> None:
    gerda, second = _cast(shot, pictures=2)
    job = _press(coordinator, shot, {"last_frame": _take_of(shot).pk, "reference": second.pk})
    assert (job.values["reference"], job.values["reference_2"]) == (str(second.pk), str(gerda.pk))


def test_the_order_brings_every_file_and_leaves_out_what_is_optional(coordinator: User, shot: Shot) -> None:
    [gerda] = _cast(shot)
    last = _take_of(shot)
    job = _press(coordinator, shot, {"last_frame": last.pk})
    now = database_now()
    attempt = Attempt.objects.create(
        job=job,
        number=1,
        token=1,
        node=NodeFactory.create(),
        tier_gb=0,
        state="dispatched",
        accept_by=now,
    )
    order = order_for(attempt)
    brought = {(one.node, one.input): one.key for one in order.inputs}
    assert brought[("2", "image")] == last.key
    assert brought[("3", "image")] == gerda.key
    assert set(order.graph) == {"1", "2", "3", "6", "7", "8", "9"}


def test_a_first_frame_may_be_named_instead_of_the_shots_keyframe(coordinator: User, shot: Shot) -> None:
    _cast(shot)
    other = _take_of(ShotFactory.create(sequence=shot.sequence))
    job = _press(coordinator, shot, {"first_frame": other.pk, "last_frame": _take_of(shot).pk})
    assert job.values["first_frame"] == str(other.pk)


def test_what_nobody_gives_is_named(coordinator: User, shot: Shot) -> None:
    told = dict(_refused(coordinator, shot, {}))
    assert set(told) == {f"steps[0].{shot.full_code}.{role}" for role in ("last_frame", "reference")}


@pytest.mark.parametrize("whose", ["nobody", "another film"])
def test_a_file_that_is_not_of_this_film_is_refused(whose: str, coordinator: User, shot: Shot) -> None:
    _cast(shot)
    pk = uuid4() if whose == "nobody" else _take_of(ShotFactory.create()).pk
    [(field, message)] = _refused(coordinator, shot, {"last_frame": pk})
    assert field == "steps[0].files.last_frame"
    assert "of this project" in message


def test_a_clip_is_no_last_frame(coordinator: User, shot: Shot) -> None:
    _cast(shot)
    [(field, message)] = _refused(coordinator, shot, {"last_frame": _take_of(shot, "video").pk})
    assert field == "steps[0].files.last_frame"
    assert "“video”" in message
    assert "“image”" in message


def test_an_input_that_the_template_lacks_is_refused_with_those_it_has(coordinator: User, shot: Shot) -> None:
    _cast(shot)
    [(field, message)] = _refused(coordinator, shot, {"mask": _take_of(shot).pk})
    assert field == "steps[0].files.mask"
    assert "first_frame, last_frame, reference, reference_2" in message


FOLLOWING: dict[str, Any] = {
    "manifest": 1,
    "slug": "twice_as_smooth",
    "version": 1,
    "title": {"en": "Twice as smooth", "ko": "두 배 부드럽게"},
    "description": {"en": "Doubles the frames.", "ko": "프레임을 두 배로."},
    "kind": "clip",
    "produces": "video",
    "bindings": {
        "video": {"type": "file", "targets": [{"node": "1", "input": "file"}]},
        "filename_prefix": {"type": "text", "targets": [{"node": "2", "input": "filename_prefix"}]},
    },
    "defaults": {},
    "follows": {"role": "video", "frames_times": 2, "frames_plus": -1, "fps_times": 2, "size_times": 1.5},
    "outputs": [{"node": "2", "kind": "video", "role": "primary"}],
    "vram": [],
    "models": [],
    "timeouts": {"execution_s": 60, "hang_s": 30},
}
SMOOTH: dict[str, Any] = {
    "1": {"class_type": "LoadVideo", "inputs": {"file": "a.mp4"}},
    "2": {
        "class_type": "SaveVideo",
        "inputs": {"video": ["1", 0], "filename_prefix": "x", "format": "mp4", "codec": "h264"},
    },
}


def test_a_clip_that_follows_its_source_has_its_length_rate_and_size_changed_as_the_manifest_says(
    coordinator: User, shot: Shot
) -> None:
    sync_templates([template_from(copy.deepcopy(SMOOTH), copy.deepcopy(FOLLOWING))])
    steps = [Step(template="wan22_i2v", frames=17), *[Step(template="twice_as_smooth")] * 2]
    batch = submit(
        user=coordinator, project=shot.project, shots=[shot], steps=steps, idempotency_key="k"
    ).batch
    clip, smooth, smoother = batch.jobs.order_by("code")
    assert (smooth.frames, smooth.fps) == (33, 32)
    assert (smooth.width, smooth.height) == (round(clip.width * 1.5), round(clip.height * 1.5))
    assert (smoother.frames, smoother.fps) == (65, 64)


def test_steps_are_grouped_by_what_they_ask_for() -> None:
    asked = {Step(template=TWO, files={"mask": uuid4()}), Step(template=TWO), Step(template=TWO)}
    assert len(asked) == 2


def test_a_proxy_is_not_what_a_take_is_about(coordinator: User, shot: Shot) -> None:
    _cast(shot)
    proxy = ArtifactFactory.create(take=_take_of(shot).take, kind="image", role="proxy", key="proxies/a.png")
    [(field, _)] = _refused(coordinator, shot, {"last_frame": proxy.pk})
    assert field == "steps[0].files.last_frame"
