"""The prototype's project comes over: field by field, told what was mended, and twice is once."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.characters.models import Character, CharacterLora, CharacterReference, Costume
from apps.characters.services import create_character
from apps.common.models import StateEvent
from apps.presets.models import Look
from apps.productions.models import Location, Sequence, Shot, ShotCharacter, ShotPreset
from apps.productions.prototype import import_aipipeline
from apps.productions.prototype.report import Report
from apps.productions.services import create_shot
from apps.projects.models import Project
from apps.review.models import Take
from tests.integration.prototype.conftest import Data, a_project, a_shot

pytestmark = pytest.mark.django_db
Write = Callable[[Data], Path]

OURS = (
    Project,
    Sequence,
    Location,
    Character,
    Costume,
    CharacterLora,
    CharacterReference,
    Shot,
    ShotCharacter,
    ShotPreset,
    Look,
)


def shot(code: str) -> Shot:
    return Shot.objects.select_related("sequence", "location").get(code=code)


def presets_of(row: Shot) -> list[str]:
    used = ShotPreset.objects.filter(shot=row).select_related("preset__category").order_by("order")
    return [f"{one.preset.category.slug}/{one.preset.slug}" for one in used]


def rows_of(model: Any) -> Any:
    rows = model._default_manager.all()
    return rows.filter(project__isnull=False) if model is Look else rows


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row, without keys, times and what is made of keys."""
    hidden = {"id", "created_at", "updated_at", "locked_at", "row_version"}
    found: dict[str, list[dict[str, Any]]] = {}
    for model in OURS:
        rows = [
            {key: str(value) for key, value in row.items() if key not in hidden and not key.endswith("_id")}
            for row in rows_of(model).values()
        ]
        found[model.__name__] = sorted(rows, key=str)
    found["presets"] = [{row.code: presets_of(row)} for row in Shot.objects.order_by("code")]
    found["cast"] = [
        {part.shot.code: (part.character.code, part.action, part.costume_override, part.lora_weight)}
        for part in ShotCharacter.objects.select_related("shot", "character").order_by("shot__code", "order")
    ]
    return found


def lines(report: Report, where: str) -> set[tuple[str, str]]:
    return {(note.kind.value, note.field) for note in report.notes if note.where == where}


def told(report: Report, where: str, field: str) -> str:
    return "; ".join(note.told for note in report.notes if (note.where, note.field) == (where, field))


def test_a_project_comes_over_field_by_field(folder: Write) -> None:
    report = import_aipipeline(folder(a_project()))
    project = Project.objects.get()
    assert (project.code, project.name, project.fps, project.description) == (
        "HARBOUR", "harbour", 24.0, "A film about a harbour"
    )  # fmt: skip
    row = shot("SHT-00010")
    assert (row.sequence.code, row.description, row.dialogue) == ("SEQ-001", "Scene 10", "Pull!")
    assert (row.frames, row.seed, row.negative, row.status_id) == (48, 4711, "sun", "review")
    assert row.location is not None
    assert (row.location.name, row.weather, row.time_of_day) == ("Old harbour", "fog", "blue_hour")
    cast = [
        (part.character.code, part.action, part.costume_override, part.lora_weight)
        for part in row.casting.select_related("character").order_by("order")
    ]
    assert cast == [("CHR-0001", "hauls a rope", "a wetsuit", None), ("CHR-0002", "", "", 0.5)]
    assert set(presets_of(row)) == {
        "stock_format/35mm-500t",
        "lens_focal/35mm",
        "lighting_style/rembrandt",
        "aspect_ratio/2-39-1-scope",
        "lens_filter/black-diffusion",
    }
    assert "Camera: Arri Alexa" in row.notes
    assert "Prompt in AIPipeline: Mina wearing a wetsuit hauls a rope" in row.notes
    assert report.created["shots"] == 3
    assert report.created["locations"] == 1
    assert not Take.objects.exists()
    assert "1 completed" in {note.value for note in report.notes if note.where == "jobs"}


