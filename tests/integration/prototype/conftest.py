"""A project as the prototype leaves it, written by us: as files and as a database, the same in both."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Data = dict[str, Any]

_COLUMNS = {
    "shots": "id sequence_id scene_description dialogue subjects environment technical action character_ids "
    "cinematic_id generated_prompt negative_prompt seed reference_images generated_image_path "
    "generated_video_path frame_count fps duration_seconds timecode_in timecode_out status workflow_type "
    "created_at updated_at",
    "characters": "id name description reference_sheet lora_path lora_strength trigger_words use_lora "
    "default_clothing created_at updated_at",
    "cinematics": "id name category camera_body focal_length lens_type film_stock shot_type lighting style "
    "environment atmosphere filters raw_data created_at updated_at",
    "jobs": "id shot_id workflow_type params status priority",
}


def a_shot(number: int, **said: Any) -> Data:
    """A shot as the prototype writes it where nobody says anything."""
    return {
        "id": f"SHT-{number:05}",
        "sequence_id": "SEQ-001",
        "scene_description": f"Scene {number}",
        "dialogue": None,
        "subjects": [],
        "environment": {"location": "", "weather": None, "time_of_day": None, "reference_image": None},
        "technical": {
            "camera": "Arri Alexa",
            "film_stock": "Kodak Vision3",
            "lighting": None,
            "lens": "Anamorphic",
            "aspect_ratio": "16:9",
            "filter": [],
        },
        "action": None,
        "character_ids": [],
        "cinematic_id": None,
        "seed": None,
        "frame_count": 24,
        "fps": 24.0,
        "duration_seconds": 1.0,
        "status": "pending",
        "workflow_type": "text_to_image",
        **said,
    }


def a_project() -> Data:
    """Two characters, a cinematic option, three shots: what a studio might have."""
    return {
        "project_id": "harbour",
        "description": "A film about a harbour",
        "characters": [
            {
                "id": "CHR-0001",
                "name": "Mina",
                "description": "a diver in her thirties",
                "reference_sheet": "assets/mina.png",
                "lora_path": "people\\mina_v3.safetensors",
                "lora_strength": 0.75,
                "trigger_words": "mina_v3, wet hair",
                "use_lora": True,
                "default_clothing": "a yellow oilskin",
            },
            {"id": "CHR-0002", "name": "Otto", "description": "an old ferryman", "use_lora": False},
        ],
        "cinematics": [
            {
                "id": "CINE-001",
                "name": "Cold night",
                "focal_length": "85mm",
                "lighting": "Low key",
                "atmosphere": "Melancholic",
                "camera_body": "Arri Alexa",
                "lens_type": "Anamorphic",
                "style": "Cinematic",
                "filters": [],
            }
        ],
        "shots": [
            a_shot(
                10,
                subjects=[
                    {"character_id": "CHR-0001", "action": "hauls a rope", "costume_override": "a wetsuit"},
                    {"character_id": "CHR-0002", "action": "", "costume_override": None, "lora_weight": 0.5},
                ],
                environment={"location": "Old harbour", "weather": "Fog", "time_of_day": "Blue Hour"},
                technical={
                    "camera": "Arri Alexa",
                    "film_stock": "Kodak Vision3 500T",
                    "lighting": "Rembrandt",
                    "lens": "35mm",
                    "aspect_ratio": "2.39:1",
                    "filter": ["Black Pro-Mist"],
                },
                negative_prompt="sun",
                seed=4711,
                frame_count=48,
                duration_seconds=2.0,
                status="completed",
                dialogue="Pull!",
                generated_prompt="Mina wearing a wetsuit hauls a rope",
            ),
            a_shot(20, sequence_id=None, environment={"location": "old harbour"}, status="approved"),
            a_shot(30, cinematic_id="CINE-001", status="needs_revision"),
        ],
        "jobs": [{"id": "JOB-1", "shot_id": "SHT-00010", "workflow_type": "text_to_image", "params": {},
                  "status": "completed", "priority": 1}],
    }  # fmt: skip


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 36), "navy").save(file, "PNG")
    return file.getvalue()


def written(folder: Path, data: Data) -> Path:
    """The project's folder with data.json, one picture, and a sidecar that locks a shot."""
    place = folder / str(data["project_id"])
    (place / "assets").mkdir(parents=True)
    (place / "assets/mina.png").write_bytes(picture())
    side = place / "scenes/SEQ-001/shots/SHT-00030"
    side.mkdir(parents=True)
    (side / "meta.json").write_text(json.dumps({"shot_id": "SHT-00030", "confirmed": True}))
    (place / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return place


def stored(place: Path, data: Data) -> Path:
    """The same in the prototype's database, which has a column for what its tables know."""
    with closing(sqlite3.connect(place)) as database:
        database.execute("CREATE TABLE projects (id TEXT PRIMARY KEY, description TEXT)")
        database.execute("INSERT INTO projects VALUES (?, ?)", (data["project_id"], data["description"]))
        for table, names in _COLUMNS.items():
            columns = names.split()
            database.execute(f"CREATE TABLE {table} (project_id TEXT, {', '.join(columns)})")
            for row in data.get(table, ()):
                values = [
                    json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
                    for value in (row.get(name) for name in columns)
                ]
                marks = ", ".join("?" * (len(columns) + 1))
                database.execute(
                    f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - our own names
                    (data["project_id"], *values),
                )
        database.commit()
    return place


@pytest.fixture
def folder(tmp_path: Path, artifact_root: Path) -> Callable[[Data], Path]:
    """Write a project as files."""
    return lambda data: written(tmp_path / "projects", data)


@pytest.fixture
def database(tmp_path: Path) -> Callable[[Data], Path]:
    """Write a project as a database."""
    return lambda data: stored(tmp_path / "aipipeline.db", data)
