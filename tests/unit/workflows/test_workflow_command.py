"""``python -m workflows check``, and that the library needs nothing but Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflows.corpus import CATALOGUE_027
from workflows.__main__ import main
from workflows.load import load


def test_the_shipped_templates_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--object-info", str(CATALOGUE_027)]) == 0
    said = capsys.readouterr().out
    assert "plain_slate: in order" in said
    assert "'flux1-dev.safetensors' is not on this ComfyUI. (not counted)" in said


def test_absent_models_count_when_asked_for(catalogue_file: Path) -> None:
    assert main(["check", "--object-info", str(catalogue_file), "--require-models", "plain_slate"]) == 0
    assert main(["check", "--object-info", str(catalogue_file), "--require-models", "sd15_t2i"]) == 1


def test_a_broken_template_fails_with_a_sentence_per_problem(
    tmp_path: Path, graph: dict[str, Any], document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document["bindings"]["width"]["targets"][0]["node"] = "9"
    document["defaults"]["width"] = 3
    (tmp_path / "graph.json").write_text(json.dumps(graph), encoding="utf-8")
    (tmp_path / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("\n") == 2


@pytest.mark.parametrize(
    "content",
    [
        "[" * 200_000,
        "\x1f\x8b\x08 no gzip",
        '{"CLIPTextEncode": {"input": {"required": [1]}}}',
        '{"CLIPTextEncode": {"input": 5}}',
    ],
)
def test_a_catalogue_that_says_nonsense_fails_with_a_sentence(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "object_info.json"
    saved.write_bytes(content.encode("latin-1"))
    assert main(["check", "--object-info", str(saved), "sd15_t2i"]) == 1
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("arguments", [["nope"], ["--object-info", "/nowhere/catalogue.json"]])
def test_what_cannot_be_read_fails_with_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 1
    assert "; " in capsys.readouterr().out


def test_the_library_runs_without_any_installed_package() -> None:
    root = Path(load.__code__.co_filename).parents[1]
    command = [sys.executable, "-I", "-S", "-c", _ISOLATED.format(root=str(root))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wan22_i2v: in order" in done.stdout


_ISOLATED = """
import sys
sys.path.insert(0, {root!r})
from tests.unit.workflows.corpus import CATALOGUE_027
from workflows.__main__ import main
raise SystemExit(main(["check"]))
"""
