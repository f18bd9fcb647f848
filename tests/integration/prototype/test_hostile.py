"""What no prototype wrote is refused in words, and nothing is half written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from apps.characters.models import CharacterReference
from apps.common.errors import Refused
from apps.productions.prototype import import_aipipeline, reading
from apps.projects.models import Project
from tests.integration.prototype.conftest import Data, a_project, picture, stored, written

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is not JSON: line 1, column 1"),
        (b'{"shots": [}', "line 1, column 12"),
        (b"\xff\xfe{}", "it is not UTF-8 (byte 0); save it as UTF-8"),
        (b"[1, 2]", "it must begin with {"),
        (b'{"shots": "none"}', "“shots” must be a list"),
        (b'{"shots": [{"fps": NaN}]}', "NaN is no number"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "it is not JSON that can be read"),
        (b'{"seed": ' + b"9" * 10_000 + b"}", "it is not JSON that can be read"),
    ],
)
def test_a_file_that_is_no_project_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "data.json").write_bytes(content)
    with pytest.raises(Refused) as refused:
        import_aipipeline(tmp_path, project="SEA")
    assert words in str(refused.value)
    assert not Project.objects.exists()


def test_what_is_larger_than_a_studios_projects_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_JSON", 100)
    place = written(tmp_path, a_project())
    with pytest.raises(Refused, match="at most 100 are read"):
        import_aipipeline(place)
    monkeypatch.setattr(reading, "MOST_JSON", 10**6)
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    with pytest.raises(Refused, match="“shots” has 3 entries; at most 2"):
        import_aipipeline(place)
    with pytest.raises(Refused, match="“shots” has more than 2 rows"):
        import_aipipeline(stored(tmp_path / "base.db", a_project()))
    monkeypatch.setattr(reading, "MOST_DATABASE", 10)
    with pytest.raises(Refused, match="larger than 2 GB"):
        import_aipipeline(tmp_path / "base.db")


def test_what_is_not_there_or_not_one_project_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no such file or folder"):
        import_aipipeline(tmp_path / "none")
    with pytest.raises(Refused, match=r"there is no data\.json in it"):
        import_aipipeline(tmp_path)
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(Refused, match=r"neither a folder, nor data\.json, nor an SQLite database"):
        import_aipipeline(tmp_path / "text.txt")
    written(tmp_path, a_project())
    assert import_aipipeline(tmp_path, dry_run=True).project == "HARBOUR"
    written(tmp_path, a_project() | {"project_id": "second"})
    with pytest.raises(Refused, match="choose one by --name: harbour, second"):
        import_aipipeline(tmp_path)
    assert import_aipipeline(tmp_path, name="second", dry_run=True).project == "SECOND"
    with pytest.raises(Refused, match="write the name of one of its folders"):
        import_aipipeline(tmp_path, name="../harbour")


def test_a_database_that_is_none_of_the_prototypes_or_broken_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE t (a)")
        database.commit()
    with pytest.raises(Refused, match="no table “shots”"):
        import_aipipeline(other)
    broken = stored(tmp_path / "broken.db", a_project())
    content = bytearray(broken.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    broken.write_bytes(content)
    with pytest.raises(Refused, match="the database cannot be read"):
        import_aipipeline(broken)


def test_a_database_of_several_projects_asks_which(tmp_path: Path) -> None:
    place = stored(tmp_path / "two.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        database.execute("INSERT INTO projects VALUES ('second', '')")
        database.commit()
    with pytest.raises(Refused, match="choose one by --name: harbour, second"):
        import_aipipeline(place)
    assert import_aipipeline(place, name="harbour", dry_run=True).created["shots"] == 3
    with pytest.raises(Refused, match="there are: harbour, second"):
        import_aipipeline(place, name="third")


def test_no_shot_of_a_database_is_lost_for_how_its_project_is_written(tmp_path: Path) -> None:
    place = tmp_path / "numbered.db"
    with closing(sqlite3.connect(place)) as database:
        database.execute("CREATE TABLE projects (id, description)")
        database.execute("CREATE TABLE shots (project_id, id)")
        database.execute("INSERT INTO projects VALUES (7, 'A film')")
        database.execute("INSERT INTO shots VALUES (7, 'SHT-1'), (7, 'SHT-2')")
        database.commit()
        assert import_aipipeline(place, project="SEVEN", dry_run=True).created["shots"] == 2
        with pytest.raises(Refused, match="there is no such folder"):
            import_aipipeline(place, project="SEVEN", files=tmp_path / "nowhere")
        database.execute("INSERT INTO shots VALUES (NULL, 'SHT-3')")
        database.commit()
        with pytest.raises(Refused, match="some of its shots have no project_id"):
            import_aipipeline(place, project="SEVEN")


def test_json_that_is_broken_inside_the_database_loses_that_column_alone(tmp_path: Path) -> None:
    place = stored(tmp_path / "odd.db", a_project())
    with closing(sqlite3.connect(place)) as database:
        database.execute("UPDATE shots SET subjects = '[broken' WHERE id = 'SHT-00010'")
        database.commit()
    report = import_aipipeline(place)
    assert any(note.field == "subjects" and "no JSON" in note.told for note in report.notes)
    assert report.created["shots"] == 3


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("../secret.png", "leads out of the project's folder"),
        ("/etc/../../secret.png", "leads out of the project's folder"),
        ("C:\\secret.png", "leads out of the project's folder"),
        ("assets/link.png", "leads out of the project's folder"),
        ("assets/mina.png\x00.txt", "leads out of the project's folder"),
        ("assets/none.png", "no such file"),
        ("assets", "no such file"),
        ("assets/text.png", "not a picture"),
        ({"path": "assets/mina.png"}, "leads out of the project's folder"),
    ],
)
def test_pictures_come_from_the_projects_folder_only_and_are_decoded(
    tmp_path: Path, artifact_root: Path, named: object, words: str
) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    data: Data = a_project()
    data["characters"][0]["reference_sheet"] = named
    place = written(tmp_path / "projects", data)
    (place / "assets/link.png").symlink_to(tmp_path / "secret.png")
    (place / "assets/text.png").write_text("no picture")
    report = import_aipipeline(place)
    told = [note.told for note in report.notes if note.field == "reference_sheet"]
    assert len(told) == 1
    assert words in told[0]
    assert not CharacterReference.objects.exists()


def test_an_address_of_the_prototypes_server_finds_the_picture(tmp_path: Path, artifact_root: Path) -> None:
    data = a_project()
    data["characters"][0]["reference_sheet"] = "/projects/harbour/assets/mina.png"
    import_aipipeline(written(tmp_path / "projects", data))
    assert CharacterReference.objects.count() == 1


def test_a_sidecar_that_cannot_be_read_locks_nothing(tmp_path: Path) -> None:
    place = written(tmp_path, a_project())
    side = place / "scenes/SEQ-001/shots/SHT-00030/meta.json"
    side.write_text("{broken")
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps({"shot_id": "SHT-00010", "locked": True}))
    (side.parent / "link.json").symlink_to(outside)
    report = import_aipipeline(place, dry_run=True)
    assert report.created["locks"] == 0


def test_a_failure_half_way_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.productions.prototype import service

    def fail(*_args: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(service, "_tell_births", fail)
    with pytest.raises(RuntimeError):
        import_aipipeline(written(tmp_path, a_project()))
    assert not Project.objects.exists()


Write = Callable[[Data], Path]
