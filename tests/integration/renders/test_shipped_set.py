"""Every shipped template, asked of a shot as a coordinator would ask."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.errors import Problem
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.services.starting import preview
from apps.recipes.spec import Gate, StepSpec
from apps.renders.services.planned import Plan
from apps.renders.services.planning import plan
from apps.renders.services.steps import Step
from apps.review.conforming import lengths_of
from apps.review.models import Artifact
from tests.factories import (
    ArtifactFactory,
    CharacterFactory,
    ShotCharacterFactory,
    ShotFactory,
    TakeFactory,
)
from tests.integration.recipes.scene import recipe_of
from tests.integration.renders.test_files import picture_of
from workflows.conforming import Length
from workflows.load import all_templates
from workflows.rates import exact_fps

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


@pytest.fixture
def shot(film: Project) -> Shot:
    """Two seconds of one person who has a reference picture."""
    made: Shot = ShotFactory.create(sequence=film.sequences.get(), frames=48)
    character = CharacterFactory.create(project=film)
    ShotCharacterFactory.create(shot=made, character=character)
    picture_of(character)
    return made


def take_of(shot: Shot, kind: str, medium: str, **facts: Any) -> Artifact:
    take = TakeFactory.create(shot=shot, kind=kind, media_state="ready")
    made: Artifact = ArtifactFactory.create(take=take, kind=medium, **facts)
    return made


def planned(shot: Shot, *steps: Step) -> Plan:
    return plan(project=shot.project, shots=[shot], steps=list(steps))


def refused(shot: Shot, *steps: Step) -> list[tuple[str, str]]:
    return [(problem.field, str(problem.message)) for problem in planned(shot, *steps).problems]


def test_every_template_renders_for_a_shot_that_has_what_it_asks_for(shot: Shot) -> None:
    keyframe = take_of(shot, "keyframe", "image")
    take_of(shot, "clip", "video", frames=33, fps=16.0)
    take_of(shot, "frames", "frames")
    files = dict.fromkeys(("control", "mask", "last_frame"), keyframe.pk)
    told: dict[str, list[Problem]] = {}
    for template in all_templates():
        roles = {role: pk for role, pk in files.items() if role in template.manifest.bindings}
        if template.slug == "telestyle":
            roles["reference"] = keyframe.pk
        made = planned(shot, Step(template=template.slug, files=roles))
        told[template.slug] = made.problems
        assert made.problems or len(made.jobs) == 1
    assert {slug: problems for slug, problems in told.items() if problems} == {}


def test_a_long_clip_starts_from_the_keyframe_though_it_could_continue_a_clip(shot: Shot) -> None:
    keyframe = take_of(shot, "keyframe", "image")
    clip = take_of(shot, "clip", "video", frames=33, fps=16.0)
    [job] = planned(shot, Step(template="wan_svi")).jobs
    assert job.source
    assert (job.source.role, job.source.artifact_id) == ("first_frame", keyframe.pk)
    [job] = planned(shot, Step(template="wan_svi", files={"video": clip.pk})).jobs
    assert job.values["video"] == str(clip.pk)


def test_a_style_is_no_face_and_pictures_of_a_clip_are_no_keyframe(shot: Shot) -> None:
    take_of(shot, "keyframe", "image")
    [(field, told)] = refused(shot, Step(template="telestyle"))
    assert field == f"steps[0].{shot.full_code}.reference"
    assert "nobody" not in told
    [(field, told)] = refused(shot, Step(template="frames_join"))
    assert field == f"{shot.full_code}.pictures"
    assert "keyframe" not in told


def test_a_format_that_a_template_has_no_size_for_is_refused_unless_one_is_given(shot: Shot) -> None:
    shot.project.width, shot.project.height = 4096, 1024
    [(field, told)] = refused(shot, Step(template="sdxl_t2i"))
    assert field == f"{shot.full_code}.size"
    assert "give a width and a height" in told
    [job] = planned(shot, Step(template="sdxl_t2i", width=1024, height=512)).jobs
    assert (job.width, job.height) == (1024, 512)


def test_a_clip_that_arrives_at_a_picture_is_never_trimmed_whatever_follows(shot: Shot) -> None:
    keyframe = take_of(shot, "keyframe", "image")
    flf = Step(template="wan22_flf", files={"last_frame": keyframe.pk})
    clip, smooth = planned(shot, flf, Step(template="rife_interpolate")).jobs
    assert (clip.frames, clip.length["trim"], clip.length["missing"]) == (33, {"in": 0, "out": 33}, 0)
    assert (smooth.frames, smooth.length["trim"]) == (65, {"in": 0, "out": 65})
    assert smooth.length["whole"]
    later = planned(shot, Step(template="rife_interpolate"))
    assert later.problems, "there is no clip yet"
    take = TakeFactory.create(shot=shot, kind="clip", media_state="ready", length=clip.length)
    ArtifactFactory.create(take=take, kind="video", frames=33, fps=16.0)
    found = lengths_of(take)
    assert found
    assert (len(found.mapping), found.mapping[-1]) == (48, 32)
    [smooth] = planned(shot, Step(template="rife_interpolate")).jobs
    assert smooth.length["whole"]


def test_the_whole_chain_to_the_final_clip_has_sizes_frames_and_rates_that_follow(
    shot: Shot, coordinator: User
) -> None:
    steps = [Step(template=slug) for slug in ("flux_t2i", "wan22_i2v", "rife_interpolate", "esrgan_upscale")]
    keyframe, clip, smooth, final = planned(shot, *steps).jobs
    assert (clip.frames, clip.fps) == (33, 16)
    assert (smooth.frames, smooth.fps, smooth.width) == (65, 32, clip.width)
    assert (final.frames, final.fps, final.width, final.height) == (65, 32, 2 * clip.width, 2 * clip.height)
    wanted = Length(48, exact_fps(shot.project.fps)).as_json()
    for job, end in ((clip, 32), (smooth, 64), (final, 64)):
        assert job.length["wanted"] == {**wanted, "total": 48}
        assert (job.length["trim"], job.length["missing"]) == ({"in": 0, "out": end}, 0)
    assert keyframe.length == {}


def test_a_clip_that_covers_its_shot_covers_it_interpolated_too(shot: Shot) -> None:
    shot.project.fps, shot.frames = 25, 14
    take_of(shot, "keyframe", "image")
    clip, smooth, final = planned(
        shot, *(Step(template=slug) for slug in ("wan22_i2v", "rife_interpolate", "esrgan_upscale"))
    ).jobs
    assert (clip.frames, smooth.frames, final.frames) == (9, 17, 17)
    assert [job.length["missing"] for job in (clip, smooth, final)] == [0, 0, 0]


def test_an_animated_character_moves_at_the_pace_of_the_driving_video(shot: Shot) -> None:
    take_of(shot, "clip", "video", frames=50, fps=25.0)
    [job] = planned(shot, Step(template="wan_animate")).jobs
    assert (job.frames, job.fps) == (53, 25)
    assert (job.length["rendered"], job.length["missing"]) == ({"frames": 53, "fps": "25"}, 0)


def test_pictures_of_a_clip_are_joined_at_its_pace_unless_another_is_asked_for(shot: Shot) -> None:
    take_of(shot, "clip", "video", frames=33, fps=16.0)
    split, join = planned(shot, Step(template="frames_split"), Step(template="frames_join")).jobs
    assert (join.frames, join.fps, join.values["fps"], join.length["missing"]) == (33, 16, 16, 0)
    take = TakeFactory.create(shot=shot, kind="frames", media_state="ready", length=split.length)
    for number in range(3):
        ArtifactFactory.create(take=take, kind="image", key=f"a/{number}.png")
    [later] = planned(shot, Step(template="frames_join")).jobs
    assert (later.frames, later.fps, later.length) == (33, 16, join.length)
    [faster] = planned(shot, Step(template="frames_join", fps=24)).jobs
    assert (faster.fps, faster.values["fps"]) == (24, 24)
    assert lengths_of(take) is None, "each file is one picture"


def test_a_clip_that_goes_on_from_one_that_arrives_at_a_picture_has_an_end_of_its_own(shot: Shot) -> None:
    keyframe = take_of(shot, "keyframe", "image")
    arrives = {"wanted": {}, "whole": True}
    take = TakeFactory.create(shot=shot, kind="clip", media_state="ready", length=arrives)
    clip = ArtifactFactory.create(take=take, kind="video", frames=33, fps=16.0)
    files = {"first_frame": keyframe.pk, "video": clip.pk}
    [job] = planned(shot, Step(template="wan_svi", files=files)).jobs
    assert "whole" not in job.length


def test_a_recipe_may_begin_with_a_template_whose_references_are_the_casts(
    shot: Shot, coordinator: User
) -> None:
    edit = StepSpec(template="qwen_edit", takes=2, gate=Gate.APPROVAL)
    recipe = recipe_of(edit, StepSpec(template="wan22_i2v"))
    told = preview(user=coordinator, project=shot.project, shots=[shot], recipe=recipe)
    assert told.problems == []


def test_where_a_licence_does_not_hold_is_told_before_anything_renders(shot: Shot) -> None:
    take_of(shot, "keyframe", "image")
    [warning] = planned(shot, Step(template="hunyuan15_i2v")).warnings
    assert (warning.field, warning.value, warning.code) == ("template", "hunyuan15_i2v", "license_territory")
    assert "does not hold in: European Union, United Kingdom, South Korea" in str(warning.message)
    assert planned(shot, Step(template="wan22_i2v")).warnings == []


def test_whoever_names_one_picture_of_a_take_names_all_of_them(shot: Shot) -> None:
    keyframe = take_of(shot, "keyframe", "image")
    first = take_of(shot, "frames", "image", key="split/shot_00001_.png")
    ArtifactFactory.create(take=first.take, kind="image", key="split/shot_00002_.png")
    [job] = planned(shot, Step(template="frames_join", files={"pictures": first.pk})).jobs
    assert job.values["pictures"] == str(first.pk)
    [(field, told)] = refused(shot, Step(template="frames_join", files={"pictures": keyframe.pk}))
    assert field == "steps[0].files.pictures"
    assert "“frames”" in told
