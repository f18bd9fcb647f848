"""Two roads lead to a farm's tables: an older farm's rows go through every migration that changes data, and
are right afterwards; a new farm's tables are made at once (ADR 65), and are the same."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from farm.demo.processes import ROOT
from tests import copying

pytestmark = pytest.mark.once

SQUASHED = {(path.parts[-3], path.stem) for path in ROOT.glob("apps/*/migrations/*_squashed_*.py")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``old_rows`` has its database."""
    return tmp_path_factory.mktemp("old") / "farm.sqlite3"


@pytest.fixture(scope="module")
def became(place: Path) -> dict[str, Any]:
    """What became of the rows that ``old_rows`` writes: one way for all of them."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.integration.farm.old_rows"],
        cwd=ROOT,
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


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a new farm."""
    file = tmp_path_factory.mktemp("new") / "farm.sqlite3"
    copying.copy_sqlite(file)
    return file


def test_a_new_farm_has_the_tables_indexes_and_triggers_of_an_old_one(
    became: dict[str, Any], place: Path, new: Path
) -> None:
    assert tables(new) == tables(place)


def test_a_new_farm_has_all_rows_that_an_old_one_was_given(
    became: dict[str, Any], place: Path, new: Path
) -> None:
    different = sorted((table, dict(row).get("name")) for table, row in rows(new) - rows(place))
    assert different == [("notices_cursor", None), ("productions_shotstatus", "Ready")]  # "Go!", see above


def test_whoever_has_begun_on_the_old_road_goes_on_there(became: dict[str, Any]) -> None:
    halfway = {tuple(one.split(".")) for one in became["halfway"]}
    begun = {app for app, name in halfway if name > "0002"}
    assert begun >= {"characters", "productions", "projects", "renders", "review", "workflows"}
    assert {app for app, name in halfway & SQUASHED}.isdisjoint(begun)


def test_a_farm_that_is_up_to_date_has_nothing_to_do_and_is_said_to_be_squashed(
    became: dict[str, Any], place: Path
) -> None:
    assert became["end"] == []
    with closing(sqlite3.connect(place)) as farm:
        recorded = set(farm.execute("SELECT app, name FROM django_migrations"))
    assert len(SQUASHED) == 13
    assert recorded >= SQUASHED


def tables(file: Path) -> dict[tuple[str, str], list[str]]:
    """Everything that a database was told to create; the order of columns is not told."""
    with closing(sqlite3.connect(file)) as farm:
        found = farm.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {(kind, name): _parts(sql) if kind == "table" else [sql] for kind, name, sql in found}


def _parts(sql: str) -> list[str]:
    return sorted(re.split(r",\s*", sql[sql.index("(") + 1 : sql.rindex(")")]))


def rows(file: Path) -> set[tuple[str, tuple[tuple[str, Any], ...]]]:
    """Every row by its table; but for keys and times."""
    found = set()
    with closing(sqlite3.connect(file)) as farm:
        farm.row_factory = sqlite3.Row
        for (table,) in farm.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in farm.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own tables
                values = ((name, row[name]) for name in sorted(row.keys()))
                found.add(
                    (table, tuple(one for one in values if not re.search("(^|_)(id|at)$|^applied$", one[0])))
                )
    return found
