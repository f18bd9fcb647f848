"""What cannot be read of a prototype is left out or mended, told by row and column; the rest comes over."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.characters.models import Character
from apps.common.errors import Refused
from apps.productions.models import Shot
from apps.productions.prototype import import_aipipeline
from apps.productions.prototype.report import Report
from apps.projects.models import Project
from tests.integration.prototype.conftest import Data, a_project, stored, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]


def by_command(source: Path, *options: str) -> str:
    said = StringIO()
    call_command("import_aipipeline", str(source), "--without-takes", *options, stdout=said)
    return said.getvalue()


def lines(report: Report) -> set[str]:
    return {str(note) for note in report.notes}


def with_bytes(place: Path, table: str, column: str, key: str, content: bytes) -> None:
    """Put bytes into a text column, as a program would that minds no encoding."""
    with closing(sqlite3.connect(place)) as database:
        changed = database.execute(
            f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE id = ?",  # noqa: S608 - our own names
            (content, key),
        ).rowcount
        assert changed == 1
        database.commit()
        with pytest.raises(sqlite3.OperationalError, match="Could not decode to UTF-8"):
            database.execute(f"SELECT {column} FROM {table}").fetchall()  # noqa: S608 - our own names


@pytest.mark.parametrize("jobs", ["none", 7, True])
def test_jobs_that_are_no_list_are_told_and_the_rest_comes_over(tmp_path: Path, jobs: Any) -> None:
    said = by_command(written(tmp_path, a_project() | {"jobs": jobs}))
    assert f"dropped: data.json, jobs “{jobs}”: no list; nothing of it was taken" in said
    assert "3 shots" in said
    assert Shot.objects.count() == 3


def test_an_entry_that_is_no_object_is_told_by_its_place_and_the_others_come_over(tmp_path: Path) -> None:
    data = a_project()
    data["jobs"] = ["no job", data["jobs"][0]]
    data["shots"].insert(1, "no shot")
    data["characters"] = {"CHR-0001": data["characters"][0], "CHR-0009": "nobody"}
    told = lines(import_aipipeline(written(tmp_path, data)))
    assert {
        "dropped: job 1 “no job”: no object",
        "dropped: shot 2 “no shot”: no object",
        "dropped: character 2 “nobody”: no object",
        "told: jobs “1 completed”: no jobs are made of them: they ran on another farm",
    } <= told
    assert (Shot.objects.count(), Character.objects.count()) == (3, 1)


def test_shots_that_are_no_list_stop_no_characters(tmp_path: Path) -> None:
    report = import_aipipeline(written(tmp_path, a_project() | {"shots": "lost"}))
    assert "dropped: data.json, shots “lost”: no list; nothing of it was taken" in lines(report)
    assert (Shot.objects.count(), Character.objects.count()) == (0, 2)


def test_korean_text_of_a_database_is_read_and_told_by_row_and_column(tmp_path: Path) -> None:
    place = stored(tmp_path / "korean.db", a_project())
    with_bytes(place, "shots", "scene_description", "SHT-00010", "항구의 밤".encode("cp949"))
    with_bytes(place, "characters", "name", "CHR-0002", "오토".encode("cp949"))
    subjects = json.dumps([{"character_id": "CHR-0002", "action": "노를 젓는다"}], ensure_ascii=False)
    with_bytes(place, "shots", "subjects", "SHT-00020", subjects.encode("cp949"))
    told = lines(import_aipipeline(place))
    how = "it was read as CP949 (Korean)"
    assert f"mended: shot SHT-00010, scene_description “항구의 밤”: it is not UTF-8 (byte 0); {how}" in told
    assert f"mended: character CHR-0002, name “오토”: it is not UTF-8 (byte 0); {how}" in told
    assert any(line.startswith("mended: shot SHT-00020, subjects") and how in line for line in told)
    assert Shot.objects.get(code="SHT-00010").description == "항구의 밤"
    assert Character.objects.get(code="CHR-0002").name == "오토"
    assert Shot.objects.get(code="SHT-00020").casting.get().action == "노를 젓는다"


@pytest.mark.parametrize(
    ("content", "kept", "how"),
    [
        (b"caf\xe9, dusk", "caf�, dusk", "it is not UTF-8 (byte 3); what cannot be read became �"),
        (b"\xff\xfe", "��", "it is not UTF-8 (byte 0); what cannot be read became �"),
        ("밤 항구".encode()[:-1], "밤 항", "it ends within a letter (byte 7); what stands before was kept"),
    ],
)
def test_what_no_encoding_explains_keeps_its_letters_and_is_doubtful(
    tmp_path: Path, content: bytes, kept: str, how: str
) -> None:
    place = stored(tmp_path / "odd.db", a_project())
    with_bytes(place, "shots", "dialogue", "SHT-00020", content)
    assert f"doubtful: shot SHT-00020, dialogue “{kept}”: {how}" in lines(import_aipipeline(place))
    assert Shot.objects.get(code="SHT-00020").dialogue == kept
    assert Shot.objects.count() == 3


def test_a_project_whose_name_is_korean_bytes_loses_none_of_its_rows(tmp_path: Path) -> None:
    place = stored(tmp_path / "named.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        for table, column in (("projects", "id"), ("shots", "project_id"), ("jobs", "project_id")):
            query = f"UPDATE {table} SET {column} = CAST(? AS TEXT)"  # noqa: S608 - our own names
            database.execute(query, ("항구".encode("cp949"),))
        database.execute("UPDATE characters SET project_id = '항구'")  # the same name, rightly written
        database.commit()
    report = import_aipipeline(place, name="항구", project="SEA")
    assert (report.created["shots"], report.created["characters"]) == (3, 2)
    assert any(line.startswith("mended: project 항구, id “항구”: it is not UTF-8") for line in lines(report))
    assert Project.objects.get().name == "항구"
    assert import_aipipeline(place, name="항구", project="SEA").there["shots"] == 3


def test_two_names_that_would_be_read_as_one_are_two_projects(tmp_path: Path) -> None:
    place = stored(tmp_path / "lossy.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        for table, column in (("projects", "id"), ("shots", "project_id"), ("jobs", "project_id")):
            database.execute(f"UPDATE {table} SET {column} = CAST(x'ff' AS TEXT)")  # noqa: S608 - our own names
        database.execute("UPDATE characters SET project_id = CAST(x'fe' AS TEXT)")
        database.commit()
        report = import_aipipeline(place, project="SEA", dry_run=True)
        assert (report.created["shots"], report.created["characters"]) == (3, 0)
        database.execute("UPDATE shots SET project_id = CAST(x'fe' AS TEXT) WHERE id = 'SHT-00030'")
        database.commit()
    for name in ("", "�"):
        with pytest.raises(Refused, match="two of its projects would be called “�”"):
            import_aipipeline(place, name=name, project="SEA")
    assert not Project.objects.exists()


def test_a_table_without_row_numbers_comes_over(tmp_path: Path) -> None:
    place = stored(tmp_path / "keyed.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        database.execute("ALTER TABLE characters RENAME TO before")
        database.execute(
            "CREATE TABLE characters (project_id TEXT, id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID"
        )
        database.execute("INSERT INTO characters SELECT project_id, id, name FROM before")
        database.commit()
    assert import_aipipeline(place).created["characters"] == 2


def test_a_table_that_says_not_whose_its_rows_are_is_left_out_alone(tmp_path: Path) -> None:
    place = stored(tmp_path / "old.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        database.execute("ALTER TABLE jobs DROP COLUMN project_id")
        database.commit()
    report = import_aipipeline(place)
    assert any(
        line.startswith("dropped: table jobs: it has no column “project_id”") for line in lines(report)
    )
    assert report.created["shots"] == 3


@pytest.mark.parametrize(("table", "column"), [("cinematics", "filters"), ("jobs", "params")])
def test_json_that_is_broken_in_any_table_is_told(tmp_path: Path, table: str, column: str) -> None:
    place = stored(tmp_path / "odd.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        database.execute(f"UPDATE {table} SET {column} = '[broken'")  # noqa: S608 - our own names
        database.commit()
    assert any(f"{column} “[broken”: the database holds no JSON there" in one for one in lines(
        import_aipipeline(place)
    ))  # fmt: skip


def written_as(folder: Path, data: Data, content: bytes) -> Path:
    place = written(folder, data)
    (place / "data.json").write_bytes(content)
    return place


def test_a_korean_json_file_is_read_wholly_and_told_once(tmp_path: Path) -> None:
    data = a_project()
    data["shots"][0]["scene_description"] = "짜"  # its bytes are a letter of UTF-8 as well
    data["shots"][1]["scene_description"] = "항구의 밤"
    content = json.dumps(data, ensure_ascii=False).encode("cp949")
    report = import_aipipeline(written_as(tmp_path, data, content))
    told = [line for line in lines(report) if "UTF-8" in line]
    assert len(told) == 1
    assert told[0].startswith("mended: data.json: it is not UTF-8 (byte ")
    assert told[0].endswith("; it was read as CP949 (Korean)")
    described = dict(Shot.objects.values_list("code", "description"))
    assert (described["SHT-00010"], described["SHT-00020"]) == ("짜", "항구의 밤")


def test_a_json_file_of_mixed_text_keeps_all_that_can_be_read(tmp_path: Path) -> None:
    data = a_project()
    data["description"] = "DESC"
    data["shots"][0]["scene_description"] = "밤"
    data["shots"][1]["scene_description"] = "FIRST"
    data["shots"][2]["environment"] = {"location": "OTHER"}
    content = json.dumps(data, ensure_ascii=False).encode()
    content = content.replace(b"DESC", b"a quay\xff").replace(b"FIRST", "항구".encode("cp949"))
    report = import_aipipeline(written_as(tmp_path, data, content.replace(b"OTHER", b"caf\xe9")))
    told = lines(report)
    lost = "what cannot be read became �"
    assert f"doubtful: data.json “a quay�”: it is not UTF-8 (byte 6); {lost}" in told
    assert f"doubtful: shot SHT-00030, environment “caf�”: it is not UTF-8 (byte 3); {lost}" in told
    how = "it is not UTF-8 (byte 0); it was read as CP949 (Korean)"
    assert f"mended: shot SHT-00020, scene_description “항구”: {how}" in told
    described = dict(Shot.objects.values_list("code", "description"))
    assert (described["SHT-00010"], described["SHT-00020"]) == ("밤", "항구")
    assert str(report) == str(report).encode("utf-8", "replace").decode()


def test_mixed_text_that_nests_too_deeply_is_refused_in_words(tmp_path: Path) -> None:
    data = a_project()
    content = json.dumps(data | {"description": "DESC", "more": 0, "cinematics": [{"raw_data": "DEEP"}]})
    deep = content.encode().replace(b'"DEEP"', b"[" * 800 + b"]" * 800)
    place = written_as(tmp_path, data, deep)
    assert import_aipipeline(place, dry_run=True).created["shots"] == 3  # as UTF-8, the depth does no harm
    (place / "data.json").write_bytes(deep.replace(b"DESC", b"\xff"))
    with pytest.raises(Refused, match="it nests too deeply"):
        import_aipipeline(place)


def test_of_a_value_of_megabytes_a_line_looks_at_no_more_than_it_shows() -> None:
    class Letters(str):
        looked = 0

        def __getitem__(self, key: Any) -> str:
            return str.__getitem__(self, key)

        def __iter__(self) -> Any:
            for letter in str.__iter__(self):
                type(self).looked += 1
                yield letter

    report = Report(source="")
    report.about(Letters("x" * 10_000)).told("", None, "so")
    assert Letters.looked <= 200
    assert report.notes[0].where == "x" * 200 + "…"


def test_letters_that_no_text_holds_are_taken_out_wherever_they_stand_and_the_report_can_be_printed(
    tmp_path: Path,
) -> None:
    data = a_project()
    data["description"] = "a \0quay"
    data["shots"][0] |= {"id": "SHT-\ud800", "bad\udc00name": 1, "status": "st\ud801"}
    place = written(tmp_path, a_project())
    content = json.dumps(data | {"project_id": "har\ud800bour"})  # as escapes, which UTF-8 may hold
    (place / "data.json").write_text(content)
    said = by_command(place, "--project", "SEA")
    assert said == said.encode(errors="replace").decode()
    project = Project.objects.get()
    assert (project.name, project.description, project.shots.count()) == ("harbour", "a quay", 3)
    assert "characters that no text holds were taken out" in said
    assert "shot SHT-�, bad�name" in said


def test_a_sidecar_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    place = written(tmp_path, a_project())
    side = place / "scenes/SEQ-001/shots/SHT-00030/meta.json"
    side.write_text("{broken")
    told = lines(import_aipipeline(place))
    where = "scenes/SEQ-001/shots/SHT-00030/meta.json"
    assert any(line.startswith(f"dropped: {where}: it locks nothing: it is not JSON") for line in told)


def test_a_database_with_damaged_pages_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    data = a_project()
    data["shots"] = [{**data["shots"][0], "id": f"SHT-{number:05}"} for number in range(1, 400)]
    place = stored(tmp_path / "cut.db", data)
    content = place.read_bytes()
    place.write_bytes(content[: len(content) // 2])
    with pytest.raises(CommandError, match=r"the database cannot be read.*\nNothing was written"):
        by_command(place)
    assert not Project.objects.exists()
