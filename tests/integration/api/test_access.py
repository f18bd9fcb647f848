"""Every address × everybody: who gets in, who is told no, and to whom a row looks absent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from apps.common.ids import uuid7
from apps.presets.models import CinematicPreset
from apps.productions.models import Shot
from apps.review.states import Media
from tests.factories import (
    ArtifactFactory,
    BatchFactory,
    CharacterFactory,
    JobFactory,
    NodeFactory,
    TakeFactory,
)
from tests.integration.api.conftest import PEOPLE, Client

MEMBERS = {"anonymous": 401, "viewer": 200, "artist": 200, "coordinator": 200, "admin": 200}
READ_ROW = MEMBERS | {"outsider": 404}
READ_LIST = MEMBERS | {"outsider": 200}
READ_FARM = MEMBERS | {"outsider": 403}


def write(done: int, *, outsider: int, artist: int | None = None) -> dict[str, int]:
    return {
        "anonymous": 401,
        "viewer": 403,
        "artist": artist or done,
        "coordinator": done,
        "admin": done,
        "outsider": outsider,
    }


@dataclass(frozen=True)
class Address:
    """One address, what is sent there, and the status each person gets."""

    method: str
    path: str
    expected: dict[str, int]
    body: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ORDER = {"project": "FROST", "shots": ["SQ010_SH0010"], "steps": [{"template": "sd15_t2i"}]}

ADDRESSES = [
    *(
        Address("get", f"/api/v1/{name}", READ_LIST)
        for name in ("projects", "sequences", "shots", "characters", "batches", "jobs", "takes")
    ),
    Address("get", "/api/v1/projects/{project}", READ_ROW),
    *(
        Address("get", f"/api/v1/{name}s/{{{name}}}", READ_ROW)
        for name in ("sequence", "shot", "character", "job", "take")
    ),
    Address("get", "/api/v1/batches/{batch}", READ_ROW),
    Address("get", "/api/v1/artifacts/{artifact}/file", READ_ROW),
    *(Address("get", f"/api/v1/{name}", READ_FARM) for name in ("presets", "templates", "nodes")),
    Address("get", "/api/v1/presets/{preset}", READ_FARM),
    Address("get", "/api/v1/templates/{template}", READ_FARM),
    Address("get", "/api/v1/nodes/{node}", READ_FARM),
    Address("get", "/api/schema/", READ_LIST),
    Address(
        "post", "/api/v1/sequences", write(201, outsider=400), {"project": "FROST", "name": "The mirror"}
    ),
    Address("post", "/api/v1/shots", write(201, outsider=400), {"project": "FROST", "sequence": "SQ010"}),
    Address("patch", "/api/v1/shots/{shot}", write(200, outsider=404), {"frames": 24, "row_version": 0}),
    Address("post", "/api/v1/shots/{shot}/status", write(200, outsider=404), {"to": "on_hold"}),
    Address("post", "/api/v1/batches", write(201, outsider=400), ORDER),
    Address("post", "/api/v1/batches/plan", write(200, outsider=400), ORDER),
    Address("post", "/api/v1/batches/{batch}/cancel", write(200, outsider=404)),
    Address("post", "/api/v1/batches/{batch}/pause", write(200, outsider=404), {"paused": True}),
    Address("post", "/api/v1/jobs/{job}/cancel", write(200, outsider=404)),
    Address("post", "/api/v1/jobs/{failed}/requeue", write(200, outsider=404)),
    Address("post", "/api/v1/jobs/{job}/prioritise", write(200, outsider=404), {"priority": 30}),
    Address("post", "/api/v1/jobs/{job}/pause", write(200, outsider=404), {"paused": True}),
    Address("post", "/api/v1/takes/{take}/review", write(200, outsider=404, artist=403), {"to": "approved"}),
    Address("post", "/api/v1/takes/{take}/look-again", write(200, outsider=404)),
    Address(
        "post",
        "/api/v1/nodes/{node}/desired",
        dict.fromkeys(PEOPLE, 403) | {"anonymous": 401},
        {"desired": "draining"},
    ),
    Address("post", "/api/v1/auth/logout", dict.fromkeys(PEOPLE, 204) | {"anonymous": 401}),
    Address("post", "/api/v1/auth/logoutall", dict.fromkeys(PEOPLE, 204) | {"anonymous": 401}),
]


@pytest.fixture
def rows(shots: list[Shot], templates: None, artifact_root: Path) -> dict[str, Any]:
    """One row of each kind, by the name it has in the addresses."""
    shot = shots[0]
    batch = BatchFactory.create(project=shot.project)
    take = TakeFactory.create(shot=shot, media_state=Media.READY)
    artifact = ArtifactFactory.create(take=take)
    path = artifact_root / artifact.key
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0")
    return {
        "project": "FROST",
        "template": "sd15_t2i",
        "sequence": shot.sequence_id,
        "shot": shot.pk,
        "character": CharacterFactory.create(project=shot.project).pk,
        "batch": batch.pk,
        "job": JobFactory.create(shot=shot, batch=batch).pk,
        "failed": JobFactory.create(shot=shot, batch=batch, state="failed").pk,
        "take": take.pk,
        "artifact": artifact.pk,
        "preset": CinematicPreset.objects.values_list("pk", flat=True).first(),
        "node": NodeFactory.create().pk,
    }


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_everybody_gets_what_their_role_allows(
    rows: dict[str, Any], client_of: Client, address: Address, who: str
) -> None:
    client = client_of(who)
    response = getattr(client, address.method)(
        address.path.format(**rows), address.body or None, HTTP_IDEMPOTENCY_KEY="this press"
    )
    assert response.status_code == address.expected[who], getattr(response, "content", response)
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", [address.path for address in ADDRESSES if address.expected is READ_LIST and "v1" in address.path]
)
def test_lists_hold_the_rows_of_ones_own_projects_only(
    rows: dict[str, Any], client_of: Client, path: str
) -> None:
    assert client_of("viewer").get(path).json()["count"] >= 1
    assert client_of("outsider").get(path).json()["count"] == 0


def test_a_hidden_row_and_an_absent_one_look_alike(rows: dict[str, Any], client_of: Client) -> None:
    outsider = client_of("outsider")
    hidden = outsider.get(f"/api/v1/shots/{rows['shot']}")
    absent = outsider.get(f"/api/v1/shots/{uuid7()}")
    assert hidden.json() == absent.json()


def test_every_address_of_the_api_is_in_the_table_of_this_test(client_of: Client) -> None:
    schema = client_of("viewer").get("/api/schema/", HTTP_ACCEPT="application/json").json()
    documented = {
        (method, re.sub(r"{\w+}", "{}", path))
        for path, methods in schema["paths"].items()
        for method in methods
        if method in {"get", "post", "patch", "put", "delete"}
    }
    tested = {(address.method, re.sub(r"{\w+}", "{}", address.path)) for address in ADDRESSES}
    elsewhere = {("post", "/api/v1/auth/login")}  # test_tokens.py
    undocumented = {("get", "/api/schema/")}
    assert documented == tested - undocumented | elsewhere


def test_nobody_reads_the_documentation_without_logging_in(client_of: Client) -> None:
    response = client_of("anonymous").get("/api/docs/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_a_user_cannot_report_results(client_of: Client) -> None:
    schema = client_of("admin").get("/api/schema/", HTTP_ACCEPT="application/json").json()
    assert not [path for path in schema["paths"] if "report" in path or "attempt" in path or "claim" in path]


def test_no_other_site_may_read_the_api(client_of: Client) -> None:
    response = client_of("viewer").get("/api/v1/projects", HTTP_ORIGIN="https://elsewhere.example")
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
