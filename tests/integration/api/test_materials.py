"""Material over HTTP: bring it, list it, fetch it, name it otherwise, name it at Render, take it away."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.productions.models import Shot
from tests.integration.admin.test_media import body
from tests.integration.api.conftest import Client
from tests.integration.materials.made import mask, picture, sound, upload

pytestmark = pytest.mark.django_db


def bring(client: Any, address: str, content: bytes, file: str, **fields: str) -> Any:
    return client.post(
        f"/api/v1/{address}/materials", {"file": upload(content, file), **fields}, format="multipart"
    )


def test_a_file_comes_in_once_is_listed_with_what_is_above_it_and_comes_back_as_it_was(
    shots: list[Shot], client_of: Client, artifact_root: Path
) -> None:
    coordinator, at = client_of("coordinator"), f"shots/{shots[0].pk}"
    first = bring(coordinator, at, mask(), "sky_mask.png")
    again = bring(coordinator, at, mask(), "sky_mask.png")
    above = bring(coordinator, f"sequences/{shots[0].sequence_id}", sound(), "rain.wav", name="rain")
    film = bring(coordinator, "projects/FROST", picture(), "plate.png")
    assert [one.status_code for one in (first, again, above, film)] == [201, 200, 201, 201]
    made = first.json()
    assert (made["shot"], made["kind"], made["width"], made["state"]) == (
        shots[0].full_code,
        "mask",
        64,
        "ready",
    )
    listed = coordinator.get(f"/api/v1/{at}/materials").json()
    assert [(one["name"], one["shot"], one["sequence"], one["state"]) for one in listed] == [
        ("sky_mask.png", shots[0].full_code, None, "ready"),
        ("rain", None, "SQ010", "processing"),
        ("plate.png", None, None, "ready"),
    ]
    file = coordinator.get(f"/api/v1/materials/{made['id']}/file")
    assert hashlib.sha256(body(file)).hexdigest() == made["sha256"]


def test_it_is_renamed_and_taken_away(shots: list[Shot], client_of: Client, artifact_root: Path) -> None:
    coordinator = client_of("coordinator")
    at = f"/api/v1/materials/{bring(coordinator, f'shots/{shots[0].pk}', picture(), 'a.png').json()['id']}"
    said = {"name": "pose", "kind": "control", "row_version": 0}
    changed = coordinator.patch(at, said, format="json").json()
    assert (changed["name"], changed["kind"]) == ("pose", "control")
    now = {"row_version": changed["row_version"]}
    assert coordinator.patch(at, {"kind": "audio", **now}, format="json").status_code == 400
    assert client_of("viewer").delete(at).status_code == 403
    assert coordinator.delete(at, now, format="json").status_code == 204
    assert coordinator.get(at).status_code == 404


def test_a_bad_file_is_named_with_what_would_be_right(
    shots: list[Shot], client_of: Client, artifact_root: Path
) -> None:
    answer = bring(
        client_of("coordinator"), f"shots/{shots[0].pk}", b"%!PS-Adobe-3.0 EPSF-3.0\n", "plate.png"
    )
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["field"], error["value"], error["code"]) == ("file", "plate.png", "unknown_format")
    assert "PNG, JPEG, WebP" in error["message"]
    assert bring(client_of("viewer"), f"shots/{shots[0].pk}", picture(), "a.png").status_code == 403


def test_a_plan_names_the_files_and_a_batch_takes_them_by_id(
    shots: list[Shot], client_of: Client, templates: None, artifact_root: Path
) -> None:
    coordinator, at = client_of("coordinator"), f"shots/{shots[0].pk}"
    plate = bring(coordinator, at, picture(), "plate.png").json()
    bring(coordinator, at, mask(), "sky_mask.png")
    door = bring(coordinator, at, mask((128, 72)), "door_mask.png").json()
    body: dict[str, Any] = {
        "project": "FROST",
        "shots": [shots[0].full_code],
        "steps": [{"template": "inpaint"}],
    }
    [problem] = coordinator.post("/api/v1/batches/plan", body, format="json").json()["problems"]
    assert (problem["code"], problem["value"]) == ("no_mask", "2")
    body["steps"][0]["files"] = {"mask": door["id"]}
    told = coordinator.post("/api/v1/batches/plan", body, format="json").json()
    assert {(one["input"], one["id"], one["name"]) for one in told["jobs"][0]["files"]} == {
        ("first_frame", plate["id"], "plate.png"),
        ("mask", door["id"], "door_mask.png"),
    }
    assert [one["code"] for one in told["warnings"]] == ["mask_size"]
    batch = coordinator.post("/api/v1/batches", body, format="json", headers={"Idempotency-Key": "k"}).json()
    [job] = coordinator.get(f"/api/v1/jobs?batch={batch['code']}").json()["results"]
    used = coordinator.get(f"/api/v1/jobs/{job['id']}").json()["materials"]
    assert [(one["input"], one["sha256"]) for one in used] == [
        ("first_frame", plate["sha256"]),
        ("mask", door["sha256"]),
    ]
    said = {"row_version": door["row_version"]}
    refused = coordinator.delete(f"/api/v1/materials/{door['id']}", said, format="json")
    assert refused.status_code == 400
    assert job["code"] in refused.json()["errors"][0]["message"]


def test_a_long_list_takes_no_more_queries_than_a_short_one(
    shots: list[Shot], client_of: Client, artifact_root: Path
) -> None:
    coordinator, address = client_of("coordinator"), f"/api/v1/shots/{shots[0].pk}/materials"
    counts = []
    for name, size in (("a.png", 8), ("b.png", 9), ("c.png", 10)):
        bring(coordinator, f"shots/{shots[0].pk}", picture((size, size)), name)
        with CaptureQueriesContext(connection) as queries:
            assert coordinator.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[-1]
