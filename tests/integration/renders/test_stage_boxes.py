"""The stages of a shot in a row of boxes: from its takes and jobs, whatever stands in its status."""

from __future__ import annotations

import pytest
from django.utils import timezone

from apps.renders.stage_boxes import boxes, boxes_of
from apps.renders.states import JobState
from tests.factories import JobFactory, ShotFactory, TakeFactory

pytestmark = pytest.mark.django_db


def test_each_stage_says_how_it_stands() -> None:
    shot, other = ShotFactory.create(), ShotFactory.create()
    TakeFactory.create(shot=shot, kind="keyframe", selected=True, selected_at=timezone.now())
    JobFactory.create(shot=shot, kind="clip", stage="clip", state=JobState.RUNNING)
    TakeFactory.create(shot=shot, kind="clip")
    TakeFactory.create(shot=other, kind="keyframe")
    TakeFactory.create(shot=other, kind="clip", review_state="rejected")
    found = boxes_of([shot.pk, other.pk])
    assert found == {
        (shot.pk, "keyframe"): "done",
        (shot.pk, "clip"): "renders",
        (other.pk, "keyframe"): "check",
    }
    assert boxes(other.pk, found).count("sf-grey") == 2
