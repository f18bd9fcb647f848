"""Folders: seen before they are made, made once, never over somebody else's file."""

from __future__ import annotations

import json
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.common.errors import NotAllowed, Refused
from apps.folders.models import PathTemplate, ProjectFolders
from apps.folders.selectors import held_by, layout_version
from apps.folders.services import making, wanting
from apps.folders.services.layouts import choose_layout, save_version
from apps.folders.services.making import confirm
from apps.folders.services.planning import Fate, Plan, plan_project, plan_sequence
from apps.productions.models import Episode, Sequence, Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from tests.factories import CharacterFactory, MembershipFactory, SequenceFactory, ShotFactory
from tests.integration.folders.conftest import sequence_of, shot_of

pytestmark = pytest.mark.django_db

LINE = "folder shot {project}/scenes/{sequence}/shots/{shot}/roto\n"


def tree(root: Path) -> dict[str, bytes]:
    """Everything below the root; folders end with / and are empty."""
    found: dict[str, bytes] = {}
    for place, folders, files in os.walk(root):
        here = Path(place).relative_to(root)
        found |= {f"{(here / name).as_posix()}/": b"" for name in folders}
        found |= {(here / name).as_posix(): (Path(place) / name).read_bytes() for name in files}
    return found


def paths(plan: Plan, fate: Fate) -> list[str]:
    return [entry.path for entry in plan.entries if entry.fate is fate]


def test_the_dry_run_makes_nothing_and_the_confirm_makes_what_it_showed(film: Project, root: Path) -> None:
    shown = [plan_project(film), plan_sequence(film, sequence_of(film))]
    assert tree(root) == {}
    new = {path for plan in shown for path in paths(plan, Fate.NEW)}
    made = confirm(film, user=None)
    assert made is not None and made.refusals == 0
    assert made.folders + made.records == len(new)
    assert all((root / path).exists() for path in new)
    assert {
        "FROST/scenes/SQ010/shots/SH0010/render",
        "FROST/scenes/SQ010/shots/SH0020/shot.json",
        "FROST/assets/characters/CH0001/lora",
        "FROST/assets/environments/LOC010/reference",
        "FROST/config/project.json",
    } <= new
    assert [paths(plan_project(film), fate) for fate in (Fate.NEW, Fate.UPDATE, Fate.REFUSED)] == [[], [], []]


def test_confirm_twice_changes_nothing(film: Project, root: Path) -> None:
    confirm(film, user=None)
    before, times = tree(root), {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    again = confirm(film, user=None)
    assert again is not None
    assert (again.folders, again.records, again.updated, again.refusals) == (0, 0, 0, 0)
    assert tree(root) == before
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times


def test_records_follow_their_rows_and_name_what_people_name(film: Project, root: Path) -> None:
    confirm(film, user=None)
    Shot.objects.filter(project=film, code="SH0010").update(description="A door opens", frames=96)
    assert paths(plan_sequence(film, sequence_of(film)), Fate.UPDATE) == [
        "FROST/scenes/SQ010/shots/SH0010/shot.json"
    ]
    made = confirm(film, user=None, sequence=sequence_of(film))
    assert made is not None and made.updated == 1
    record = json.loads((root / "FROST/scenes/SQ010/shots/SH0010/shot.json").read_text())
    assert (record["description"], record["frames"], record["full_code"]) == (
        "A door opens",
        96,
        "SQ010_SH0010",
    )
    assert not list(root.rglob("*.part"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"notes": "mine"}', "somebody else's"),
        (b"\xff\x00 no JSON", "somebody else's"),
        (b"[" * 100_000, "somebody else's"),
        (b"", "somebody else's"),
    ],
)
def test_a_file_of_somebody_else_is_left_alone(film: Project, root: Path, content: bytes, words: str) -> None:
    place = root / "FROST/scenes/SQ010/shots/SH0010/shot.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    made = confirm(film, user=None)
    assert made is not None
    assert [(one["path"], words in one["why"]) for one in made.refused] == [
        ("FROST/scenes/SQ010/shots/SH0010/shot.json", True)
    ]
    assert place.read_bytes() == content


def test_a_record_that_somebody_changed_by_hand_is_left_alone(film: Project, root: Path) -> None:
    confirm(film, user=None)
    place = root / "FROST/config/project.json"
    edited = json.dumps(json.loads(place.read_text()) | {"name": "My film"})
    place.write_text(edited)
    made = confirm(film, user=None)
    assert made is not None and made.refusals == 1
    assert "by hand" in made.refused[0]["why"]
    assert place.read_text() == edited
    film.refresh_from_db()
    assert film.name != "My film", "a file is no source of truth"


