"""The production in the repository: The Snow Queen, 24 shots, and what of it is rendered."""

from __future__ import annotations

from collections import Counter

import pytest

from apps.characters.models import Character
from apps.common.errors import Refused
from apps.productions.importing import import_workbook
from apps.productions.models import Location, Sequence, Shot
from apps.productions.render_plan import DEMO_WORKBOOK, read_render_plan
from farm.demo.home import Secrets
from farm.demo.stage import set_up
from tests.integration.productions.conftest import Sheets, WorkbookMaker


@pytest.mark.django_db
def test_the_demo_workbook_imports_and_twice_is_once() -> None:
    first = import_workbook(DEMO_WORKBOOK)
    second = import_workbook(DEMO_WORKBOOK)
    assert (second.created, second.changed, second.unchanged) == (0, 0, first.created)
    assert (Shot.objects.count(), Sequence.objects.count()) == (24, 3)
    assert (Character.objects.count(), Location.objects.count()) == (4, 8)


@pytest.mark.django_db
@pytest.mark.usefixtures("artifact_root")
def test_what_people_changed_in_the_demo_stays_when_it_goes_on() -> None:
    secrets = Secrets()
    set_up(secrets)
    Shot.objects.filter(code="SH0010").update(notes="mine")
    set_up(secrets)
    assert set(Shot.objects.filter(code="SH0010").values_list("notes", flat=True)) == {"mine"}


@pytest.mark.django_db
def test_every_demo_shot_is_planned_in_both_languages() -> None:
    import_workbook(DEMO_WORKBOOK)
    for shot in Shot.objects.select_related("sequence", "location").prefetch_related("presets", "casting"):
        assert shot.description, shot.full_code
        assert any("가" <= letter <= "힣" for letter in shot.description_ko), shot.full_code
        assert shot.location is not None, shot.full_code
        assert 24 <= shot.frames <= 120, shot.full_code
        assert 3 <= len(shot.presets.all()) <= 7, shot.full_code
        for casting in shot.casting.all():
            assert casting.action, shot.full_code
            assert casting.action_ko, shot.full_code


@pytest.mark.django_db
def test_no_demo_job_needs_a_lora_file_that_a_node_may_lack() -> None:
    import_workbook(DEMO_WORKBOOK)
    assert not Character.objects.filter(use_lora=True).exists()


@pytest.mark.django_db
def test_the_render_plan_makes_a_keyframe_of_every_shot_and_clips_of_some() -> None:
    import_workbook(DEMO_WORKBOOK)
    plan = read_render_plan(DEMO_WORKBOOK)
    shots = {shot.full_code for shot in Shot.objects.select_related("sequence")}
    keyframes = [render for render in plan if render.template in {"sd15_t2i", "flux_t2i"}]
    clips = [render for render in plan if render.template == "wan22_i2v"]
    assert Counter(render.shot_code for render in keyframes) == Counter(shots)
    assert len(clips) >= 6
    assert sum(render.takes for render in plan) >= 30
    assert {render.template for render in plan} == {"sd15_t2i", "flux_t2i", "wan22_i2v"}


def test_a_clip_follows_the_one_keyframe_take_of_its_shot() -> None:
    seen: dict[str, int] = {}
    for render in read_render_plan(DEMO_WORKBOOK):
        if render.template == "wan22_i2v":
            assert seen.get(render.shot_code) == 1, render.shot_code
        else:
            seen[render.shot_code] = render.takes


def test_planned_sizes_and_frames_are_such_as_the_models_take() -> None:
    for render in read_render_plan(DEMO_WORKBOOK):
        assert render.width % 16 == render.height % 16 == 0
        assert render.frames % 4 == 1, "Wan takes 4n+1 frames; a still has one"
        assert render.frames <= 49


def test_a_wrong_render_plan_is_refused_with_addresses(sheets: Sheets, workbook: WorkbookMaker) -> None:
    heading = ["shot", "template", "takes", "width", "height", "frames"]
    sheets["Renders"] = [heading, ["SQ010-SH0010", "sd15_t2i", 0, 768, None, 1]]
    with pytest.raises(Refused) as refused:
        read_render_plan(workbook(sheets))
    assert [problem.field for problem in refused.value.problems] == [
        "Renders!A2 (shot)",
        "Renders!C2 (takes)",
        "Renders!E2 (height)",
    ]


def test_a_workbook_without_a_render_plan_says_so(sheets: Sheets, workbook: WorkbookMaker) -> None:
    with pytest.raises(Refused, match="Renders: The workbook has no such sheet"):
        read_render_plan(workbook(sheets))
