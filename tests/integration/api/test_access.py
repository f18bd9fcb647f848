"""What holds for the whole API. Who gets in where: tests/integration/access, for every address there is."""

from __future__ import annotations

import re

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.common.ids import uuid7
from apps.productions.models import Shot
from tests.factories import BatchFactory, CharacterFactory, JobFactory, TakeFactory
from tests.integration.access.addresses import every_address
from tests.integration.api.conftest import Client

LISTS = ("projects", "sequences", "shots", "characters", "batches", "jobs", "takes")


@pytest.mark.parametrize("name", LISTS)
def test_lists_hold_the_rows_of_ones_own_projects_only(
    shots: list[Shot], client_of: Client, name: str
) -> None:
    CharacterFactory.create(project=shots[0].project)
    TakeFactory.create(shot=shots[0])
    JobFactory.create(shot=shots[0], batch=BatchFactory.create(project=shots[0].project))
    assert client_of("viewer").get(f"/api/v1/{name}").json()["count"] >= 1
    assert client_of("outsider").get(f"/api/v1/{name}").json()["count"] == 0


def test_a_hidden_row_and_an_absent_one_look_alike(shots: list[Shot], client_of: Client) -> None:
    outsider = client_of("outsider")
    hidden = outsider.get(f"/api/v1/shots/{shots[0].pk}")
    absent = outsider.get(f"/api/v1/shots/{uuid7()}")
    assert hidden.json() == absent.json()


def test_every_address_of_the_api_is_documented(client_of: Client) -> None:
    schema = client_of("viewer").get("/api/schema/", HTTP_ACCEPT="application/json").json()
    documented = {
        (method.upper(), re.sub(r"{\w+}", "{}", path.lstrip("/")))
        for path, methods in schema["paths"].items()
        for method in methods
        if method in {"get", "post", "patch", "put", "delete"}
    }
    there = {
        (method, re.sub(r"{\w+}", "{}", one.pattern))
        for one in every_address()
        for method in one.methods
        if one.pattern.startswith("api/v1/") or one.pattern == "events"
    }
    assert documented == there


def test_the_description_is_written_once_in_each_language_and_form(
    client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [
        {"Accept": form, "Accept-Language": language}
        for form in ("application/json", "application/vnd.oai.openapi")
        for language in ("en", "ko")
    ]
    first = [client_of("viewer").get("/api/schema/", headers=one) for one in asked]
    monkeypatch.delattr(SchemaGenerator, "get_schema")
    again = [client_of("admin").get("/api/schema/", headers=one) for one in asked]

    assert [answer.content for answer in again] == [answer.content for answer in first]
    for name in ("Content-Type", "Content-Disposition", "Vary"):
        assert [answer[name] for answer in again] == [answer[name] for answer in first]
    assert b'"openapi"' in first[0].content
    assert first[2].content.startswith(b"openapi:")
    assert client_of("anonymous").get("/api/schema/").status_code == 401


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
