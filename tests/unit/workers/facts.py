"""Orders and reports for unit tests."""

from __future__ import annotations

from typing import Any

from farm.contracts import Outcome, RenderOrder, RenderReport, pack_graph


def order(attempt_id: str = "a1", **changes: Any) -> RenderOrder:
    """Make an order without inputs and outputs."""
    values: dict[str, Any] = {
        "attempt_id": attempt_id,
        "job_id": "j1",
        "token": "t1",
        "label": "SQ010_SH0010 keyframe take 1",
        "template": "plain",
        "tier_gb": 8,
        "need_gb": 4.0,
        "graph_z": pack_graph({"1": {"class_type": "EmptyImage", "inputs": {}}}),
        "inputs": (),
        "outputs": (),
        "artifact_folder": f"attempts/{attempt_id}",
        "report_key": "key",
        "execution_timeout_s": 60.0,
        "hang_s": 30.0,
    }
    return RenderOrder(**{**values, **changes})


def report(attempt_id: str = "a1") -> RenderReport:
    """Make a report of success."""
    return RenderReport(
        attempt_id=attempt_id, job_id="j1", token="t1", node="n1", epoch="e1", outcome=Outcome.SUCCEEDED
    )
