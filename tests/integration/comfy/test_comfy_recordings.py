"""Every recording of a real ComfyUI, of both versions, has a named outcome: what the client makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.comfy.recorded_exchanges import UNASKED
from tests.integration.comfy.recorded_outcomes import BY_HISTORY, OLDER, OUTCOMES
from tests.integration.comfy.recorded_plays import play
from tests.integration.comfy.recorded_server import RecordedComfy
from tests.integration.comfy.recorded_stage import Stage
from workers.comfy import client as client_module
from workers.comfy.client import ComfyClient

FOLDER = Path(__file__).parents[2] / "data" / "comfyui"
NEWER, OLD = "v0.27.0", "v0.3.64"


def _names(version: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / version).iterdir())


@pytest.fixture(scope="module")
def server() -> Iterator[RecordedComfy]:
    server = RecordedComfy()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _settles_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "SETTLE_S", 0.05)
    monkeypatch.setattr(client_module, "SETTLE_STEP_S", 0.01)


def _played(version: str, name: str, server: RecordedComfy, *, has_jobs: bool) -> list[str]:
    recorded = json.loads((FOLDER / version / f"{name}.json").read_text(encoding="utf-8"))
    client = ComfyClient(server.url, client_id="recorded")
    try:
        return play(name, recorded, Stage(server, client, has_jobs))
    finally:
        client.close()


@pytest.mark.parametrize("name", _names(NEWER))
def test_0_27_by_its_jobs(name: str, server: RecordedComfy) -> None:
    assert _played(NEWER, name, server, has_jobs=True) == OUTCOMES[name]


@pytest.mark.parametrize("name", _names(NEWER))
def test_0_27_by_queue_and_history(name: str, server: RecordedComfy) -> None:
    assert _played(NEWER, name, server, has_jobs=False) == BY_HISTORY.get(name, OUTCOMES[name])


@pytest.mark.parametrize("name", _names(OLD))
def test_0_3_64_by_queue_and_history(name: str, server: RecordedComfy) -> None:
    expected = OLDER.get(name) or BY_HISTORY.get(name) or OUTCOMES[name]

    assert _played(OLD, name, server, has_jobs=False) == expected


def test_the_table_names_nothing_that_was_not_recorded() -> None:
    assert OUTCOMES.keys() == set(_names(NEWER))
    assert OLDER.keys() <= set(_names(OLD)) <= OUTCOMES.keys()
    assert BY_HISTORY.keys() <= OUTCOMES.keys()


@pytest.mark.parametrize("version", [NEWER, OLD])
def test_what_is_said_not_to_be_for_the_client_it_never_asks_for(version: str, server: RecordedComfy) -> None:
    server.heard.clear()
    for name in _names(version):
        _played(version, name, server, has_jobs=version == NEWER)

    gets = {request.removeprefix("GET ") for request in server.heard if request.startswith("GET ")}
    assert "/queue" in gets
    assert gets.isdisjoint(UNASKED)
