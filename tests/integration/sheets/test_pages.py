"""The pages of an import, as a browser sees them, and the same over HTTP."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.models import User
from apps.ledger.models import Batch
from apps.productions.editing import update_shot
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.sheets.models import ImportBatch, Work
from apps.sheets.services.asking import confirm
from tests.factories import TakeFactory
from tests.integration.sheets.film import bring, csv_of, make_film, workbook, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]

ROWS: list[list[Any]] = [
    ["sequence", "code", "description", "frames", "weather", "mood board"],
    ["SQ010", "SH0010", "<b>New</b>", 100, "rain", "x"],
    ["SQ010", "SH0020", "A girl walks along the quay", 0, "", ""],
]


@pytest.fixture
def user(db: None) -> User:
    return make_film()


@pytest.fixture
def film(user: User) -> Project:
    return Project.objects.get()


@pytest.fixture
def browser(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def page(batch: ImportBatch, deed: str = "change") -> str:
    return reverse(f"admin:sheets_importbatch_{deed}", args=[batch.pk])


def test_a_list_is_dropped_looked_at_and_written(browser: Client, film: Project) -> None:
    file = SimpleUploadedFile("shots.xlsx", workbook(Shots=ROWS))
    add = reverse("admin:sheets_importbatch_add")
    assert "Drop a file here" in browser.get(add).content.decode()
    answer = browser.post(add, {"project": film.pk, "file": file})
    batch = ImportBatch.objects.get()
    assert answer["Location"] == page(batch)

    html = browser.get(page(batch)).content.decode()
    assert "1 error: nothing can be written." in html
    assert "<del>A girl walks along the quay</del> → <ins>&lt;b&gt;New&lt;/b&gt;</ins>" in html
    assert "Write a whole number from 1 to 100000." in html
    assert "mood board" in html
    assert "<b>New</b>" not in html
    only = browser.get(page(batch) + "?only=errors").content.decode()
    assert "SH0020" in only
    assert "<ins>" not in only

    browser.post(page(batch, "options"), {"errors": "1", "row_version": batch.row_version})
    assert "Write it" in browser.get(page(batch)).content.decode()
    browser.post(page(batch, "confirm"), {"row_version": batch.row_version})
    assert not Shot.objects.filter(description="<b>New</b>").exists(), "of another plan than the one that is"
    now = {"row_version": ImportBatch.objects.get().row_version}
    browser.post(page(batch, "confirm"), now)
    assert Shot.objects.get(code="SH0010").description == "<b>New</b>"
    assert "Undo this import" in browser.get(page(batch)).content.decode()
    report = browser.get(page(batch, "report"))
    assert report["Content-Disposition"] == 'attachment; filename="shots_report.csv"'
    browser.post(page(batch, "undo"))
    assert Shot.objects.get(code="SH0010").description == "A girl walks along the quay"


def test_a_page_says_what_became_of_an_import_that_history_took_back(
    browser: Client, film: Project, user: User
) -> None:
    batch = bring(film, user, csv_of([ROWS[0][:4], ["SQ010", "SH0010", "새 글", 100]]), "콘티 1차.csv")
    confirm(batch, user=user)
    report = browser.get(page(batch, "report"))
    assert unquote(report["Content-Disposition"]) == "attachment; filename*=utf-8''콘티_1차_report.csv"
    history = reverse("admin:ledger_batch_change", args=[batch.pk])
    assert history in browser.get(page(batch)).content.decode()

    shot = Shot.objects.get(code="SH0010")
    update_shot(shot, user=user, row_version=shot.row_version, description="theirs")
    refused = browser.post(page(batch, "undo"), follow=True).content.decode()
    assert "Nothing was taken back, for somebody has changed since: SQ010_SH0010." in refused
    assert f'href="{history}">See what, and take back the rest…' in refused
    rows = [["shot", *ROWS[0][2:4]], ["SQ010_SH0099", "x", 9]]
    made = written(bring(film, user, csv_of(rows), "list.csv", create=True), user)
    TakeFactory.create(shot=Shot.objects.get(code="SH0099"))
    refused = browser.post(page(made, "undo"), follow=True).content.decode()
    assert "SQ010_SH0099 (it is needed by 1 take)." in refused

    browser.post(reverse("admin:ledger_batch_undo", args=[batch.pk]))
    html = browser.get(page(batch)).content.decode()
    assert f"{user} has taken this back." in html
    assert "What was written" in html
    assert "Undo this import" not in html
    shot.refresh_from_db()
    assert (shot.description, shot.frames) == ("theirs", 96)


def test_an_import_that_history_forgot_is_not_taken_back_and_that_is_said(
    browser: Client, film: Project, user: User
) -> None:
    batch = bring(film, user, csv_of([ROWS[0][:4], ["SQ010", "SH0010", "New", 100]]), "shots.csv")
    confirm(batch, user=user)
    Batch.objects.all().delete()
    told = browser.post(page(batch, "undo"), follow=True)
    assert "no longer remembered" in told.content.decode()
    assert Shot.objects.get(code="SH0010").frames == 100


def test_a_zip_of_lists_is_told_apart_from_a_damaged_workbook(browser: Client, film: Project) -> None:
    packed = browser.get(
        reverse("admin:sheets_importbatch_export"),
        {"project": str(film.pk), "format": "csv", "discipline": ""},
    )
    assert packed["Content-Type"] == "application/zip"
    file = SimpleUploadedFile("FROST.zip", packed.content)
    told = browser.post(reverse("admin:sheets_importbatch_add"), {"project": film.pk, "file": file})
    assert "This is a ZIP of other files, no workbook." in told.content.decode()
    assert not ImportBatch.objects.exists()


def test_what_is_chosen_from_a_list_is_told_in_the_readers_language(
    browser: Client, film: Project, user: User
) -> None:
    rows = [["sequence", "code", "time_of_day"], ["SQ010", "SH0010", "golden_hour"]]
    batch = bring(film, user, csv_of(rows), "shots.csv")
    html = browser.get(page(batch), headers={"accept-language": "ko"}).content.decode()
    assert "<ins>골든 아워</ins>" in html


def test_columns_are_named_in_the_readers_language_and_a_cell_at_fault_is_shown_as_it_stands(
    browser: Client, film: Project, user: User
) -> None:
    rows = [["sequence", "code", "description", "time_of_day"], ["SQ010", "SH0010", "=1+1", "night"]]
    batch = bring(film, user, workbook(Shots=rows))
    html = browser.get(page(batch), headers={"accept-language": "ko"}).content.decode()
    assert "<b>설명</b> =1+1 <em>" in html
    assert "<b>시간대</b>" in html
    assert "Fault(" not in html
    assert "<b>description</b> =1+1 <em>" in browser.get(page(batch)).content.decode()


def test_values_are_told_in_the_readers_language_and_files_keep_their_words(
    browser: Client, film: Project, user: User
) -> None:
    rows = [
        ["sequence", "code", "status", "time_of_day", "weather", "lens", "mood", "frames"],
        ["SQ010", "SH0010", "ready", "golden_hour", "rain", "85mm-portrait", "tense", "forty"],
    ]
    batch = bring(film, user, workbook(Shots=rows))
    with CaptureQueriesContext(connection) as english:
        told = browser.get(page(batch)).content.decode()
    assert "→ <ins>golden hour</ins>" in told and "→ <ins>85mm-portrait</ins>" in told
    with CaptureQueriesContext(connection) as queries:
        html = browser.get(page(batch), headers={"accept-language": "ko"}).content.decode()
    assert len(queries) <= len(english) + 3
    for korean in ("골든 아워", "비", "85mm 인물", "준비됨", "<b>렌즈 초점거리</b>", "<b>분위기</b>"):
        assert korean in html
    for word in ("golden_hour", ">rain<", "85mm-portrait", ">ready<"):
        assert word not in html.split('id="plan"')[1].partition("</table>")[0]
    assert "forty" in html
    report = browser.get(page(batch, "report"), headers={"accept-language": "ko"}).content.decode()
    assert "golden_hour" in report and "골든 아워" not in report


def test_columns_are_chosen_on_the_page(browser: Client, film: Project, user: User) -> None:
    batch = bring(film, user, csv_of([["ID", "Kommentar"], ["SQ010_SH0010", "hello"]]), "list.csv")
    opened = {"row_version": batch.row_version}
    sent = {"t0": "Shots", "t0c0": "shot", "t0c1": "notes"}
    browser.post(page(batch, "mapping"), sent | opened)
    batch.refresh_from_db()
    assert (batch.mapping["list"]["columns"], batch.counts["changed"]) == (["shot", "notes"], 1)
    late = {"t0": "Shots", "t0c0": "shot", "t0c1": "description"}
    stale = browser.post(page(batch, "mapping"), late | opened)
    [told] = stale.context["meanwhile"]
    assert (told.name, told.who) == ("mapping", user.username)
    assert '<option value="description" selected>' in " ".join(stale.content.decode().split())
    batch.refresh_from_db()
    assert batch.mapping["list"]["columns"] == ["shot", "notes"]
    now = {"row_version": batch.row_version}
    browser.post(page(batch, "mapping"), {"t0": "Locations", "t0c0": "shot", "t0c1": "notes"} | now)
    batch.refresh_from_db()
    assert batch.mapping["list"] == {"sheet": "Locations", "columns": ["", ""], "remembered": True}


def test_progress_is_shown_and_the_page_drawn_anew_when_the_work_is_done(
    browser: Client, film: Project, user: User
) -> None:
    batch = bring(film, user, workbook(Shots=ROWS))
    ImportBatch.objects.update(work=Work.PLAN, done=40, total=100)
    html = browser.get(page(batch)).content.decode()
    assert f'hx-get="{page(batch, "live")}"' in html
    assert "Write it" not in html
    fragment = browser.get(page(batch, "live"))
    assert (fragment.status_code, b'value="40"' in fragment.content) == (200, True)
    ImportBatch.objects.update(work="")
    done = browser.get(page(batch, "live"))
    assert (done.status_code, done["HX-Refresh"]) == (286, "true")


def test_a_file_that_is_none_is_told_on_the_page(browser: Client, film: Project) -> None:
    file = SimpleUploadedFile("shots.xlsx", b"%PDF-1.4")
    answer = browser.post(
        reverse("admin:sheets_importbatch_add"), {"project": film.pk, "file": file}, follow=True
    )
    assert "This is no XLSX, CSV or JSON file" in answer.content.decode()
    assert not ImportBatch.objects.exists()


def test_ten_thousand_rows_come_in_pages(browser: Client, film: Project, user: User) -> None:
    rows = [ROWS[0], *(["SQ010", f"SH{n:04}", "More", 24, "rain", ""] for n in range(1000, 1150))]
    batch = bring(film, user, workbook(Shots=rows), create=True)
    first = browser.get(page(batch)).content.decode()
    assert "1–100 of 150" in first
    assert "SH1120" not in first
    assert "SH1120" in browser.get(page(batch) + "?p=2").content.decode()


def test_the_pages_take_no_more_queries_for_a_longer_list(
    browser: Client, film: Project, user: User, django_assert_max_num_queries: Any
) -> None:
    rows = [ROWS[0], *(["SQ010", f"SH{n:04}", "More", 24, "rain", ""] for n in range(1000, 1100))]
    for _again in range(4):
        batch = bring(film, user, workbook(Shots=rows), create=True)
    with django_assert_max_num_queries(16):
        browser.get(page(batch))
    with django_assert_max_num_queries(16):
        browser.get(reverse("admin:sheets_importbatch_changelist"))
    with django_assert_max_num_queries(10):
        browser.get("/api/v1/projects/FROST/imports")


def test_selected_shots_are_exported_from_their_list(browser: Client, film: Project) -> None:
    shot = Shot.objects.get(code="SH0020")
    listing = reverse("admin:productions_shot_changelist")
    answer = browser.post(listing, {"action": "export_shots", "_selected_action": [str(shot.pk)]})
    assert answer["Content-Disposition"] == 'attachment; filename="FROST_shots.xlsx"'
    sheet = load_workbook(io.BytesIO(answer.content))["Shots"]
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == ["SH0020"]
    whole = browser.get(
        reverse("admin:sheets_importbatch_export"),
        {"project": str(film.pk), "format": "csv", "discipline": "locations"},
    )
    assert whole["Content-Disposition"] == 'attachment; filename="FROST_locations.csv"'
    assert whole.content.decode("utf-8-sig").startswith("code,name,name_ko")


def test_a_list_goes_in_and_out_over_http(browser: Client, film: Project) -> None:
    imports = "/api/v1/projects/FROST/imports"
    file = SimpleUploadedFile("shots.xlsx", workbook(Shots=ROWS))
    made = browser.post(imports, {"file": file})
    assert made.status_code == 201
    told = made.json()
    assert (told["state"], told["work"], told["counts"]["error"], told["kind"]) == ("planned", "", 1, "Shots")
    one = f"{imports}/{told['id']}"
    rows = browser.get(f"{one}/rows?only=errors").json()
    assert rows["count"] == 1
    (wrong,) = [cell for cell in rows["results"][0]["cells"] if cell["state"] == "error"]
    assert (wrong["column"], wrong["after"]) == ("frames", "0")
    refused = browser.post(f"{one}/confirm")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "errors")
    said = {"left_out": [["Shots", "3"]], "row_version": told["row_version"]}
    changed = browser.patch(one, said, content_type="application/json").json()
    assert changed["counts"]["left_out"] == 1
    of_before = {"row_version": told["row_version"]}
    assert browser.post(f"{one}/confirm", of_before, content_type="application/json").status_code == 409
    of_now = {"row_version": changed["row_version"]}
    confirmed = browser.post(f"{one}/confirm", of_now, content_type="application/json")
    assert confirmed.json()["state"] == "applied"
    assert Shot.objects.get(code="SH0010").frames == 100
    assert browser.post(f"{one}/undo").json()["state"] == "undone"
    assert browser.post(f"{one}/undo").status_code == 409
    assert Shot.objects.get(code="SH0010").frames == 96
    assert [row["id"] for row in browser.get(imports).json()["results"]] == [told["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"empty": "maybe"}, "empty"),
        ({"sequence": "../x"}, "sequence"),
        ({"left_out": [["Shots", "x"]]}, "left_out"),
        ({"mapping": {"Nope": {"sheet": "Shots", "columns": []}}}, "mapping"),
        ({"mapping": {"Shots": {"sheet": "Takes", "columns": [""] * 6}}}, "mapping.Shots"),
        (
            {"mapping": {"Shots": {"sheet": "Shots", "columns": ["code", "code", "", "", "", ""]}}},
            "mapping.Shots",
        ),
        ({"hm": 1}, "hm"),
    ],
)
def test_wrong_choices_are_named(
    browser: Client, film: Project, user: User, body: dict[str, Any], field: str
) -> None:
    batch = bring(film, user, workbook(Shots=ROWS))
    answer = browser.patch(
        f"/api/v1/projects/FROST/imports/{batch.pk}",
        body | {"row_version": batch.row_version},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_an_export_over_http_names_what_it_does_not_know(browser: Client, film: Project) -> None:
    export = "/api/v1/projects/FROST/export"
    file = browser.get(f"{export}?format=json&discipline=shots&shots=SQ010_SH0010")
    assert [shot["code"] for shot in file.json()["shots"]] == ["SH0010"]
    for query, field in (
        ("format=pdf", "format"),
        ("discipline=x", "discipline"),
        ("shots=SQ010_SH9", "shots"),
    ):
        answer = browser.get(f"{export}?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
