"""Bodies made to harm: answered with a problem, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.common.parsers import MAX_BYTES
from apps.productions.models import Shot
from tests.integration.api.conftest import problem_of

ADDRESS = "/api/v1/shots"


def post(client: APIClient, body: bytes, content_type: str = "application/json") -> Any:
    sent: Any = body  # its stubs know of text only
    return client.generic("POST", ADDRESS, sent, content_type=content_type)


def test_a_body_without_end_is_refused(coordinator: APIClient, shots: list[Shot]) -> None:
    problem = problem_of(post(coordinator, b'{"description": "' + b"x" * MAX_BYTES + b'"}'), 413)
    assert "5 MB" in problem["detail"]


def test_a_large_body_within_bounds_is_read(coordinator: APIClient, shots: list[Shot]) -> None:
    body = {"project": "FROST", "sequence": "SQ010", "unknown": "x" * (MAX_BYTES // 2)}
    problem = problem_of(post(coordinator, json.dumps(body).encode()), 400)
    assert [error["field"] for error in problem["errors"]] == ["unknown"]
    assert len(json.dumps(problem)) < 2000, "what was sent is not sent back whole"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_body_that_nests_without_end_is_refused(
    coordinator: APIClient, shots: list[Shot], opening: bytes
) -> None:
    tracemalloc.start()
    try:
        problem_of(post(coordinator, opening * 500_000), 400)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "body", [b"\xff\xfe{}", b'{"a": NaN}', b"", b"{", b'{"a": 1e999999}', b"9" * 5000, b'"\\ud800"']
)
def test_what_is_no_json_is_told_so(coordinator: APIClient, shots: list[Shot], body: bytes) -> None:
    problem_of(post(coordinator, body), 400)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "text/xml", "application/x-yaml"]
)
def test_other_kinds_of_body_are_not_read(
    coordinator: APIClient, shots: list[Shot], content_type: str
) -> None:
    problem_of(post(coordinator, b"<x/>", content_type), 415)
