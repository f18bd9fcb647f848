"""``python -m workflows find``, ``draw`` and ``diff``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.workflows.corpus import CATALOGUE_027, templates
from workflows.__main__ import main
from workflows.load import LIBRARY
from workflows.parse import parse

CATALOGUE = ["--object-info", str(CATALOGUE_027)]
CLIP = str(LIBRARY / "wan22_i2v" / "graph.json")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """A workflow as ComfyUI's client saves it."""
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(templates()["video_wan2_2_14B_flf2v"]), encoding="utf-8")
    return str(path)


def test_find_tells_roles_and_why(saved: str, capsys: Captured) -> None:
    assert main(["find", saved, *CATALOGUE]) == 0

    said = capsys.readouterr().out
    assert "positive: text of node 90. The text that reaches positive of node 84 (KSamplerAdvanced)" in said
    assert "    or model: unet_name of node 77." in said
    assert "loras (low): behind output 0 of node 77" in said
    assert "model: vae/wan_2.1_vae.safetensors (node 79, vae_name)" in said


def test_find_prints_a_draft_that_parses(saved: str, capsys: Captured) -> None:
    assert main(["find", saved, *CATALOGUE, "--manifest", "my_clip"]) == 0

    assert parse(json.loads(capsys.readouterr().out)).slug == "my_clip"


def test_draw_prints_a_picture(saved: str, capsys: Captured) -> None:
    assert main(["draw", saved, *CATALOGUE]) == 0

    assert capsys.readouterr().out.startswith("<svg ")


def test_diff_ends_with_1_where_something_differs_and_says_what(tmp_path: Path, capsys: Captured) -> None:
    graph = json.loads(Path(CLIP).read_text(encoding="utf-8"))
    graph["11"]["inputs"]["steps"] = 30
    other = tmp_path / "other.json"
    other.write_text(json.dumps(graph), encoding="utf-8")

    assert main(["diff", CLIP, CLIP]) == 0
    assert main(["diff", CLIP, str(other)]) == 1
    assert "    steps: 20 -> 30\n" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "code"), [("find", 1), ("draw", 1), ("diff", 2)])
def test_what_cannot_be_read_is_said_in_a_sentence(
    command: str, code: int, tmp_path: Path, capsys: Captured
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    files = [str(broken)] if command != "diff" else [CLIP, str(broken)]

    assert main([command, *files, *CATALOGUE]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
