"""How the address of the database is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm import env

ADDRESS = "postgresql://farm:secret@db.studio:5432/shotfarm"


def options(monkeypatch: pytest.MonkeyPatch, address: str) -> object:
    monkeypatch.setenv("DATABASE_URL", address)
    return env.database("DATABASE_URL", Path("unused"))["OPTIONS"]


def test_a_machine_that_vanishes_is_noticed_within_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    told = options(monkeypatch, ADDRESS)
    assert isinstance(told, dict)
    silence = int(told["keepalives_idle"]) + int(told["keepalives_interval"]) * int(told["keepalives_count"])
    assert silence <= 30
    assert int(told["tcp_user_timeout"]) <= 30_000
    assert int(told["connect_timeout"]) <= 30


def test_what_the_address_says_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    told = options(monkeypatch, f"{ADDRESS}?connect_timeout=3&sslmode=require")
    assert isinstance(told, dict)
    assert (told["connect_timeout"], told["sslmode"]) == ("3", "require")
