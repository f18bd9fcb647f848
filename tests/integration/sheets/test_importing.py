"""A file comes in: mapped, looked at, written, all or nothing; rows that somebody changed are named."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db.models import F

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.ledger.models import Activity
from apps.productions.editing import update_shot
from apps.productions.models import Sequence, Shot, ShotCharacter, ShotStatus
from apps.productions.render_plan import DEMO_WORKBOOK
from apps.productions.statuses import save_status
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.prompts.composer import compose
from apps.prompts.reader import Reader
from apps.prompts.selectors import inputs_for
from apps.sheets.models import ImportBatch, Outcome, Work
from apps.sheets.reading import TableMapping
from apps.sheets.reporting import report
from apps.sheets.services import doing
from apps.sheets.services.aging import KEPT_OPEN, expire
from apps.sheets.services.asking import confirm
from apps.sheets.services.choosing import choose, discard, leave_out_errors
from apps.sheets.services.doing import ask, ask_again, do_work
from apps.sheets.services.undoing import undo_import
from apps.sheets.states import BatchState
from tests.factories import MembershipFactory, TakeFactory
from tests.integration.sheets.film import (
    bring,
    csv_of,
    errors,
    everything,
    exported,
    make_film,
    told,
    workbook,
    written,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]

SHOTS: list[Any] = ["sequence", "code", "description", "frames", "weather"]


@pytest.fixture
def user(db: None) -> User:
    return make_film()


@pytest.fixture
def film(user: User) -> Project:
    return Project.objects.get()


def outcomes(batch: ImportBatch) -> list[str]:
    return list(batch.rows.order_by("position").values_list("outcome", flat=True))


def test_a_dry_run_tells_each_cell_and_writes_nothing(film: Project, user: User) -> None:
    before = everything()
    rows = [SHOTS, ["SQ010", "SH0010", "A new description", 96, "rain"], ["SQ010", "SH0020", None, 48, None]]
    batch = bring(film, user, workbook(Shots=rows))
    assert everything() == before
    assert (batch.state, batch.kind, batch.counts["changed"], batch.counts["same"]) == (
        "planned",
        "Shots",
        1,
        1,
    )
    assert told(batch, "weather")[0] == ["changed", "snow", "rain", ""]
    assert told(batch, "frames")[0] == ["same", "", "96", ""]
    assert told(batch, "description")[1][:2] == ["kept", "A girl walks along the quay"]


def test_confirming_writes_only_what_differs_and_remembers_it_as_one_batch(film: Project, user: User) -> None:
    rows = [
        SHOTS,
        ["SQ010", "SH0010", "New", 100, "rain"],
        ["SQ010", "SH0020", "A girl walks along the quay", 48, None],
    ]
    batch = written(bring(film, user, workbook(Shots=rows)), user)
    shot = Shot.objects.get(code="SH0010")
    assert (shot.description, shot.frames, shot.weather) == ("New", 100, "rain")
    assert (batch.state, batch.applied_by) == ("applied", user.username)
    remembered = Activity.objects.filter(batch=batch.pk)
    assert [(one.label, one.actor) for one in remembered] == [("SQ010_SH0010", user.username)]
    assert remembered[0].changes["frames"] == [96, 100]


def test_an_update_creates_nothing_unless_it_is_told_to(film: Project, user: User) -> None:
    rows = [SHOTS, ["SQ010", "SH0030", "Later", 24, ""], ["SQ020", "SH0010", "Elsewhere", 24, ""]]
    content = workbook(Sequences=[["code", "name"], ["SQ020", "The sea"]], Shots=rows)
    batch = bring(film, user, content)
    assert outcomes(batch) == ["left_out"] * 3
    with pytest.raises(Refused, match="Nothing in it"):
        confirm(batch, user=user)
    choose(batch, user=user, create=True)
    batch.refresh_from_db()
    assert batch.counts["new"] == 3
    written(batch, user)
    assert Shot.objects.get(sequence__code="SQ020").description == "Elsewhere"
    assert Sequence.objects.get(code="SQ020").name == "The sea"


def test_what_stays_may_not_need_what_is_left_out(film: Project, user: User) -> None:
    content = workbook(
        Locations=[["code", "name"], ["LOC09", "The palace"]],
        Shots=[["sequence", "code", "location"], ["SQ010", "SH0010", "LOC09"]],
    )
    batch = bring(film, user, content)
    assert any("only what is there is updated" in one for one in errors(batch))


def test_empty_cells_keep_what_is_there_until_they_are_told_to_clear_it(film: Project, user: User) -> None:
    rows: list[Any] = [["sequence", "code", "weather", "notes"], ["SQ010", "SH0010", None, None]]
    batch = bring(film, user, workbook(Shots=rows))
    assert (batch.counts["kept_cells"], batch.counts["same"]) == (2, 1)
    choose(batch, user=user, empty="clear")
    batch.refresh_from_db()
    assert batch.counts["cleared_cells"] == 2
    written(batch, user)
    assert Shot.objects.get(code="SH0010").weather == ""


def test_whom_a_cast_no_longer_names_leaves_it_only_when_empty_means_clear(film: Project, user: User) -> None:
    content = workbook(
        Shots=[["sequence", "code"], ["SQ010", "SH0010"]],
        Casting=[["shot", "character", "action"], ["SQ010_SH0010", "CH0001", "turns"]],
    )
    assert bring(film, user, content).counts.get("removed") is None
    batch = bring(film, user, content, empty="clear")
    assert [row.what for row in batch.rows.filter(outcome=Outcome.REMOVED)] == ["SQ010_SH0010 CH0002"]
    written(batch, user)
    assert list(
        ShotCharacter.objects.filter(shot__code="SH0010").values_list("character__code", "action")
    ) == [("CH0001", "turns")]


def test_every_error_is_told_by_row_and_column_with_what_would_be_right(film: Project, user: User) -> None:
    rows = [
        [*SHOTS, "location", "presets", "status", "assignees"],
        ["SQ010", "SH0010", "x", 0, "hail", "LOC99", "wide-shto", "approved", "nobody"],
    ]
    found = "\n".join(errors(bring(film, user, workbook(Shots=rows))))
    assert "Shots!D2 (frames): Write a whole number from 1 to 100000." in found
    assert "Shots!E2 (weather): Write one of: sunny, cloudy" in found
    assert "Shots!F2 (location): There is none of this name. " in found
    assert "Shots!G2 (presets): There is none of this name. Did you mean wide-shot?" in found
    assert "Shots!H2 (status): From “draft” a shot may go to: in_progress" in found
    assert "Shots!I2 (assignees): There is none of this name." in found


def test_nothing_is_written_while_there_are_errors_and_their_rows_can_be_left_out(
    film: Project, user: User
) -> None:
    rows = [SHOTS, ["SQ010", "SH0010", "New", 0, ""], ["SQ010", "SH0020", "New too", 50, ""]]
    batch = bring(film, user, workbook(Shots=rows))
    with pytest.raises(Refused, match="There are 1 errors"):
        confirm(batch, user=user)
    leave_out_errors(batch, user=user)
    batch.refresh_from_db()
    assert outcomes(batch) == ["left_out", "changed"]
    written(batch, user)
    assert list(Shot.objects.order_by("code").values_list("description", "frames")) == [
        ("A girl walks along the quay", 96),
        ("New too", 50),
    ]


def test_a_row_that_somebody_changed_since_the_dry_run_is_named_and_nothing_is_written(
    film: Project, user: User
) -> None:
    rows = [SHOTS, ["SQ010", "SH0010", "New", 96, "snow"], ["SQ010", "SH0020", "New too", 50, ""]]
    batch = bring(film, user, workbook(Shots=rows))
    Shot.objects.filter(code="SH0010").update(notes="mine", row_version=F("row_version") + 1)
    before = everything()
    written(batch, user)
    batch.refresh_from_db()
    assert (batch.state, batch.work) == ("planned", "")
    assert [(one["code"], one["value"]) for one in batch.problems] == [("stale", "SQ010 SH0010")]
    assert everything() == before
    choose(batch, user=user)  # the dry run again
    batch.refresh_from_db()
    written(batch, user)
    assert Shot.objects.get(code="SH0010").description == "New"


def test_a_locked_shot_is_refused_by_name(film: Project, user: User) -> None:
    from django.utils import timezone

    Shot.objects.filter(code="SH0010").update(locked_by="alice", locked_at=timezone.now())
    content = workbook(
        Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"], ["SQ010", "SH0020", "New too", 50, ""]],
        Casting=[["shot", "character", "action"], ["SQ010_SH0010", "CH0001", "turns"]],
    )
    found = errors(bring(film, user, content))
    assert sorted(one.partition(":")[0] for one in found) == ["Casting!A2 (shot)", "Shots!B2 (code)"]
    assert all("alice locked this shot" in one for one in found)


def test_a_status_is_a_move_that_the_machine_and_the_role_allow(film: Project, user: User) -> None:
    rows = [["id", "status"], ["SQ010_SH0010", "준비"], ["SQ010_SH0020", "In progress"]]
    ShotStatus.objects.filter(slug="ready").update(name_ko="준비")
    batch = written(bring(film, user, workbook(Shots=rows)), user)
    assert batch.state == "applied"
    assert dict(Shot.objects.values_list("code", "status")) == {"SH0010": "ready", "SH0020": "in_progress"}


def test_shots_that_would_continue_one_another_are_refused(film: Project, user: User) -> None:
    rows = [["sequence", "code", "continuity_from"], ["SQ010", "SH0010", "SQ010_SH0020"]]
    assert any("in a circle" in one for one in errors(bring(film, user, workbook(Shots=rows))))


def test_the_project_itself_takes_its_admin(film: Project, user: User) -> None:
    rows = [["code", "name", "fps"], ["FROST", film.name, "25"]]
    assert any("its admin" in one for one in errors(bring(film, user, workbook(Project=rows))))
    admin = MembershipFactory.create(project=film, role=Role.ADMIN).user
    batch = written(bring(film, admin, workbook(Project=rows)), admin)
    film.refresh_from_db()
    assert (batch.state, film.fps) == ("applied", 25)


def test_a_sheet_about_another_project_is_refused(film: Project, user: User) -> None:
    batch = bring(film, user, workbook(Project=[["code", "name"], ["OTHER", "Other"]]))
    assert any("another project than FROST" in one for one in errors(batch))


def test_columns_that_people_map_are_remembered_for_the_next_file(film: Project, user: User) -> None:
    rows = [["ID", "Was passiert", "Wetter", "Kommentar"], ["SQ010_SH0010", "Neu", "rain", "x"]]
    batch = bring(film, user, csv_of(rows, separator=";"), "Liste.csv")
    assert batch.mapping["Liste"]["columns"] == ["shot", "", "", ""]
    columns = ("shot", "description", "weather", "")
    choose(batch, user=user, mapping={"Liste": TableMapping("Shots", columns)})
    again = bring(film, user, csv_of(rows, separator=";"), "Liste_2.csv")
    assert again.mapping["Liste_2"] == {"sheet": "Shots", "columns": list(columns), "remembered": True}
    assert again.counts["changed"] == 1


def test_of_two_headings_of_one_name_each_is_remembered_for_itself(film: Project, user: User) -> None:
    rows = [["shot", "Text", "Text"], ["SQ010_SH0010", "Said", "Done"]]
    batch = bring(film, user, csv_of(rows), "list.csv")
    columns = ("shot", "dialogue", "notes")
    choose(batch, user=user, mapping={"list": TableMapping("Shots", columns)})
    again = written(bring(film, user, csv_of(rows), "next.csv"), user)
    assert again.mapping["next"]["columns"] == list(columns)
    assert Shot.objects.values_list("dialogue", "notes").get(code="SH0010") == ("Said", "Done")


def test_a_column_without_a_heading_is_shown_and_can_be_read(film: Project, user: User) -> None:
    rows = [["sequence", "code"], ["SQ010", "SH0010", "Said"]]
    batch = bring(film, user, workbook(Shots=rows))
    assert batch.tables[0]["headings"] == ["sequence", "code", ""]
    choose(batch, user=user, mapping={"Shots": TableMapping("Shots", ("sequence", "code", "dialogue"))})
    batch.refresh_from_db()
    assert told(batch, "dialogue")[0][2] == "Said"


def test_the_predecessors_headings_are_known(film: Project, user: User) -> None:
    rows = [
        [
            "id",
            "scene_description",
            "status",
            "duration_seconds",
            "subjects_summary",
            "env_location",
            "tech_camera",
        ],
        ["SH0010", "New", "pending", "00:00:02", "Gerda", "LOC01", "Arri"],
    ]
    batch = bring(film, user, workbook(Shots=rows), sequence="SQ010")
    assert batch.mapping["Shots"]["columns"] == [
        "shot",
        "description",
        "status",
        "seconds",
        "",
        "location",
        "",
    ]
    assert (told(batch, "frames"), told(batch, "status")) == (
        [["changed", "96", "48", ""]],
        [["changed", "draft", "ready", ""]],
    )


def test_korean_headings_are_known(film: Project, user: User) -> None:
    rows = [
        ["시퀀스", "샷 코드", "설명", "프레임 수", "날씨", "비고"],
        ["SQ010", "SH0010", "눈 내리는 항구", "72", "rain", "메모"],
    ]
    batch = bring(film, user, csv_of(rows, encoding="cp949"), "샷 목록.csv")
    assert batch.mapping["샷 목록"]["columns"] == [
        "sequence",
        "code",
        "description_ko",
        "frames",
        "weather",
        "notes",
    ]
    english = Shot.objects.get(code="SH0010").description
    written(batch, user)
    shot = Shot.objects.get(code="SH0010")
    assert (shot.description_ko, shot.frames, shot.notes) == ("눈 내리는 항구", 72, "메모")
    assert shot.description == english


@pytest.mark.parametrize(
    ("headings", "cells", "meant"),
    (
        (["설명"], ["Snow falls", "눈", "Ice breaks"], ["description"]),  # what stands below decides
        (["설명"], ["눈", "", "얼음이 깨진다"], ["description_ko"]),
        (["description"], ["눈", "눈", "눈"], ["description"]),  # says its language
        (["설명", "설명(한국어)"], ["눈", "눈", "눈"], ["description", "description_ko"]),
        (["설명", "description"], ["눈", "눈", "눈"], ["description_ko", ""]),
    ),
)
def test_a_korean_heading_means_the_korean_text_where_the_cells_are_korean(
    film: Project, user: User, headings: list[str], cells: list[str], meant: list[str]
) -> None:
    rows = [["시퀀스", "코드", *headings]]
    rows += [
        ["SQ010", f"SH00{number}0", *[cell] * len(headings)] for number, cell in enumerate(cells, start=1)
    ]
    batch = bring(film, user, csv_of(rows), "샷 목록.csv")
    assert batch.mapping["샷 목록"]["columns"][2:] == meant


def test_a_shot_planned_in_korean_alone_is_made_says_so_in_prompts_and_goes_out_and_in_unchanged(
    film: Project, user: User
) -> None:
    rows = [["시퀀스", "코드", "설명", "프레임"], ["SQ010", "SH0990", "눈 내리는 항구", "72"]]
    written(bring(film, user, csv_of(rows), "샷 목록.csv", create=True), user)
    shot = Shot.objects.get(code="SH0990")
    assert (shot.description, shot.description_ko) == ("", "눈 내리는 항구")
    facts = inputs_for([shot])[shot.pk]
    scene = compose(facts, Reader("image", "flux"), language="en").segments[0]
    assert (scene.text, scene.language, scene.why) == ("눈 내리는 항구", "ko", "fallback_ko")
    out = exported(film, user, shots=[shot.pk])
    again = bring(film, user, out.content, out.name, empty="clear")
    assert not errors(again) and not again.counts.get("changed")
    empty = [[*SHOTS[:3], "description_ko", "frames"], ["SQ010", "SH0995", "", "", "72"]]
    batch = bring(film, user, csv_of(empty), "shots.csv", create=True, empty="clear")
    assert "The cell is empty. Fill it." in str(errors(batch))
    batch = bring(film, user, csv_of(empty), "shots.csv", create=True)
    assert "The row is new, so this must be filled." in str(errors(batch))


def test_categories_of_presets_have_columns_of_their_own(film: Project, user: User) -> None:
    rows = [["sequence", "code", "lens", "shot_size"], ["SQ010", "SH0010", "85mm-portrait", "wide-shot"]]
    batch = bring(film, user, workbook(Shots=rows))
    assert not errors(batch)
    assert told(batch, "lens_focal") == [["changed", "35mm", "85mm-portrait", ""]]
    written(batch, user)
    shot = Shot.objects.get(code="SH0010")
    assert list(shot.shot_presets.order_by("order").values_list("preset__slug", flat=True)) == [
        "wide-shot",
        "85mm-portrait",
    ]


def test_a_row_can_be_left_out_by_hand(film: Project, user: User) -> None:
    rows = [SHOTS, ["SQ010", "SH0010", "New", 96, "snow"], ["SQ010", "SH0020", "New too", 50, ""]]
    batch = bring(film, user, workbook(Shots=rows), left_out=[["Shots", 3]])
    assert outcomes(batch) == ["changed", "left_out"]


def test_the_report_has_a_line_for_each_cell_that_changed(film: Project, user: User) -> None:
    rows = [SHOTS, ["SQ010", "SH0010", "'=New", 96, "snow"]]
    file = report(written(bring(film, user, workbook(Shots=rows)), user))
    assert file.name == "shots_report.csv"
    lines = file.content.decode("utf-8-sig").splitlines()
    assert lines[1] == "Shots,2,SQ010 SH0010,changed,description,A girl walks along the quay,'=New,"


def test_no_spreadsheet_runs_what_the_report_says_of_a_sheet(film: Project, user: User) -> None:
    sheets: dict[str, list[list[Any]]] = {"=1+1": [["sequence", "description", "frames"], ["SQ010", "x", 24]]}
    batch = bring(film, user, workbook(**sheets))
    assert [one["field"] for one in batch.problems] == ["=1+1"]
    assert ",'=1+1," in report(batch).content.decode("utf-8-sig")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ARTIST, Role.CLIENT])
def test_whoever_does_not_plan_the_project_brings_nothing(film: Project, user: User, role: Role) -> None:
    other = MembershipFactory.create(project=film, role=role).user
    with pytest.raises(NotAllowed):
        bring(film, other, workbook(Shots=[SHOTS]))
    batch = bring(film, user, workbook(Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"]]))
    for deed in (choose, confirm, discard):
        with pytest.raises(NotAllowed):
            deed(batch, user=other)


def test_an_import_that_is_closed_stays_closed(film: Project, user: User) -> None:
    batch = bring(film, user, workbook(Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"]]))
    discard(batch, user=user)
    assert not default_storage.exists(batch.key)
    assert not batch.rows.exists()
    for deed in (choose, confirm, discard):
        with pytest.raises(Conflict, match="laid aside"):
            deed(batch, user=user)


def test_who_confirms_a_moment_after_somebody_else_leaves_what_was_written_as_it_is(
    film: Project, user: User
) -> None:
    rows = [SHOTS, ["SQ010", "SH0010", "Once", 100, "rain"]]
    batch = bring(film, user, workbook(Shots=rows))
    other = MembershipFactory.create(project=film, role=Role.ADMIN).user
    late = ImportBatch.objects.get(pk=batch.pk)
    written(batch, user)
    with pytest.raises(Conflict, match="closed"):
        confirm(late, user=other)
    ask(late, Work.APPLY)  # past every check, as a process may that was held up before it noted the work
    batch.refresh_from_db()
    assert (batch.state, batch.work, batch.problems) == ("applied", "", [])
    assert (batch.report["confirmed_by"], batch.applied_by) == (user.username, user.username)


def test_what_nobody_confirms_for_a_month_expires(film: Project, user: User) -> None:
    batch = bring(film, user, workbook(Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"]]))
    assert expire(film) == 0
    ImportBatch.objects.update(updated_at=F("updated_at") - KEPT_OPEN)
    assert expire(film) == 1
    batch.refresh_from_db()
    assert batch.state == BatchState.EXPIRED


@pytest.mark.parametrize("few", ["FEW_BYTES", "FEW_ROWS"])
def test_a_long_file_is_planned_by_the_media_worker_once(
    film: Project,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    few: str,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(doing, few, 0)
    monkeypatch.setattr(doing, "request_work", asked.append)
    with django_capture_on_commit_callbacks(execute=True):
        batch = bring(film, user, workbook(Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"]]))
    assert (batch.state, batch.work, asked) == ("uploaded", "plan", [batch.pk])
    with pytest.raises(Conflict, match="at work"):
        choose(batch, user=user)
    do_work(batch.pk)
    do_work(batch.pk)  # the message came twice
    batch.refresh_from_db()
    assert (batch.state, batch.work) == ("planned", "")


def test_work_that_nobody_took_is_asked_for_again(
    film: Project, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    batch = bring(film, user, workbook(Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"]]))
    monkeypatch.setattr(doing, "FEW_BYTES", 10)
    monkeypatch.setattr(doing, "request_work", asked.append)
    ask(batch, Work.PLAN)
    ImportBatch.objects.update(asked_at=F("asked_at") - 2 * doing.PATIENCE)
    assert ask_again(doing.PATIENCE) == 1
    assert asked == [batch.pk]


def test_looking_at_a_longer_file_takes_no_more_queries(
    film: Project, user: User, django_assert_max_num_queries: Any
) -> None:
    rows = [SHOTS, *(["SQ010", f"SH{n:04}", "More", 24, "rain"] for n in range(1000, 1300))]
    with django_assert_max_num_queries(45):
        bring(film, user, workbook(Shots=rows))


def all_of_it(user: User, film: Project) -> ImportBatch:
    """An import that changes, creates, casts, presets and assigns."""
    content = workbook(
        Locations=[["code", "name"], ["LOC09", "The palace"]],
        Costumes=[["character", "name", "prompt"], ["CH0001", "Red coat", "a blue coat"]],
        Shots=[
            [*SHOTS, "location", "presets", "assignees", "status"],
            ["SQ010", "SH0010", "New", 100, "rain", "LOC09", "wide-shot", None, "ready"],
            ["SQ010", "SH0030", "Later", 24, None, "LOC09", None, "art-frost", None],
        ],
        Casting=[
            ["shot", "character", "action"],
            ["SQ010_SH0030", "CH0002", "runs"],
            ["SQ010_SH0010", "CH0001", "x"],
        ],
    )
    batch = written(bring(film, user, content, create=True, empty="clear"), user)
    assert batch.state == "applied", batch.problems
    return batch


def said(rows: list[Any]) -> list[Any]:
    """What the rows say, without keys and bookkeeping, which may be others after an undo."""
    own = {"id", "created_at", "updated_at", "row_version", "shot_id", "character_id", "order"}
    return sorted(repr({name: value for name, value in row.items() if name not in own}) for row in rows)


def test_a_whole_import_is_taken_back(film: Project, user: User) -> None:
    before = said(everything())
    batch = all_of_it(user, film)
    assert said(everything()) != before
    undo_import(batch, user=user)
    batch.refresh_from_db()
    assert batch.state == "undone"
    assert said(everything()) == before


def test_an_import_that_moved_a_shot_from_the_studios_own_status_is_taken_back(
    film: Project, user: User
) -> None:
    save_status(ShotStatus(slug="client-review", state="review", name="Client review", order=35), user=None)
    shot = Shot.objects.filter(code="SH0010")
    shot.update(status="review", studio_status="client-review")
    batch = written(bring(film, user, workbook(Shots=[["id", "status"], ["SQ010_SH0010", "on_hold"]])), user)
    assert shot.get().shown_status.pk == "on_hold"
    undo_import(batch, user=user)
    assert shot.values_list("status", "studio_status").get() == ("review", "client-review")


def test_an_import_is_not_taken_back_over_somebody_elses_change(film: Project, user: User) -> None:
    batch = all_of_it(user, film)
    shot = Shot.objects.get(code="SH0010")
    update_shot(shot, user=user, row_version=shot.row_version, frames=7)
    before = everything()
    with pytest.raises(Conflict, match="SQ010_SH0010"):
        undo_import(batch, user=user)
    batch.refresh_from_db()
    assert (batch.state, everything()) == ("applied", before)


def test_an_import_whose_shot_has_a_take_by_now_stays_whole(film: Project, user: User) -> None:
    batch = all_of_it(user, film)
    TakeFactory.create(shot=Shot.objects.get(code="SH0030"))
    before = everything()
    with pytest.raises(Conflict, match="SQ010_SH0030”: it is needed by 1 take"):
        undo_import(batch, user=user)
    batch.refresh_from_db()
    assert (everything(), batch.state) == (before, "applied")


def test_what_was_never_written_is_not_taken_back(film: Project, user: User) -> None:
    batch = bring(film, user, workbook(Shots=[SHOTS, ["SQ010", "SH0010", "New", 96, "snow"]]))
    with pytest.raises(Conflict, match="Only an import that was written"):
        undo_import(batch, user=user)


def test_the_demos_workbook_comes_in_as_it_is_and_what_it_renders_is_no_plan(
    film: Project, user: User
) -> None:
    film.code = "SNOW"
    film.save(update_fields=["code"])
    film.memberships.update(role=Role.ADMIN)
    batch = bring(film, user, DEMO_WORKBOOK.read_bytes(), "snow_queen.xlsx", create=True)
    assert not errors(batch)
    assert batch.mapping["Renders"]["sheet"] == ""
    assert {row.sheet for row in batch.rows.filter(outcome=Outcome.NEW)} == {
        *("Sequences", "Characters", "Costumes", "Loras", "Locations", "Shots", "Casting")
    }