def test_characters_keep_use_lora_and_default_clothing_and_both_are_used(folder: Write) -> None:
    import_aipipeline(folder(a_project()))
    mina, otto = Character.objects.order_by("code")
    assert (mina.name, mina.use_lora, otto.use_lora) == ("Mina", True, False)
    assert mina.default_costume is not None
    assert mina.default_costume.prompt == "a yellow oilskin"
    lora = mina.loras.get()
    assert (lora.file, lora.weight, lora.trigger_words) == (
        "people/mina_v3.safetensors",
        0.75,
        ["mina_v3", "wet hair"],
    )
    reference = mina.references.get()
    assert (reference.title, reference.width, reference.media_type) == ("reference sheet", 64, "image/png")


def test_what_the_first_version_and_the_form_say_of_a_character_comes_over(folder: Write) -> None:
    data = a_project()
    data["characters"] = [
        {
            "id": "CHR-001",
            "name": "Luna",
            "age": 31,
            "gender": "female",
            "negative_prompt": "hat",
            "lora_path": "/home/me/loras/luna.safetensors",
            "lora_strength": 7,
            "trigger_words": ["luna"],
            "lora_trigger": "luna, neon hair",
            "clothing_options": [{"id": "C1", "name": "Armour", "description": "a chrome breastplate"}],
            "default_clothing": "C1",
            "style_keywords": ["cyberpunk"],
            "thumbnail": "assets/none.png",
        }
    ]
    report = import_aipipeline(folder(data))
    luna = Character.objects.get(code="CHR-001")
    assert (luna.age, luna.gender, luna.negative, luna.description) == ("31", "female", "hat", "cyberpunk")
    assert luna.use_lora, "a LoRA file without the switch is used, as the first version does"
    lora = luna.loras.get()
    assert (lora.file, lora.weight, lora.trigger_words) == ("luna.safetensors", 2.0, ["luna", "neon hair"])
    assert luna.default_costume is not None
    assert (luna.default_costume.name, luna.default_costume.prompt) == ("Armour", "a chrome breastplate")
    where = "character CHR-001"
    mended = {("mended", name) for name in ("use_lora", "lora_path", "lora_strength")}
    assert mended | {("doubtful", "lora_path"), ("dropped", "thumbnail")} <= lines(report, where)
    assert "no such file" in told(report, where, "thumbnail")


def test_character_ids_beside_subjects_and_the_old_action_are_merged(folder: Write) -> None:
    data = a_project()
    mina = {"character_id": "CHR-0001", "action": ""}
    data["shots"] = [
        a_shot(10, subjects=[mina], character_ids=["CHR-0001", "CHR-0002"], action="dives"),
        a_shot(20, character_ids=["CHR-0002"], action="rows"),
        a_shot(30, action="waves break"),
        a_shot(40, subjects=[{"character_id": "CHR-9999", "action": "sings"}], character_ids=["CHR-8888"]),
        a_shot(50, subjects=[{"character_id": "CHR-0001", "action": "swims"}], action="looks up"),
    ]
    report = import_aipipeline(folder(data))
    cast = {
        code: [(part.character.code, part.action) for part in shot(code).casting.order_by("order")]
        for code in ("SHT-00010", "SHT-00020", "SHT-00030", "SHT-00040", "SHT-00050")
    }
    assert cast == {
        "SHT-00010": [("CHR-0001", "dives"), ("CHR-0002", "")],
        "SHT-00020": [("CHR-0002", "rows")],
        "SHT-00030": [],
        "SHT-00040": [],
        "SHT-00050": [("CHR-0001", "swims")],
    }
    assert shot("SHT-00030").description == "Scene 30\nwaves break"
    assert "CHR-9999: sings" in shot("SHT-00040").notes
    assert "Action: looks up" in shot("SHT-00050").notes
    assert ("mended", "character_ids") in lines(report, "shot SHT-00010")
    assert {("dropped", "subjects"), ("dropped", "character_ids")} <= lines(report, "shot SHT-00040")


