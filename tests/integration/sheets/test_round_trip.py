"""What goes out comes back and changes nothing: the whole plan, in every format, whatever its texts say."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from apps.accounts.models import User
from apps.characters.models import Character, Costume
from apps.presets.models import CinematicPreset, Look, LookPreset
from apps.productions.importing import known as knowledge
from apps.productions.models import Shot, ShotCharacter, ShotPreset
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.sheets.models import Format
from apps.sheets.services.undoing import undo_import
from tests.factories import MembershipFactory, PresetCategoryFactory, ProjectFactory
from tests.integration.sheets.film import bring, errors, everything, exported, make_film, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]


@pytest.fixture
def user(db: None) -> User:
    return make_film()


@pytest.fixture
def film(user: User) -> Project:
    return Project.objects.get()


def brought_back(film: Project, user: User, content: bytes, name: str) -> dict[str, Any]:
    """Plan what was exported, with everything that could change something switched on."""
    batch = bring(film, user, content, name, create=True, empty="clear")
    assert not errors(batch)
    counts: dict[str, Any] = batch.counts
    return {name: counts.get(name, 0) for name in ("new", "changed", "removed", "left_out", "error")}


NOTHING = {"new": 0, "changed": 0, "removed": 0, "left_out": 0, "error": 0}


@pytest.mark.parametrize("discipline", ["", "shots", "characters", "locations", "technical"])
@pytest.mark.parametrize("format_", ["xlsx", "json"])
def test_what_goes_out_comes_back_unchanged(film: Project, user: User, format_: str, discipline: str) -> None:
    file = exported(film, user, format=format_, discipline=discipline)
    assert brought_back(film, user, file.content, file.name) == NOTHING


def test_every_sheet_of_a_whole_project_comes_back_as_csv(film: Project, user: User) -> None:
    packed = zipfile.ZipFile(io.BytesIO(exported(film, user, format=Format.CSV).content))
    assert len(packed.namelist()) == 10
    for name in packed.namelist():
        assert brought_back(film, user, packed.read(name), name) == NOTHING, name


AWKWARD = st.text(max_size=40).filter(lambda text: "\0" not in text)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(AWKWARD, min_size=6, max_size=6), format_=st.sampled_from(Format.values))
@example(texts=["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"], format_="xlsx")
@example(texts=["=1+1", "'=1", "''=1", "'", "#REF!", "TRUE"], format_="csv")
@example(texts=["0040", "1e5", "2026-03-01", " padded ", "a\r\nb", "각"], format_="csv")
@example(texts=["x\ufffe", "\x1fx", "_x000D_", "<&>", '"quoted, "', "a;b\tc"], format_="xlsx")
@example(texts=["'\r=", "null", "\x0b=1", "\u2028x", "[1]", "{}"], format_="json")
def test_whatever_the_texts_say_they_come_back_as_they_were(
    film: Project, user: User, texts: list[str], format_: str
) -> None:
    Shot.objects.filter(code="SH0010").update(description=texts[0] or "x", notes=texts[1], dialogue=texts[2])
    ShotCharacter.objects.filter(shot__code="SH0010").update(action=texts[3])
    Character.objects.filter(code="CH0001").update(description=texts[4], age=texts[5])
    Costume.objects.update(prompt=texts[5] or "x")
    before = everything()
    for discipline in ("shots", "characters"):
        file = exported(film, user, format=format_, discipline=discipline)
        parts = {file.name: file.content}
        if file.name.endswith(".zip"):
            packed = zipfile.ZipFile(io.BytesIO(file.content))
            parts = {name: packed.read(name) for name in packed.namelist()}
        for name, content in parts.items():
            batch = bring(film, user, content, name)
            assert not errors(batch)
            assert not batch.counts.get("changed"), [
                row.cells for row in batch.rows.filter(outcome="changed")
            ]
            assert not batch.counts.get("left_out")
    assert everything() == before


def test_no_spreadsheet_runs_what_a_text_says(film: Project, user: User) -> None:
    Shot.objects.filter(code="SH0010").update(description='=cmd|"/c calc"!A1')
    sheet = load_workbook(io.BytesIO(exported(film, user).content))["Shots"]
    cell = next(row[2] for row in sheet.iter_rows(min_row=2) if row[1].value == "SH0010")
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", '=cmd|"/c calc"!A1', True)
    packed = zipfile.ZipFile(io.BytesIO(exported(film, user, format="csv", discipline="shots").content))
    assert b"'=cmd" in packed.read("Shots.csv")
    assert b",=cmd" not in packed.read("Shots.csv")


def test_a_workbook_is_made_to_be_worked_in(film: Project, user: User) -> None:
    workbook = load_workbook(io.BytesIO(exported(film, user).content))
    assert workbook.sheetnames[0] == "Project"
    shots = workbook["Shots"]
    assert shots.freeze_panes == "C2"
    headings = [cell.value for cell in shots[1]]
    assert headings[:3] == ["sequence", "code", "description"]
    weather = shots[1][headings.index("weather")]
    assert weather.comment is not None
    assert "sunny" in weather.comment.text
    offered = {rule.formula1 for rule in shots.data_validations.dataValidation}
    assert '"frames,latents"' in offered
    assert shots.column_dimensions["C"].width > 30


def test_selected_shots_go_out_with_their_cast_alone(film: Project, user: User) -> None:
    shot = Shot.objects.get(code="SH0020")
    workbook = load_workbook(io.BytesIO(exported(film, user, shots={shot.pk}).content))
    assert [row[1].value for row in workbook["Shots"].iter_rows(min_row=2)] == ["SH0020"]
    assert [row[0].value for row in workbook["Casting"].iter_rows(min_row=2)] == ["SQ010_SH0020"]
    assert workbook.sheetnames == ["Shots", "Casting"]


def test_the_technical_sheet_has_a_column_for_each_category(film: Project, user: User) -> None:
    sheet = load_workbook(io.BytesIO(exported(film, user, discipline="technical").content))["Technical"]
    headings = [cell.value for cell in sheet[1]]
    first = dict(zip(headings, [cell.value for cell in sheet[2]], strict=True))
    assert first["shot"] == "SQ010_SH0010"
    assert (first["shot_size"], first["lens_focal"]) == ("close-up", "35mm")


def test_a_project_without_rows_of_a_kind_comes_back_from_json(film: Project, user: User) -> None:
    Look.objects.filter(project=film).delete()
    file = exported(film, user, format="json")
    assert json.loads(file.content)["looks"] == []
    assert brought_back(film, user, file.content, file.name) == NOTHING


def test_a_text_too_long_for_a_cell_is_told_instead_of_cut(film: Project, user: User) -> None:
    from apps.common.errors import Refused

    Shot.objects.filter(code="SH0010").update(description="x" * 40_000)
    with pytest.raises(Refused, match="longer than a spreadsheet's cell"):
        exported(film, user)
    file = exported(film, user, format="json")
    assert brought_back(film, user, file.content, file.name) == NOTHING


def test_a_larger_project_takes_no_more_queries(
    film: Project, user: User, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(16):
        knowledge.load(film.pk)
    with django_assert_max_num_queries(18):
        exported(film, user)


def test_a_project_of_nothing_goes_out_and_comes_back(user: User) -> None:
    empty = ProjectFactory.create(code="EMPTY")
    planner = MembershipFactory.create(project=empty).user
    file = exported(empty, planner)
    assert [sheet.max_row for sheet in load_workbook(io.BytesIO(file.content)).worksheets] == [2, *[1] * 9]
    assert brought_back(empty, planner, file.content, file.name) == NOTHING


def test_a_whole_plan_goes_into_another_project(film: Project, user: User) -> None:
    other = ProjectFactory.create(code="COPY")
    planner = MembershipFactory.create(project=other, role=Role.ADMIN).user
    MembershipFactory.create(project=other, user=User.objects.get(username="art-frost"), role=Role.ARTIST)
    document = json.loads(exported(film, user, format="json").content)
    document["project"][0]["code"] = "COPY"
    batch = bring(other, planner, json.dumps(document).encode(), "plan.json", create=True)
    assert written(batch, planner).state == "applied", batch.problems
    told = json.loads(exported(Project.objects.get(code="COPY"), planner, format="json").content)
    assert told == document


def test_categories_of_another_film_are_no_columns_here(film: Project, user: User) -> None:
    for project, slug in ((film, "ours"), (ProjectFactory.create(), "theirs")):
        PresetCategoryFactory.create(project=project, slug=slug)
    content = exported(film, user, discipline="technical").content
    (headings,) = load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(max_row=1, values_only=True)
    assert "ours" in headings
    assert "theirs" not in headings


def test_a_films_own_looks_travel_with_it_and_the_studios_stay_where_they_are(
    film: Project, user: User
) -> None:
    own = Look.objects.get(project=film)
    gone = LookPreset.objects.filter(look=own, preset__slug="35mm").get().preset
    CinematicPreset.objects.filter(pk=gone.pk).update(archived=True)  # what a look holds goes along
    ShotPreset.objects.all().delete()
    sheets = json.loads(exported(film, user, format=Format.JSON).content)
    (told,) = sheets["looks"]
    assert (told["slug"], told["name_ko"], told["presets"]) == ("harbour", "항구", ["close-up", "35mm"])
    sheets = {"looks": [told]}
    assert brought_back(film, user, json.dumps(sheets).encode(), "looks.json") == NOTHING

    told["presets"] = ["35mm"]
    changed = bring(film, user, json.dumps(sheets).encode(), "looks.json")
    assert (changed.counts["changed"], errors(changed)) == (1, [])
    batch = written(changed, user)
    assert [one.preset.slug for one in own.look_presets.order_by("order")] == ["35mm"]
    undo_import(batch, user=user)
    assert [one.preset.slug for one in own.look_presets.order_by("order")] == ["close-up", "35mm"]

    told |= {"slug": "dusk", "presets": ["no-such"]}
    refused = bring(film, user, json.dumps(sheets).encode(), "looks.json", create=True)
    assert "There is none of this name" in errors(refused)[0]


def test_a_look_of_a_file_takes_no_key_of_the_studios(film: Project, user: User) -> None:
    studios = Look.objects.filter(project=None).first()
    assert studios is not None
    told = {"slug": studios.slug, "name": "Ours", "presets": ["35mm"]}
    refused = bring(film, user, json.dumps({"looks": [told]}).encode(), "looks.json", create=True)
    assert "the studio has one of this key" in errors(refused)[0]
