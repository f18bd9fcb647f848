"""What the search boxes of long lists find, and that each row stands there once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.common import searching
from apps.productions.models import Shot
from apps.renders.models import Job
from apps.review.models import Take
from tests.factories import (
    JobFactory,
    NodeFactory,
    SequenceFactory,
    ShotCharacterFactory,
    ShotFactory,
    TakeFactory,
    WorkflowTemplateFactory,
)
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing

pytestmark = pytest.mark.django_db


def found(as_: Browser, model: type[Shot | Take | Job], words: str) -> set[object]:
    answer = as_("root").get(listing(model), {"q": words})
    return {row.pk for row in answer.context["cl"].result_list}


@pytest.fixture
def shots(film: Film) -> list[Shot]:
    """SQ777_SH0010, SQ777_SH0020, SQ888_SH0010."""
    seven, eight = (SequenceFactory.create(project=film.project, code=code) for code in ("SQ777", "SQ888"))
    return [
        ShotFactory.create(sequence=sequence, code=code)
        for sequence, code in ((seven, "SH0010"), (seven, "SH0020"), (eight, "SH0010"))
    ]


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ("sq777", {0, 1}),
        ("SQ777 SH0010", {0}),
        ("SQ777_SH0010", {0}),
        ("sq777_sh00", {0, 1}),
        ("'SQ888'", {2}),
        ("ltx_i2v", {1}),
        ("SQ777 v12", {1}),
        ("gpu77", {2}),
        ("SQ999", set()),
        ("SQ777 gpu77", set()),
    ],
)
@pytest.mark.parametrize("most", [searching.MOST, 0])
def test_takes_are_found_by_shot_template_and_node(
    as_: Browser, shots: list[Shot], words: str, which: set[int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST", most)  # 0: as where a word stands in more rows than are named
    NodeFactory.create(name="gpu77")
    WorkflowTemplateFactory.create(slug="ltx_i2v")
    takes = [
        TakeFactory.create(shot=shots[0]),
        TakeFactory.create(shot=shots[1], template="ltx_i2v v12"),
        TakeFactory.create(shot=shots[2], node="gpu77"),
    ]
    assert found(as_, Take, words) == {takes[place].pk for place in which}


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ("j0000", {0, 1, 2}),
        ("J000071", {0}),
        ("71", {0}),
        ("SQ777_SH0020", {1}),
        ("cuda", {1}),
        ("fast", {2}),
        ("B00077", {0}),
        ("SQ777 fast", set()),
    ],
)
def test_jobs_are_found_by_code_number_batch_shot_tags_and_what_went_wrong(
    as_: Browser, shots: list[Shot], words: str, which: set[int]
) -> None:
    jobs = [
        JobFactory.create(shot=shots[0], code="J000071", batch__code="B00077"),
        JobFactory.create(shot=shots[1], code="J000082", failure_message="CUDA out of memory"),
        JobFactory.create(shot=shots[2], code="J000093", tags="fast\nseoul"),
    ]
    assert found(as_, Job, words) & {job.pk for job in jobs} == {jobs[place].pk for place in which}


def test_a_filter_over_the_cast_shows_each_shot_once_and_compares_no_whole_rows(
    as_: Browser, shots: list[Shot]
) -> None:
    part = ShotCharacterFactory.create(shot=shots[0])
    browser = as_("root")
    asked = {"characters__id__exact": str(part.character_id)}
    with CaptureQueriesContext(connection) as seen:
        rows = list(browser.get(listing(Shot), asked).context["cl"].result_list)
    assert [row.pk for row in rows] == [shots[0].pk]
    distinct = [one["sql"] for one in seen if "DISTINCT" in one["sql"] and "productions_shot" in one["sql"]]
    assert not distinct


def test_a_short_list_is_counted_by_reading_it(as_: Browser, shots: list[Shot]) -> None:
    browser = as_("root")
    with CaptureQueriesContext(connection) as seen:
        answer = browser.get(listing(Take), {"q": "SQ999"})
    assert answer.context["cl"].result_count == 0
    assert not [one for one in seen if one["sql"].startswith("SELECT COUNT") and "review_take" in one["sql"]]