def test_a_record_of_another_shot_at_this_path_is_left_alone(film: Project, root: Path) -> None:
    confirm(film, user=None)
    one, other = shot_of(film, "SH0010"), shot_of(film, "SH0020")
    Shot.objects.filter(pk=one.pk).update(code="SH0099")
    Shot.objects.filter(pk=other.pk).update(code="SH0010")
    before = (root / "FROST/scenes/SQ010/shots/SH0010/shot.json").read_bytes()
    made = confirm(film, user=None)
    assert made is not None and made.refusals == 1
    assert (root / "FROST/scenes/SQ010/shots/SH0010/shot.json").read_bytes() == before
    assert (root / "FROST/scenes/SQ010/shots/SH0099/shot.json").exists()


def test_what_stands_there_in_another_case_or_as_a_link_or_file_is_refused(
    film: Project, root: Path, tmp_path: Path
) -> None:
    (root / "FROST/Scenes").mkdir(parents=True)
    (root / "FROST/config").write_text("a file")
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "FROST/edit").symlink_to(outside)
    made = confirm(film, user=None)
    assert made is not None
    why = {one["path"]: one["why"] for one in made.refused}
    assert "by case" in why["FROST/scenes/SQ010/shots"]
    assert "a file stands" in why["FROST/config"]
    assert "leads elsewhere" in why["FROST/edit/edl"]
    assert list(outside.iterdir()) == []
    assert not (root / "FROST/scenes").exists()


def test_names_that_no_disk_takes_are_refused_and_the_rest_is_made(film: Project, root: Path) -> None:
    Shot.objects.filter(pk=shot_of(film).pk).update(code="COM1")
    CharacterFactory.create(project=film, code="../../etc")
    CharacterFactory.create(project=film, code="ch0001")
    made = confirm(film, user=None)
    assert made is not None
    refused = {(one["of"], one["why"]) for one in made.refused}
    assert any(of == "SQ010_COM1" and "Windows keeps this name" in why for of, why in refused)
    assert any(of == "../../etc" and "cannot be the character" in why for of, why in refused)
    assert any(of == "ch0001" and "cannot be the character" in why for of, why in refused)
    assert (root / "FROST/scenes/SQ010/shots/SH0020/render").is_dir()
    assert {path.name for path in root.iterdir()} == {"FROST"}
    assert not (root.parent / "etc").exists()


def test_two_paths_of_one_layout_that_some_disk_cannot_tell_apart_are_refused(
    film: Project, root: Path
) -> None:
    text = "folder project {project}/edit/proxy\nfolder character {project}/{character}\n"
    choose_layout(film, save_version(slug="flat", name="Flat", text=text, user=None), user=None)
    CharacterFactory.create(project=film, code="EDIT")
    shown = plan_project(film)
    assert paths(shown, Fate.REFUSED) == ["FROST/EDIT"]
    made = confirm(film, user=None)
    assert made is not None and made.refusals == 1
    assert {path.name for path in (root / "FROST").iterdir()} == {"edit", "CH0001"}


def test_episodes_have_a_folder_where_there_are_episodes(film: Project, root: Path) -> None:
    episode = Episode.objects.create(project=film, code="EP02", name="Second")
    Sequence.objects.filter(project=film).update(episode=episode)
    ShotFactory.create(sequence=SequenceFactory.create(project=film, code="SQ020"), code="SH0010")
    confirm(film, user=None)
    assert (root / "FROST/scenes/EP02/SQ010/shots/SH0010/render").is_dir()
    assert (root / "FROST/scenes/SQ020/shots/SH0010/render").is_dir()


def test_the_prototypes_two_layouts_are_ready_made(film: Project, root: Path) -> None:
    choose_layout(film, layout_version("aipipeline"), user=None)
    confirm(film, user=None)
    tasks = {path.name for path in (root / "FROST/scenes/SQ010/shots/SH0010").iterdir()}
    assert tasks == {"previz", "layout", "playblast", "render", "comp", "final", "shot.json"}
    assert (root / "FROST/assets/characters/CHR_CH0001/lora").is_dir()
    assert (root / "FROST/assets/environments/ENV_LOC010").is_dir()
    choose_layout(film, layout_version("aipipeline-first"), user=None)
    confirm(film, user=None)
    assert {"working", "export", "shots", "assets"} <= {path.name for path in (root / "FROST").iterdir()}


