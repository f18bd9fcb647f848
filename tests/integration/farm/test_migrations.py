"""Rows of an older farm go through every migration that changes data, and are right afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def became(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of the rows that ``old_rows`` writes: one way for all of them."""
    place = tmp_path_factory.mktemp("old") / "farm.sqlite3"
    told = subprocess.run(
        [sys.executable, "-m", "tests.integration.farm.old_rows"],
        cwd=Path(__file__).parents[3],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "farm.settings",
            "DJANGO_SECRET_KEY": "old rows " * 12,
            "DATABASE_URL": f"sqlite:///{place}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-4000:]
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_frame_rates_become_exact_fractions(became: dict[str, Any]) -> None:
    assert became["rates"] == [["FILM", 24000, 1001], ["PLAIN", 24, 1]]


def test_viewers_become_clients(became: dict[str, Any]) -> None:
    assert became["roles"] == [["client"]]


def test_figures_that_are_not_allowed_any_more_take_the_nearest(became: dict[str, Any]) -> None:
    assert became["loras"] == [[0.0], [0.8], [2.0]]
    assert became["casting"] == [[2.0]]
    assert became["shots"] == [[1000, 100_000]]


def test_statuses_keep_a_studios_name_and_say_what_they_mean(became: dict[str, Any]) -> None:
    rows = {slug: rest for slug, *rest in became["statuses"]}
    assert len(rows) == 8
    assert rows["ready"] == ["ready", "Go!", True, False]
    assert rows["approved"] == ["approved", "Approved", True, True]


def test_open_jobs_get_lanes_ranks_and_holds_and_their_needs_may_try_the_tier_below(
    became: dict[str, Any],
) -> None:
    assert [[code, rank, held, lane] for code, _stage, rank, held, lane in became["jobs"]] == [
        ["J0", 20, False, None],
        ["J1", 20, True, "FILM"],
        ["J2", 20, False, None],
    ]
    assert became["lanes"] == [["FILM", "clip"]]
    assert became["needs"] == [[20.0, 24, 16]]


def test_jobs_and_takes_learn_of_which_stage_they_are(became: dict[str, Any]) -> None:
    assert {code: stage for code, stage, *_rest in became["jobs"]} == {
        "J0": "keyframe",
        "J1": "clip",
        "J2": "finish",
    }
    assert became["takes"] == [["finish", "finish"], ["keyframe", "keyframe"]]


def test_what_happened_before_there_were_notices_is_not_told(became: dict[str, Any]) -> None:
    assert became["ended"] == [["B0"]]
    assert became["told"] == [[1]]


def test_the_shipped_library_comes_beside_what_a_studio_wrote(became: dict[str, Any]) -> None:
    assert became["presets"] == [["Our haze"]]
    assert (became["shipped"] >= 171, became["rules"] >= 32, became["looks"] > 0) == (True, True, True)


def test_prompt_builds_and_template_versions_cannot_be_changed_any_more(became: dict[str, Any]) -> None:
    assert (became["builds stay"], became["versions stay"]) == (True, True)
