"""Importing a production: all or nothing, with addresses, and twice is once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model

from apps.characters.models import Character, CharacterLora, Costume
from apps.characters.services import create_character
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.ledger.models import Batch
from apps.productions.importing import import_workbook, service
from apps.productions.models import Location, Sequence, Shot, ShotCharacter, ShotPreset
from apps.productions.services import create_sequence, create_shot
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from tests.factories import MembershipFactory, UserFactory
from tests.integration.productions.conftest import Sheets, WorkbookMaker

pytestmark = pytest.mark.django_db

EVERYTHING: tuple[type[Model], ...] = (
    Project,
    Sequence,
    Location,
    Character,
    Costume,
    CharacterLora,
    Shot,
    ShotCharacter,
    ShotPreset,
)


def _rows() -> list[dict[str, Any]]:
    return [row for model in EVERYTHING for row in model._default_manager.order_by("pk").values()]


def _presets(shot: Shot) -> list[str]:
    return list(shot.shot_presets.order_by("order").values_list("preset__slug", flat=True))


def _problems(file: io.BytesIO) -> dict[str, tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        import_workbook(file)
    return {problem.field: (problem.value, str(problem.message)) for problem in refused.value.problems}


def test_a_workbook_becomes_a_production(sheets: Sheets, workbook: WorkbookMaker) -> None:
    result = import_workbook(workbook(sheets))

    assert (result.project, result.created, result.changed, result.unchanged) == ("FROST", 10, 0, 0)
    shot = Shot.objects.get(code="SH0010")
    assert (shot.full_code, shot.frames, shot.time_of_day) == ("SQ010_SH0010", 96, "golden_hour")
    assert shot.status_id == "ready"
    assert shot.location == Location.objects.get(code="LOC010")
    assert _presets(shot) == ["wide-shot", "35mm"]
    casting = ShotCharacter.objects.select_related("costume").get(shot__code="SH0020")
    assert casting.costume is not None
    assert (casting.action, casting.costume.name) == ("turns a page", "Cloak")
    gerda = Character.objects.select_related("default_costume").get()
    assert gerda.default_costume is not None
    assert gerda.default_costume.name == "Pinafore"
    assert CharacterLora.objects.get().trigger_words == ["gerda_snow", "braids"]


def test_every_shot_that_is_born_has_its_event(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets), user=UserFactory.create(username="boss", is_superuser=True))
    events = StateEvent.objects.filter(machine="shot").values_list("from_state", "to_state", "actor")
    assert list(events) == [("", "ready", "boss"), ("", "ready", "boss")]


def test_importing_twice_changes_nothing(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    before = _rows()

    result = import_workbook(workbook(sheets))

    assert (result.created, result.changed, result.unchanged, result.removed) == (0, 0, 10, 0)
    assert _rows() == before


def test_a_changed_cell_updates_only_its_row(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    before = {row["id"]: row for row in _rows()}
    sheets["Shots"][1][3] = 60

    result = import_workbook(workbook(sheets))

    changed = [row for row in _rows() if row != before[row["id"]]]
    assert (result.created, result.changed, result.unchanged) == (0, 1, 9)
    assert [str(difference) for difference in result.differences] == [
        "Shots!2 SQ010 SH0010: frames “96” → “60”"
    ]
    assert [(row["code"], row["frames"], row["row_version"]) for row in changed] == [("SH0010", 60, 1)]


def test_changed_presets_replace_those_of_their_shot(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    sheets["Shots"][1][7] = "shot_size/close-up, 35mm"

    result = import_workbook(workbook(sheets))

    shot = Shot.objects.get(code="SH0010")
    assert _presets(shot) == ["close-up", "35mm"]
    assert (result.changed, shot.row_version) == (1, 1)
    assert result.differences[0].columns == {"presets": ("wide-shot, 35mm", "close-up, 35mm")}


def test_a_casting_the_workbook_no_longer_has_goes(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    del sheets["Casting"][1]

    result = import_workbook(workbook(sheets))

    assert result.removed == 1
    assert not ShotCharacter.objects.exists()


def test_an_empty_cell_clears_and_an_absent_column_leaves(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    Shot.objects.update(notes="kept")
    sheets["Shots"][1][5] = None

    import_workbook(workbook(sheets))

    shot = Shot.objects.get(code="SH0010")
    assert (shot.weather, shot.notes) == ("", "kept")


def test_a_shot_keeps_its_status_when_it_is_imported_again(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    Shot.objects.update(status="review")

    assert import_workbook(workbook(sheets)).changed == 0
    assert set(Shot.objects.values_list("status", flat=True)) == {"review"}


def test_codes_typed_in_a_workbook_are_not_handed_out_again(sheets: Sheets, workbook: WorkbookMaker) -> None:
    sheets["Shots"][2][1] = "SH0025"
    sheets["Casting"][1][0] = "SQ010_SH0025"
    import_workbook(workbook(sheets))
    project = Project.objects.get()

    assert create_sequence(project=project, name="Next", user=None).code == "SQ020"
    assert create_shot(sequence=Sequence.objects.get(code="SQ010"), user=None).code == "SH0030"
    assert create_character(project=project, name="Kai", user=None).code == "CH0002"


def test_a_dry_run_says_what_would_change_and_writes_nothing(sheets: Sheets, workbook: WorkbookMaker) -> None:
    result = import_workbook(workbook(sheets), dry_run=True)

    assert (result.created, result.dry_run) == (10, True)
    assert not _rows()
    assert not StateEvent.objects.exists()


def test_a_workbook_can_go_into_a_project_of_another_code(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets), project="COPY")
    assert list(Project.objects.values_list("code", flat=True)) == ["COPY"]


def test_a_second_workbook_may_name_rows_of_the_first(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    more = {name: sheets[name] for name in ("Project", "Sequences")}
    more["Shots"] = [["sequence", "code", "description", "frames", "location"]]
    more["Shots"] += [["SQ010", "SH0030", "Later", 24, "LOC010"]]

    result = import_workbook(workbook(more))

    assert (result.created, result.unchanged) == (1, 2)
    assert ShotCharacter.objects.count() == 1, "no Casting sheet, so the casting is left alone"


def test_every_problem_is_told_with_its_address_and_nothing_is_written(
    sheets: Sheets, workbook: WorkbookMaker
) -> None:
    sheets["Shots"][1][3] = 0
    sheets["Shots"][1][7] = "wide-shto, close-up, full-shot"
    sheets["Shots"][2][1] = "../SH"
    sheets["Shots"].append(["SQ010", "SH0010", "Again", 24, "LOC099", "hail", None, None])
    sheets["Casting"].append(["SQ010_SH0010", "CH0009", "waves", None])
    sheets["Casting"].append(["SQ010_SH0010", "CH0001", "waves", "Armour"])

    problems = _problems(workbook(sheets))

    assert problems["Shots!D2 (frames)"] == ("0", "Write a whole number from 1 to 100000.")
    assert problems["Shots!B3 (code)"][0] == "../SH"
    assert "capital letters and digits" in problems["Shots!B3 (code)"][1]
    assert problems["Shots!B4 (code)"] == (
        "SQ010 SH0010",
        "The same is already in row 2. Remove one of the two.",
    )
    assert "sunny, cloudy" in problems["Shots!F4 (weather)"][1]
    assert problems["Casting!B3 (character)"] == (
        "CH0009",
        "There is none of this name. Did you mean CH0001?",
    )
    assert problems["Casting!D4 (costume)"][1] == "There is none of this name. Known are: Cloak, Pinafore."
    assert not _rows()


def test_an_unknown_preset_and_two_of_an_exclusive_category_are_told(
    sheets: Sheets, workbook: WorkbookMaker
) -> None:
    sheets["Shots"][1][7] = "wide-shto, 35mm"
    assert _problems(workbook(sheets)) == {
        "Shots!H2 (presets)": ("wide-shto", "There is none of this name. Did you mean wide-shot?")
    }
    sheets["Shots"][1][7] = "close-up, full-shot"
    assert _problems(workbook(sheets)) == {
        "Shots!H2 (presets)": (
            "full-shot",
            "“close-up” is already there, and of shot_size a shot takes one. Keep one.",
        )
    }


def test_wrong_columns_and_sheets_are_named(sheets: Sheets, workbook: WorkbookMaker) -> None:
    sheets["Shots"][0][3] = "framse"
    sheets["Shots"][0][6] = "time of day"
    sheets["Costume"] = sheets.pop("Costumes")
    sheets["_Scratch"] = [["anything"], ["at all"]]

    problems = _problems(workbook(sheets))

    assert problems["Shots!D1 (framse)"] == ("", "Unknown column. Did you mean “frames”?")
    assert (
        problems["Shots (frames)"][1] == "The column is missing. Add the heading “frames” to the first row."
    )
    assert "Unknown sheet" in problems["Costume"][1]
    assert "_Scratch" not in problems


def test_a_workbook_without_its_sheets_says_which(workbook: WorkbookMaker) -> None:
    problems = _problems(workbook({"Tabelle1": [["a"]]}))
    assert {"Project", "Sequences", "Shots", "Tabelle1"} == set(problems)


def test_a_formula_cell_is_refused_instead_of_read_as_empty(sheets: Sheets, workbook: WorkbookMaker) -> None:
    sheets["Shots"][1][5] = "=LOWER(A1)"
    assert _problems(workbook(sheets))["Shots!F2 (weather)"][0] == "=LOWER(A1)"


def test_an_empty_required_cell_is_told(sheets: Sheets, workbook: WorkbookMaker) -> None:
    sheets["Shots"][1][3] = None
    assert _problems(workbook(sheets)) == {"Shots!D2 (frames)": ("", "The cell is empty. Fill it.")}


def test_two_projects_in_one_workbook_are_refused(sheets: Sheets, workbook: WorkbookMaker) -> None:
    sheets["Project"].append(["OTHER", "Other", 25])
    assert set(_problems(workbook(sheets))) == {"Project!A3 (code)"}


def test_a_coordinator_may_import_into_the_project_but_not_change_the_project(
    sheets: Sheets, workbook: WorkbookMaker
) -> None:
    import_workbook(workbook(sheets))
    coordinator = MembershipFactory.create(project=Project.objects.get(), role=Role.COORDINATOR).user
    sheets["Shots"][1][3] = 60
    assert import_workbook(workbook(sheets), user=coordinator).changed == 1
    sheets["Project"][1][2] = 25
    with pytest.raises(NotAllowed, match="manage"):
        import_workbook(workbook(sheets), user=coordinator)


def test_a_clash_with_somebody_else_asks_to_import_again(
    sheets: Sheets, workbook: WorkbookMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clash(*_arguments: object, title: str) -> None:
        Project.objects.create(code="FROST", name="Someone's")
        Project.objects.create(code="FROST", name="Someone else's")

    monkeypatch.setattr(service, "apply", clash)
    assert "at the same moment" in _problems(workbook(sheets))["file"][1]
    assert not _rows()


@pytest.mark.parametrize("role", [Role.ARTIST, Role.SUPERVISOR, Role.CLIENT, None])
def test_others_may_not_import(sheets: Sheets, workbook: WorkbookMaker, role: Role | None) -> None:
    import_workbook(workbook(sheets))
    user = UserFactory.create()
    if role:
        MembershipFactory.create(project=Project.objects.get(), user=user, role=role)
    with pytest.raises(NotAllowed):
        import_workbook(workbook(sheets), user=user)


def test_a_new_project_takes_the_right_to_open_one(sheets: Sheets, workbook: WorkbookMaker) -> None:
    with pytest.raises(NotAllowed, match="may not open projects"):
        import_workbook(workbook(sheets), user=UserFactory.create())
    boss = UserFactory.create(is_superuser=True)
    import_workbook(workbook(sheets), user=boss)
    assert Membership.objects.get(user=boss).role == Role.ADMIN


def test_the_command_counts(
    sheets: Sheets, workbook: WorkbookMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "frost.xlsx"
    file.write_bytes(workbook(sheets).getvalue())
    for _again in range(2):
        call_command("import_production", str(file))
    assert capsys.readouterr().out.splitlines() == [
        "FROST: 10 created, 0 changed, 0 unchanged, 0 removed",
        "FROST: 0 created, 0 changed, 10 unchanged, 0 removed",
    ]


def test_the_command_fails_with_every_problem(
    sheets: Sheets, workbook: WorkbookMaker, tmp_path: Path
) -> None:
    sheets["Shots"][1][3] = 0
    sheets["Shots"][2][4] = "LOC099"
    file = tmp_path / "frost.xlsx"
    file.write_bytes(workbook(sheets).getvalue())
    with pytest.raises(CommandError) as failed:
        call_command("import_production", str(file))
    assert failed.value.returncode == 1
    assert str(failed.value).splitlines() == [
        "Shots!D2 (frames) “0”: Write a whole number from 1 to 100000.",
        "Shots!E3 (location) “LOC099”: There is none of this name. Known are: LOC010.",
        "2 problem(s); nothing was written.",
    ]


def test_the_number_of_queries_does_not_grow_with_the_shots(
    sheets: Sheets, workbook: WorkbookMaker, django_assert_max_num_queries: Any
) -> None:
    sheets["Shots"] += [["SQ010", f"SH{n:04}", "More", 24, None, None, None, "35mm"] for n in range(100, 400)]
    import_workbook(workbook(sheets))
    with django_assert_max_num_queries(19):
        import_workbook(workbook(sheets))


def test_an_import_is_one_batch_with_a_row_for_each_object(sheets: Sheets, workbook: WorkbookMaker) -> None:
    import_workbook(workbook(sheets))
    sheets["Shots"][1][3] = 120
    sheets["Casting"][1][2] = "sleeps"
    sheets["Costumes"][1][2] = "a grey pinafore"
    import_workbook(workbook(sheets))
    first, second = Batch.objects.order_by("id")
    assert (first.verb, second.verb) == ("imported", "imported")
    assert sorted(first.activities.values_list("kind", "verb")) == [
        ("character", "created"),
        ("location", "created"),
        ("sequence", "created"),
        ("shot", "created"),
        ("shot", "created"),
    ]
    changed = {row.label: row.changes for row in second.activities.all()}
    assert changed["SQ010_SH0010"] == {"frames": [96, 120]}
    assert set(changed["SQ010_SH0020"]) == {"casting"}
    assert set(changed["CH0001"]) == {"costumes"}

    import_workbook(workbook(sheets))
    assert Batch.objects.count() == 2  # a workbook that changes nothing leaves nothing to undo
