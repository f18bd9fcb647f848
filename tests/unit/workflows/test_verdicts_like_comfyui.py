"""Every recorded submit gets ComfyUI's verdict here: taken, or the same errors at the same nodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from workers.comfysim.versions import VERSIONS
from workflows.validate import Problem, check_graph, without_missing_models

RECORDED: Final = Path(__file__).parents[2] / "data" / "comfyui"
NOT_OF_THE_GRAPH: Final = {"no_prompt", "invalid_prompt_id"}
OLD_NAMES: Final = {"invalid_prompt": "missing_node_type"}
"""How 0.3.64 calls it: the newer name here."""


def _submits(document: object) -> Iterator[dict[str, Any]]:
    """Exchanges that sent a graph and got a verdict on it."""
    if isinstance(document, list):
        for inner in document:
            yield from _submits(inner)
    elif isinstance(document, dict):
        request = document.get("request")
        sent = request.get("json") if isinstance(request, dict) else None
        if isinstance(sent, dict) and isinstance(sent.get("prompt"), dict) and "nodes" not in sent["prompt"]:
            yield document
        for inner in document.values():
            yield from _submits(inner)


def _recorded() -> Iterator[Any]:
    for path in sorted(RECORDED.glob("v*/*.json")):
        version = path.parent.name.removeprefix("v")
        for number, exchange in enumerate(_submits(json.loads(path.read_text(encoding="utf-8")))):
            error = exchange["body"].get("error") if isinstance(exchange["body"], dict) else None
            verdict = exchange["status"] in (200, 400) and isinstance(exchange["body"], dict)
            if verdict and (error or {}).get("type") not in NOT_OF_THE_GRAPH:
                yield pytest.param(version, exchange, id=f"{path.stem}-{number}-{version}")


def _errors(body: dict[str, Any]) -> dict[str, list[str]]:
    return {
        node_id: sorted(error["type"] for error in said["errors"])
        for node_id, said in (body.get("node_errors") or {}).items()
    }


def _refused(version: str, exchange: dict[str, Any]) -> list[Problem]:
    """What we refuse that a server does not only fail on later.

    The catalogues list no model files: those of a submit that was taken were there when it was recorded.
    """
    sent, taken = exchange["request"]["json"], exchange["status"] == 200
    problems = check_graph(
        sent["prompt"],
        VERSIONS[version].classes(),
        uploaded=None if taken else (),
        targets=sent.get("partial_execution_targets"),
    )
    return [one for one in (without_missing_models(problems) if taken else problems) if not one.late]


@pytest.mark.parametrize(("version", "exchange"), list(_recorded()))
def test_a_recorded_submit_gets_the_recorded_verdict(version: str, exchange: dict[str, Any]) -> None:
    refused = _refused(version, exchange)
    error = exchange["body"].get("error") or {}
    if error.get("type") in (None, "prompt_outputs_failed_validation"):
        ours: dict[str, list[str]] = {}
        for problem in refused:
            ours.setdefault(problem.node or "", []).append(problem.code)
        circle = version == "0.3.64" and error and not exchange["body"]["node_errors"]
        recorded = {"1": ["dependency_cycle"], "2": ["dependency_cycle"]}  # 0.3.64 names no node; 0.27 these
        assert {node_id: sorted(codes) for node_id, codes in ours.items()} == (
            recorded if circle else _errors(exchange["body"])
        )
    else:
        assert [problem.code for problem in refused] == [OLD_NAMES.get(error["type"], error["type"])]
        where = error["details"].removeprefix("Node ID '#").removesuffix("'") or None
        assert refused[0].node == where


def test_the_recordings_hold_each_kind_of_failure() -> None:
    kinds = {
        kind
        for recorded in _recorded()
        for kinds in _errors(recorded.values[1]["body"]).values()
        for kind in kinds
    }
    assert len(kinds) >= 9
