"""Which steps fit together, told with the names of both templates where they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.recipes.services.checking import problems_of, with_roles
from apps.recipes.spec import Gate, StepSpec, chain, segment_end
from tests.integration.renders.test_chains import GRAPH, MANIFEST
from workflows.load import all_templates, template_from

TEMPLATES = {one.slug: one for one in (*all_templates(), template_from(GRAPH, MANIFEST))}
KEYFRAME = StepSpec(template="sd15_t2i", takes=4, gate=Gate.APPROVAL)
CLIP = StepSpec(template="wan22_i2v")
UPSCALE = StepSpec(template="upscale")


def told(*steps: StepSpec) -> list[tuple[str, str, str]]:
    return [(one.field, one.value, str(one.message)) for one in problems_of(steps, TEMPLATES)]


def test_a_keyframe_a_clip_and_two_upscales_fit_together() -> None:
    assert told(KEYFRAME, CLIP, UPSCALE, UPSCALE) == []


def test_each_step_fills_the_input_that_takes_what_is_made_before_it() -> None:
    steps = with_roles((KEYFRAME, CLIP, UPSCALE), TEMPLATES)
    assert [step.role for step in steps] == ["", "first_frame", "video"]
    assert with_roles((CLIP,), TEMPLATES)[0].role == "first_frame", "the shot's keyframe"


def test_a_step_that_takes_another_medium_is_refused_with_both_names() -> None:
    [(field, value, message)] = told(KEYFRAME, UPSCALE)
    assert (field, value) == ("steps[1].template", "upscale")
    assert "upscale starts from: a video, and sd15_t2i before it makes: an image" in message


def test_a_step_that_takes_no_file_is_refused_behind_another() -> None:
    [(field, value, message)] = told(KEYFRAME, KEYFRAME)
    assert (field, value) == ("steps[1].template", "sd15_t2i")
    assert "starts from no file" in message


def test_a_template_that_is_not_there_is_named_with_those_that_are() -> None:
    [(field, value, message)] = told(KEYFRAME, replace(CLIP, template="wan99"), UPSCALE)
    assert (field, value) == ("steps[1].template", "wan99")
    assert "wan22_i2v" in message


def test_an_input_that_the_template_lacks_is_named_with_those_it_has() -> None:
    [(field, value, message)] = told(KEYFRAME, replace(CLIP, role="mask"))
    assert (field, value) == ("steps[1].role", "mask")
    assert "first_frame" in message


def test_a_precision_that_the_template_lacks_is_named_with_those_it_has() -> None:
    [(field, value, message)] = told(replace(KEYFRAME, template="flux_t2i", precision="fp4"))
    assert (field, value) == ("steps[0].precision", "fp4")
    assert "fp8, fp16" in message


def test_several_takes_need_somebody_to_choose_among_them() -> None:
    [(field, value, message)] = told(replace(KEYFRAME, gate=Gate.NONE), CLIP)
    assert (field, value) == ("steps[0].takes", "4")
    assert "approval" in message
    assert told(KEYFRAME, replace(CLIP, takes=3)) == [], "nothing follows the last step"


@pytest.mark.parametrize("steps", [(), (KEYFRAME, CLIP, *[UPSCALE] * 11)])
def test_a_recipe_has_one_to_twelve_steps(steps: tuple[StepSpec, ...]) -> None:
    assert [field for field, _value, _message in told(*steps)] == ["steps"]


def test_what_goes_out_together_ends_behind_a_gate() -> None:
    steps = (KEYFRAME, CLIP, replace(UPSCALE, gate=Gate.APPROVAL), UPSCALE)
    assert [segment_end(steps, start) for start in range(4)] == [1, 3, 3, 4]
    asked = chain(steps, 1, 3)
    assert [(one.template, one.start_from) for one in asked] == [("wan22_i2v", None), ("upscale", 0)]


EDIT = StepSpec(template="qwen_edit")
BOTH = StepSpec(template="wan22_flf", role="last_frame", also={"first_frame": 1})


def test_a_step_may_take_files_of_two_earlier_steps() -> None:
    assert told(KEYFRAME, EDIT, BOTH) == []
    asked = chain([KEYFRAME, EDIT, BOTH], 1, 3)
    assert (asked[1].start_from, asked[1].also, asked[1].also_given) == (0, {}, {"first_frame": {}})
    asked = chain([KEYFRAME, EDIT, BOTH], 0, 3)
    assert (asked[2].start_from, asked[2].also, asked[2].also_given) == (1, {"first_frame": 0}, {})


def test_the_step_before_fills_what_no_other_step_is_named_for() -> None:
    steps = with_roles([KEYFRAME, EDIT, replace(BOTH, role="")], TEMPLATES)
    assert steps[2].role == "last_frame"


@pytest.mark.parametrize(
    ("also", "about"),
    [
        ({"first_frame": 3}, "name a step before this one"),
        ({"last_frame": 1}, "is filled by the step before already"),
        ({"first_frame": 1, "mask": 1}, "has no such file input"),
    ],
)
def test_other_inputs_that_do_not_fit_are_told(also: dict[str, int], about: str) -> None:
    [(field, _value, message)] = told(KEYFRAME, EDIT, replace(BOTH, also=also))
    assert field.startswith("steps[2].")
    assert about in message


def test_a_file_that_nothing_gives_is_told_with_where_to_name_it() -> None:
    [(_field, _value, message)] = told(KEYFRAME, EDIT, StepSpec(template="wan22_flf"))
    assert "for its input “last_frame”; name the earlier step that makes it under other inputs" in message


def test_an_input_takes_only_the_kind_of_file_that_the_named_step_makes() -> None:
    go_on = StepSpec(template="wan_svi", role="video", also={"first_frame": 1})
    assert told(KEYFRAME, CLIP, go_on) == []
    [(field, value, message)] = told(KEYFRAME, CLIP, replace(go_on, also={"first_frame": 2}))
    assert (field, value) == ("steps[2].also", "first_frame")
    assert message == "“first_frame” takes: an image, and step 2 makes: a video"


def test_a_step_whose_inputs_are_all_filled_by_others_has_none_left_for_the_step_before() -> None:
    [(field, value, message)] = told(KEYFRAME, EDIT, replace(CLIP, also={"first_frame": 1}))
    assert (field, value) == ("steps[2].also", "first_frame")
    assert "other steps fill every file input of wan22_i2v already" in message
    assert "leave one out of the other inputs" in message