def test_every_status_has_its_place_and_confirmed_becomes_a_lock(folder: Write) -> None:
    data = a_project()
    known = ["pending", "queued", "generating", "completed", "failed", "needs_revision", "approved"]
    spoken = [*known, "confirmed", "Confirmed", "polished", None, 7]
    data["shots"] = [a_shot(100 + place, status=status) for place, status in enumerate(spoken)]
    report = import_aipipeline(folder(data))
    rows = list(Shot.objects.order_by("code").values_list("status_id", flat=True))
    assert rows[:7] == ["draft", "ready", "ready", "review", "ready", "ready", "approved"]
    assert rows[7:] == ["ready", "ready", "draft", "draft", "draft"]
    locked = Shot.objects.exclude(locked_by="").order_by("code")
    assert [row.code for row in locked] == ["SHT-00107", "SHT-00108"]
    assert all(row.locked_at for row in locked)
    assert "no such status" in told(report, "shot SHT-00109", "status")
    assert "missing" in told(report, "shot SHT-00110", "status")
    way = StateEvent.objects.filter(subject=shot("SHT-00106").pk).values_list("from_state", "to_state")
    assert list(way) == [("", "ready"), ("ready", "review"), ("review", "approved")]


def test_a_confirmed_sidecar_locks_its_shot(folder: Write) -> None:
    import_aipipeline(folder(a_project()))
    assert [bool(shot(code).locked_by) for code in ("SHT-00010", "SHT-00030")] == [False, True]


@pytest.mark.parametrize(
    ("said", "frames", "kind"),
    [
        ({"frame_count": 48, "duration_seconds": 2.0}, 48, ""),
        ({"frame_count": 48, "duration_seconds": 1.0}, 48, "mended"),
        ({"frame_count": 24, "duration_seconds": 3.5}, 84, "mended"),
        ({"frame_count": 48, "duration_seconds": 5.0}, 48, "doubtful"),
        ({"frame_count": 0, "duration_seconds": 2.0}, 48, "mended"),
        ({"frame_count": None, "duration_seconds": None}, 24, "mended"),
        ({"frame_count": "many", "duration_seconds": -1}, 24, "mended"),
        ({"frame_count": 30, "duration_seconds": 1.0, "fps": 30.0}, 24, "mended"),
        ({"frame_count": 48, "duration_seconds": 2.0, "fps": 0}, 48, "mended"),
        ({"frame_count": 10**12, "duration_seconds": 1.0}, 100_000, "mended"),
    ],
)
def test_lengths_that_disagree_are_mended_and_told(folder: Write, said: Data, frames: int, kind: str) -> None:
    data = a_project()
    data["shots"] = [a_shot(number) for number in (10, 20)] + [a_shot(30, **said)]
    report = import_aipipeline(folder(data))
    assert shot("SHT-00030").frames == frames
    times = {"frame_count", "duration_seconds", "fps"}
    found = {which for which, field in lines(report, "shot SHT-00030") if field in times}
    assert (kind in found) if kind else not found


def test_the_frame_rate_of_most_shots_becomes_the_projects(folder: Write) -> None:
    data = a_project()
    data["shots"] = [a_shot(number, fps=23.976) for number in (10, 20)] + [a_shot(30, fps=30)]
    import_aipipeline(folder(data))
    project = Project.objects.get()
    assert (project.fps_num, project.fps_den) == (24000, 1001)


