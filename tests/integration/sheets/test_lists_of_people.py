"""Shot lists as people write them: in Korean, with places by their names, with sequences nobody described."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from django.utils import translation
from openpyxl import Workbook

from apps.accounts.models import User
from apps.productions.importing.layout import LOCATIONS, SHOTS
from apps.productions.models import Location, Sequence, Setting, Shot, TimeOfDay, Weather
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.sheets.services.undoing import undo_import
from tests.factories import LocationFactory, MembershipFactory
from tests.integration.sheets.film import (
    bring,
    csv_of,
    errors,
    everything,
    exported,
    make_film,
    told,
    written,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]

LIST: list[Any] = ["sequence", "code", "description", "frames"]


@pytest.fixture
def user(db: None) -> User:
    return make_film()


@pytest.fixture
def film(user: User) -> Project:
    return Project.objects.get()


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_a_list_in_korean_is_read_with_its_words(film: Project, user: User, encoding: str) -> None:
    LocationFactory.create(project=film, code="LOC02", name="Attic", name_ko="다락방")
    rows: list[list[Any]] = [
        ["씬 번호", "컷번호", "지문", "길이(프레임)", "날씨", "시간대", "장소"],
        ["SQ010", "SH0010", "창가의 게르다", 48, "비", "골든 아워", "다락방"],
        ["SQ010", "SH0020", "광장", 50, "맑음", "한밤중", "attic"],
    ]
    batch = written(bring(film, user, csv_of(rows, encoding=encoding), name="목록.csv"), user)
    assert (batch.state, errors(batch)) == ("applied", [])
    first, second = Shot.objects.filter(project=film).order_by("code")
    assert (first.weather, first.time_of_day, first.frames) == ("rain", "golden_hour", 48)
    assert (second.weather, second.time_of_day) == ("sunny", "midnight")
    assert first.location == second.location == Location.objects.get(code="LOC02")


def test_headings_are_known_however_they_are_spaced_and_typed(film: Project, user: User) -> None:
    rows: list[list[Any]] = [
        ["씬　번호", "샷 번호 *", "길이 (프레임)", "설명（한국어）", "ＷＥＡＴＨＥＲ", "대 사:"],
        ["SQ010", "ＳＨ００１０", 48, "창가의 게르다", "비", "잠깐!"],
    ]
    batch = bring(film, user, csv_of(rows, encoding="cp949"), name="목록.csv")
    assert batch.mapping["목록"]["columns"] == [
        "sequence",
        "code",
        "frames",
        "description_ko",
        "weather",
        "dialogue",
    ]
    assert errors(batch) == []


def test_a_text_that_a_separator_cuts_is_told_and_not_written_short(film: Project, user: User) -> None:
    text = "sequence,code,description\nSQ010,SH0010,She runs, then stops\nSQ010,SH0020,She stands,\n"
    batch = bring(film, user, text.encode(), name="list.csv")
    assert errors(batch) == [
        "list!D2: This row has more cells than headings. Put texts with separators in them into quotes."
    ]
    assert batch.counts["changed"] == 1


def test_a_title_over_all_columns_is_no_row_of_headings(film: Project, user: User) -> None:
    made = Workbook()
    sheet: Any = made.active
    for row in (["Scene"], [], ["씬", "컷 번호", "길이"], ["SQ010", "SH0010", 48], [None, "SH0020", 50]):
        sheet.append(row)
    sheet.merge_cells("A1:H1")
    sheet.merge_cells("A4:A5")
    file = io.BytesIO()
    made.save(file)
    batch = bring(film, user, file.getvalue(), name="list.xlsx")
    assert (batch.kind, errors(batch), batch.counts["changed"]) == ("Shots", [], 2)


def test_a_list_of_one_sequence_is_a_list_of_shots(film: Project, user: User) -> None:
    lists: list[list[list[Any]]] = [
        [["code", "description", "frames"], ["SH0010", "New", 48], ["SH0020", "New", 50]],
        [["code", "description"], ["SH0010", "New"], ["SH0020", "New"]],
        [["code", "description", "frames"], ["SH0010", "New", 48]],
    ]
    for rows in lists:
        batch = bring(film, user, csv_of(rows), name="list.csv", sequence="SQ010")
        assert (batch.kind, errors(batch)) == ("Shots", [])
        assert batch.counts["changed"] == len(rows) - 1


def test_every_word_that_our_pages_show_in_korean_is_read_again() -> None:
    with translation.override("ko"):
        for column, choices in (
            (SHOTS.by_name["weather"], Weather),
            (SHOTS.by_name["time_of_day"], TimeOfDay),
            (LOCATIONS.by_name["setting"], Setting),
        ):
            for one in choices:
                assert column.read(str(one.label)) == column.read(one.value) == one.value
                assert column.read(unicodedata.normalize("NFD", str(one.label))) == one.value


def test_a_name_that_two_locations_have_is_no_ones(film: Project, user: User) -> None:
    for code in ("LOC02", "LOC03"):
        LocationFactory.create(project=film, code=code, name="Attic")
    rows = [
        [*LIST, "location"],
        ["SQ010", "SH0010", "x", 48, "Attic"],
        ["SQ010", "SH0020", "y", 48, "Cellar"],
    ]
    batch = bring(film, user, csv_of(rows), name="shots.csv")
    first, second = errors(batch)
    assert first.startswith("shots!E2 (location): There is none of this name.")
    assert "Known are: LOC01, LOC02, LOC03." in second


def test_sequences_that_only_their_shots_name_come_with_them(film: Project, user: User) -> None:
    before = everything()
    rows = [LIST, ["SQ020", "SH0010", "a", 48], ["SQ030", "SH0010", "b", 48], ["SQ020", "SH0020", "c", 48]]
    batch = bring(film, user, csv_of(rows), name="shots.csv")
    assert batch.counts == batch.counts | {"left_out": 5, "problems": 0}

    batch = bring(film, user, csv_of(rows), name="shots.csv", create=True)
    assert batch.counts == batch.counts | {"new": 5, "problems": 0}
    listed = batch.rows.order_by("position").values_list("sheet", "row", "what", "outcome")
    assert list(listed)[:2] == [("Sequences", 0, "SQ020", "new"), ("Sequences", 0, "SQ030", "new")]
    assert ["new", "", "SQ030", ""] in told(batch, "name")
    assert written(batch, user).state == "applied"
    made = Sequence.objects.filter(project=film, code__in=["SQ020", "SQ030"]).order_by("code")
    assert [(one.code, one.name, one.order, one.shots.count()) for one in made] == [
        ("SQ020", "SQ020", 20, 2),
        ("SQ030", "SQ030", 30, 1),
    ]
    undo_import(batch, user=user)
    assert everything() == before


def test_whoever_reads_a_film_exports_it_and_brings_nothing(film: Project, user: User) -> None:
    artist = MembershipFactory.create(project=film, role=Role.ARTIST).user
    assert exported(film, artist, format="json").content == exported(film, user, format="json").content