def test_a_layout_gets_new_versions_and_a_project_holds_its_own(film: Project, root: Path) -> None:
    held = held_by(film)
    assert str(held) == "studio v1"
    confirm(film, user=None)
    made = save_version(slug="studio", name="Studio", text=held.text + LINE, user=None)
    assert str(made) == "studio v2"
    assert held_by(film) == held
    assert held_by(Project(code="NEWER", path_template="studio")) == made
    assert PathTemplate.objects.get(pk=held.pk).text == held.text
    assert save_version(slug="studio", name="Studio", text=made.text, user=None) == made
    choose_layout(film, made, user=None)
    again = confirm(film, user=None)
    assert again is not None and again.folders == 2
    assert held_by(film) == made


def test_what_is_wrong_with_a_layout_is_said_by_line_and_column() -> None:
    text = (
        "# ours\nfolder shot {project}/{shto}\nfile clip {project}/{shot}.{ext}\n"
        "folder sequence {sequence}\nflder project {project}\nfolder shot {project}/{sequence}/{shot}\n"
        "folder shot {project}/{sequence}/{shot}\nfolder project {project}/Edit\n"
        "folder project {project}/edit\n"
        "record shot {project}/{sequence}_{shot}.txt\n"
    )
    with pytest.raises(Refused) as refused:
        save_version(slug="wrong", name="Wrong", text=text, user=None)
    told = "\n".join(str(problem.message) for problem in refused.value.problems)
    assert "line 2, column 23: there is no field “shto”; did you mean shot?" in told
    assert "line 3, column 11: two of them would meet at one path; add {sequence}, {version}" in told
    assert "line 4, column 17: two of them would meet" in told
    assert "line 5, column 1: “flder” is none of folder, record, file" in told
    assert "line 7: the same stands in line 6 already" in told
    assert "line 9: “{project}/edit” and “{project}/Edit” (line 8) differ by case alone" in told
    assert "line 10, column 13: a record is JSON" in told
    assert not PathTemplate.objects.filter(slug="wrong").exists()


def test_who_plans_confirms_and_who_manages_chooses_the_layout(film: Project, root: Path) -> None:
    layout = layout_version("aipipeline")
    for role, plans, manages in (
        (Role.ADMIN, True, True),
        (Role.COORDINATOR, True, False),
        (Role.CLIENT, False, False),
    ):
        user = MembershipFactory.create(project=film, role=role).user
        for allowed, act in (
            (plans, lambda user=user: confirm(film, user=user)),
            (manages, lambda user=user: choose_layout(film, layout, user=user)),
        ):
            if allowed:
                act()
            else:
                with pytest.raises(NotAllowed):
                    act()


def test_a_big_film_is_left_to_the_media_worker(
    film: Project, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(making, "AT_ONCE", 1)
    monkeypatch.setattr(making, "request_folders", sent.append)
    user = MembershipFactory.create(project=film, role=Role.COORDINATOR).user
    assert confirm(film, user=user) is None
    assert tree(root) == {}
    ProjectFolders.objects.filter(project=film).update(asked_at="2020-01-01T00:00Z")
    wanting.ask_again()
    making.make_wanted(film.pk)
    assert (root / "FROST/scenes/SQ010/shots/SH0010/render").is_dir()
    folders = ProjectFolders.objects.get(project=film)
    assert (folders.wanted_at, folders.confirmed_by) == (None, user.username)
    making.make_wanted(film.pk)  # the message may come twice


def test_the_command_shows_and_confirms(film: Project, root: Path) -> None:
    out = StringIO()
    call_command("folders", "FROST", stdout=out)
    assert "new      FROST/scenes/SQ010/shots/SH0010/render" in out.getvalue()
    assert "(nothing was made)" in out.getvalue()
    assert tree(root) == {}
    out = StringIO()
    call_command("folders", "FROST", "--confirm", "--json", stdout=out)
    assert json.loads(out.getvalue())["refusals"] == 0
    assert (root / "FROST/config/project.json").is_file()
    with pytest.raises(CommandError, match="There is no project NONE; there are: FROST"):
        call_command("folders", "NONE")


def test_the_dry_run_of_a_sequence_costs_the_same_for_two_shots_and_for_fifty(
    film: Project, root: Path
) -> None:
    with CaptureQueriesContext(connection) as few:
        plan_sequence(film, sequence_of(film))
    for number in range(60):
        ShotFactory.create(sequence=sequence_of(film), code=f"SH1{number:03}")
    with CaptureQueriesContext(connection) as many:
        plan = plan_sequence(film, sequence_of(film))
    assert (plan.all_shots, plan.pages) == (62, 2)
    assert len(many) == len(few)
