"""A signature is about one call, and reads back as it was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farm.transfer import Call, Credentials

CALL = Call(method="PUT", attempt_id="a1", resource="files/take.png", query="size=1", time=1_700_000_000)


def test_credentials_travel_in_a_header() -> None:
    credentials = Credentials.of(CALL, "key")
    read = Credentials.read(str(credentials))
    assert read == credentials
    assert CALL.is_signed(credentials, "key")
    assert "key" not in str(credentials)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"attempt_id": "a2"},
        {"resource": "files/other.png"},
        {"query": "size=2"},
        {"time": 1_700_000_001},
        {"body": "0" * 64},
    ],
)
def test_every_part_of_a_call_is_signed(change: dict[str, Any]) -> None:
    other = replace(CALL, **change)
    assert not other.is_signed(Credentials.of(CALL, "key"), "key")


def test_another_key_signs_otherwise() -> None:
    assert not CALL.is_signed(Credentials.of(CALL, "key"), "other")


@pytest.mark.parametrize("header", ["", "Token abc", "Shotfarm-Attempt time=1, body=xyz, signature=1"])
def test_what_is_no_header_of_ours_is_none(header: str) -> None:
    assert Credentials.read(header) is None
