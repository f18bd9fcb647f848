"""``python -m workflows convert``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.workflows.corpus import CATALOGUE_027, converted, templates
from workflows.__main__ import main
from workflows.load import LIBRARY

NAME = "templates-car_product"
CATALOGUE = ["--object-info", str(CATALOGUE_027)]
Captured = pytest.CaptureFixture[str]


def saved(folder: Path, document: object) -> str:
    path = folder / "workflow.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_a_workflow_is_printed_in_api_format(tmp_path: Path, capsys: Captured) -> None:
    assert main(["convert", saved(tmp_path, templates()[NAME]), *CATALOGUE]) == 0
    told = capsys.readouterr()
    graph = json.loads(told.out)
    assert set(graph) == set(converted()[NAME])
    assert told.err == ""


def test_a_graph_in_api_format_is_printed_as_it_is(tmp_path: Path, capsys: Captured) -> None:
    assert main(["convert", saved(tmp_path, converted()[NAME]), *CATALOGUE]) == 0
    assert json.loads(capsys.readouterr().out) == converted()[NAME]


def test_a_catalogue_need_not_be_packed(tmp_path: Path, capsys: Captured) -> None:
    plain = tmp_path / "object_info.json"
    plain.write_text('{"X": {"input": {"required": {"n": ["INT", {"default": 3}]}}}}', encoding="utf-8")
    file = saved(tmp_path, {"nodes": [{"id": 1, "type": "X"}]})
    assert main(["convert", file, "--object-info", str(plain)]) == 0
    assert json.loads(capsys.readouterr().out)["1"]["inputs"] == {"n": 3}


def test_each_problem_is_a_line_on_the_error_output(tmp_path: Path, capsys: Captured) -> None:
    nodes = [
        {"id": 5, "type": "KSamplr", "title": "Main"},
        {"id": 6, "type": "ImageInvert", "inputs": [{"name": "image", "link": 7}]},
    ]
    assert main(["convert", saved(tmp_path, {"nodes": nodes}), *CATALOGUE]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    first, second = told.err.splitlines()
    assert first.startswith("Node 5 (Main): this ComfyUI has no node class 'KSamplr'.")
    assert second == "Node 6 (ImageInvert): 'image' is linked to link 7, which the file does not have."


def test_what_the_graph_lacks_is_noted_beside_it(tmp_path: Path, capsys: Captured) -> None:
    assert main(["convert", saved(tmp_path, templates()["api_hunyuan3d_model2uv"]), *CATALOGUE]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["13"]["class_type"] == "Load3D"
    assert told.err.startswith("note: Node 13 (Load3D) shows a scene")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "neither JSON nor PNG"),
        (b"\x7fELF\x02\x01\x01", "neither JSON nor PNG"),
        (b'{"nodes": [', "is no JSON"),
        (b"[" * 300_000, "nested too deep"),
        (b"{}" + b"\xff" * 10, "is no JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x20tEXtworkflow", "ends in the middle"),
    ],
)
def test_a_file_that_holds_no_workflow_is_refused_in_a_sentence(
    content: bytes, sentence: str, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "file").write_bytes(content)
    assert main(["convert", str(tmp_path / "file"), *CATALOGUE]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert sentence in told.err


def test_a_file_that_is_not_there_and_a_catalogue_that_is_none_are_refused(
    tmp_path: Path, capsys: Captured
) -> None:
    assert main(["convert", str(tmp_path / "nowhere.png"), *CATALOGUE]) == 1
    assert main(["convert", str(tmp_path), *CATALOGUE]) == 1
    assert main(["convert", saved(tmp_path, {"nodes": []}), "--object-info", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("\n") == 3


def test_converting_needs_nothing_but_python(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", _ISOLATED.format(root=str(LIBRARY.parent))]
    file = saved(tmp_path, templates()[NAME])
    done = subprocess.run([*command, file, *CATALOGUE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)) == set(converted()[NAME])


_ISOLATED = """
import sys
sys.path.insert(0, {root!r})
from workflows.__main__ import main
raise SystemExit(main(["convert", *sys.argv[1:]]))
"""