def test_presets_that_no_word_means_are_kept_in_the_notes(folder: Write) -> None:
    data = a_project()
    data["shots"] = [
        a_shot(
            10,
            technical={
                "camera": "Bolex H16",
                "lighting": "Moonlit fog lamps of 1920",
                "lens": "Anamorphic",
                "filter": ["Tobacco grad"],
                "gimbal": "yes",
            },
        ),
        a_shot(20, technical={"lens": "35mm"}, cinematic_id="CINE-001"),
        a_shot(
            30,
            technical=None,
            cinematic_id="CINE-404",
            environment={"weather": "Hazy", "time_of_day": "Noonish"},
        ),
    ]
    report = import_aipipeline(folder(data))
    assert presets_of(shot("SHT-00010")) == ["lens_focal/anamorphic-40mm"]
    assert shot("SHT-00010").notes.splitlines() == [
        "Camera: Bolex H16",
        "Lighting: Moonlit fog lamps of 1920",
        "Filter: Tobacco grad",
    ]
    assert ("dropped", "gimbal") in lines(report, "shot SHT-00010")
    of_look = presets_of(shot("SHT-00020"))
    assert of_look[0] == "lens_focal/35mm", "what the shot says itself goes before its look"
    assert {"lighting_style/low-key", "mood/melancholic"} <= set(of_look)
    assert "Focal length: 85mm" in shot("SHT-00020").notes
    assert ("dropped", "cinematic_id") in lines(report, "shot SHT-00030")
    assert presets_of(shot("SHT-00030")) == ["weather/dust-and-haze"]
    assert "Time of day: Noonish" in shot("SHT-00030").notes


def test_an_option_called_like_a_look_of_the_studios_gets_a_key_of_its_own(folder: Write) -> None:
    studios = Look.objects.filter(project=None).first()
    assert studios is not None
    data: Data = {"project_id": "harbour", "cinematics": [{"id": studios.slug, "name": "Ours"}]}
    report = import_aipipeline(folder(data))
    assert Look.objects.get(project__code=report.project).slug == f"{studios.slug}-film"
    assert any("the studio has a look of this key" in note.told for note in report.notes)
    again = import_aipipeline(folder_of(report))
    assert (again.there["looks"], again.created["looks"]) == (1, 0)


def test_cinematic_options_become_looks_of_the_project(folder: Write) -> None:
    report = import_aipipeline(folder(a_project()))
    look = Look.objects.get(project__code="HARBOUR")
    assert (look.slug, look.name) == ("cine-001", "Cold night")
    chosen = [f"{one.category.slug}/{one.slug}" for one in look.presets.select_related("category")]
    assert {"lens_focal/85mm-portrait", "lighting_style/low-key", "mood/melancholic"} <= set(chosen)
    assert "Camera body: Arri Alexa" in look.description
    assert ("doubtful", "lens_type") in lines(report, "cinematic CINE-001")
    assert import_aipipeline(folder_of(report)).there["looks"] == 1


def folder_of(report: Report) -> Path:
    return Path(report.source)


def test_missing_and_odd_fields_stop_nothing(folder: Write) -> None:
    data = a_project()
    data["shots"] = [
        {},
        {"id": "shot one/../..", "scene_description": ["a", "b"], "subjects": "Mina", "environment": []},
        {"id": "SHT-1", "scene_description": "nul\x00 here", "seed": 2**60, "technical": {"filter": 5}},
        {"id": "sht-1", "reference_images": ["../../etc/passwd", "assets/mina.png"], "seed": 1.5},
        "no object",
        {"id": "SHT-2", "environment": {"location": {"a": 1}}, "subjects": [7, {"character_id": None}]},
    ]  # fmt: skip
    data["characters"] = [{"id": None}, 5, {"name": "Nameless", "clothing_options": [3, {}]}]
    report = import_aipipeline(folder(data))
    assert sorted(Shot.objects.values_list("code", flat=True)) == [
        "SHOT-ONE", "SHT-00010", "SHT-1", "SHT-1-2", "SHT-2"
    ]  # fmt: skip
    assert shot("SHT-1").description == "nul here"
    assert "NUL" in told(report, "shot SHT-1", "scene_description")
    assert shot("SHT-1").seed is None and shot("SHT-1-2").seed is None
    assert "leads out of the project" in told(report, "shot sht-1", "reference_images")
    assert shot("SHOT-ONE").description == "a, b"
    assert report.created["characters"] == 2


