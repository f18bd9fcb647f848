"""The preset library's files, and what is said of broken ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from apps.common.errors import Refused
from apps.presets.library import DATA, fingerprint, read_library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the library that a test may spoil."""
    return Path(shutil.copytree(DATA, tmp_path / "library"))


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems_of(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        read_library(folder)
    return [(problem.field, problem.value) for problem in refused.value.problems]


def test_the_library_has_171_presets_in_20_categories_each_named_in_korean() -> None:
    library = read_library()
    assert (len(library.categories), len(library.presets)) == (20, 171)
    assert all(category.name_ko for category in library.categories)
    assert all(preset.name_ko for preset in library.presets)


def test_order_follows_the_files() -> None:
    library = read_library()
    assert [row.slug for row in library.categories[:4]] == [
        "shot_size",
        "coverage",
        "camera_angle",
        "camera_movement",
    ]
    assert [(row.slug, row.order) for row in library.presets if row.category == "coverage"][:2] == [
        ("clean-single", 1),
        ("two-shot", 2),
    ]


def test_camera_movements_are_for_video_and_carry_their_parameters() -> None:
    (push,) = (row for row in read_library().presets if row.slug == "slow-push-in")
    assert (push.channel, push.params) == ("video", {"motion": 1})


def test_a_fingerprint_changes_with_the_row_only() -> None:
    first, second = read_library().presets[:2]
    assert fingerprint(first) == fingerprint(read_library().presets[0])
    assert fingerprint(first) != fingerprint(second)


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        (
            "shot_size,1,both,wide-shot",
            "shotsize,1,both,wide-shot",
            "presets.csv row 3, category",
            "shotsize",
        ),
        ("shot_size,1,both,wide-shot", "shot_size,1,film,wide-shot", "presets.csv row 3, channel", "film"),
        ("shot_size,1,both,wide-shot", "shot_size,1,both,Wide Shot", "presets.csv row 3, slug", "Wide Shot"),
        ("shot_size,1,both,full-shot", "shot_size,1,both,wide-shot", "presets.csv row 4, slug", "wide-shot"),
        (
            "shot_size,1,both,full-shot",
            "shot_size,0,both,full-shot",
            "presets.csv row 4, exclusive_in_category",
            "0",
        ),
        (",Wide shot,와이드 숏", ",,와이드 숏", "presets.csv row 3, name", ""),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(
    folder: Path, old: str, new: str, field: str, value: str
) -> None:
    spoil(folder, "presets.csv", old, new)
    assert problems_of(folder) == [(field, value)]


def test_parameters_must_be_a_json_object(folder: Path) -> None:
    spoil(folder, "presets.csv", '"{""motion"": 0}"', "motion=0")
    assert problems_of(folder) == [("presets.csv row 26, params_json", "motion=0")]


def test_a_missing_column_is_named(folder: Path) -> None:
    spoil(folder, "presets.csv", "negative_fragment", "negative")
    ((field, value),) = problems_of(folder)
    assert field == "presets.csv row 1"
    assert "negative," in value


def test_every_problem_is_told_at_once(folder: Path) -> None:
    spoil(folder, "presets.csv", "shot_size,1,both,wide-shot", "shot_size,1,film,wide-shot")
    spoil(folder, "presets.csv", "shot_size,1,both,insert", "shot_size,1,video only,insert")
    assert len(problems_of(folder)) == 2