def test_what_has_no_id_takes_nobodys(folder: Write) -> None:
    data = a_project()
    data["shots"] = [{"scene_description": "nameless"}, a_shot(10), a_shot(10, scene_description="again")]
    report = import_aipipeline(folder(data))
    codes = dict(Shot.objects.values_list("description", "code"))
    assert codes == {"nameless": "SHT-00010-2", "Scene 10": "SHT-00010", "again": "SHT-00010-3"}
    assert told(report, "shot SHT-00010", "id") == "is there twice; SHT-00010-3 was given"


def test_the_files_and_the_database_of_a_project_give_the_same(
    folder: Write, database: Write, tmp_path: Path
) -> None:
    data = a_project()
    data["shots"].append(
        a_shot(
            40,
            character_ids=["CHR-0002"],
            action="rows",
            status="polished",
            duration_seconds=4.0,
            timecode_in="00:00:10:00",
            timecode_out="xx",
        )
    )
    files, base = folder(data), database(data)
    of_files = import_aipipeline(files)
    rows = everything()
    Shot.objects.all().delete()
    Project.objects.all().delete()
    of_base = import_aipipeline(base)
    assert everything() == rows
    assert {str(note) for note in of_base.notes} == {str(note) for note in of_files.notes}
    assert of_base.created == of_files.created


def test_a_dry_run_writes_nothing_and_tells_what_the_import_then_does(
    folder: Write, artifact_root: Path
) -> None:
    place = folder(a_project())
    dry = import_aipipeline(place, dry_run=True)
    assert everything() == {**{model.__name__: [] for model in OURS}, "presets": [], "cast": []}
    assert not [path for path in artifact_root.rglob("*") if path.is_file()]
    real = import_aipipeline(place)
    assert (dry.created, dry.there, dry.notes) == (real.created, real.there, real.notes)


def test_importing_again_changes_nothing_and_what_people_changed_meanwhile_stays(folder: Write) -> None:
    place = folder(a_project())
    import_aipipeline(place)
    Shot.objects.filter(code="SHT-00010").update(description="Mended by hand")
    before, events = everything(), StateEvent.objects.count()
    again = import_aipipeline(place)
    assert everything() == before
    assert StateEvent.objects.count() == events
    assert not again.created
    assert (again.there["shots"], again.there["characters"]) == (3, 2)


def test_codes_that_came_over_are_not_handed_out_again(folder: Write) -> None:
    data = a_project()
    data["characters"][0]["id"] = "CH0001"
    import_aipipeline(folder(data))
    made = create_character(project=Project.objects.get(), name="New", user=None)
    assert made.code == "CH0002"
    assert create_shot(sequence=Sequence.objects.get(code="SEQ-001"), user=None).code == "SH0010"


def test_the_command_reports_in_text_and_json_and_takes_another_code(folder: Write) -> None:
    place = folder(a_project())
    out = StringIO()
    call_command("import_aipipeline", str(place), "--project", "SEA", "--dry-run", stdout=out)
    assert "mended: shot SHT-00030, status “needs_revision”: ready, for another take" in out.getvalue()
    assert "dry run: nothing was written" in out.getvalue()
    out = StringIO()
    call_command("import_aipipeline", str(place), "--project", "SEA", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert (report["project"], report["created"]["shots"], report["dry_run"]) == ("SEA", 3, False)
    assert {"kind", "where", "field", "value", "told"} == set(report["notes"][0])
    with pytest.raises(CommandError, match=r"(?s)capital letters.*Nothing was written"):
        call_command("import_aipipeline", str(place), "--project", "../sea")
