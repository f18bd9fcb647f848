"""Node and coordinator are brought up to date one after the other: what one makes of the other's words."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest

from farm import contracts
from tests.earlier import contracts as earlier

BOTH = [(earlier, contracts), (contracts, earlier), (contracts, contracts), (earlier, earlier)]
KEY = "k" * 32


def render_report(said_by: ModuleType | Any, **changes: Any) -> Any:
    """A report of a failure, with all that both versions know."""
    failure = said_by.Failure(
        failure_class=said_by.FailureClass.OUT_OF_MEMORY, code="out_of_memory", message="메모리 부족"
    )
    artifact = said_by.ArtifactFact(
        path="a.png",
        kind="image",
        media_type="image/png",
        bytes=10,
        sha256="0" * 64,
        width=64,
        height=48,
        frames=1,
        fps=None,
        output_node="2",
    )
    values = {
        "attempt_id": "a1",
        "job_id": "j1",
        "token": "t1",
        "node": "gpu1",
        "epoch": "e1",
        "outcome": said_by.Outcome.FAILED,
        "failure": failure,
        "artifacts": (artifact,),
        "timings": said_by.Timings(execute_s=1.25),
        "log": (said_by.LogLine(at=1.5, level="info", logger="workers", message="m", facts={"a": "b"}),),
        **changes,
    }
    return said_by.RenderReport(**values).signed(KEY)


def node_report(said_by: ModuleType | Any, **changes: Any) -> Any:
    values = {
        "node": "gpu1",
        "worker": "celery@gpu1",
        "epoch": "e1",
        "state": said_by.NodeState.BUSY,
        "reason": "",
        "tier_gb": 24,
        "simulated": True,
        "gpus": (),
        "comfy": said_by.ComfyFact(reachable=True, version="0.27.0"),
        "fingerprint": "f" * 16,
        "running": (said_by.RunningAttempt(attempt_id="a2", token="t2", stage=said_by.Stage.EXECUTING),),
        **changes,
    }
    return said_by.NodeReport(**values)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize(("node", "coordinator"), BOTH)
def test_a_report_is_believed_across_versions(node: Any, coordinator: Any, log: bool) -> None:
    told = render_report(node, **({} if log else {"log": ()}))

    heard = coordinator.from_json(coordinator.RenderReport, node.to_json(told))

    assert heard.is_signed_with(KEY)
    assert not replace(heard, token="t9").is_signed_with(KEY)


@pytest.mark.parametrize(("node", "coordinator"), BOTH)
def test_a_nodes_report_is_read_across_versions(node: Any, coordinator: Any) -> None:
    told = node_report(node, finished=(render_report(node),))

    heard = coordinator.from_json(coordinator.NodeReport, node.to_json(told))

    assert (heard.node, heard.epoch, heard.tier_gb) == ("gpu1", "e1", 24)
    assert [(item.attempt_id, str(item.stage)) for item in heard.running] == [("a2", "executing")]
    assert [one.is_signed_with(KEY) for one in heard.finished] == [True]


def test_a_node_of_an_earlier_version_heeds_nothing_it_does_not_know() -> None:
    heard, left_out = contracts.read_node_report(earlier.to_json(node_report(earlier)))

    assert (heard.hears, heard.canary, heard.probe, heard.resident, left_out) == ((), "", None, (), ())
    assert heard.comfy.address == ""


@pytest.mark.parametrize(("coordinator", "node"), BOTH)
def test_directives_orders_and_claims_are_read_across_versions(coordinator: Any, node: Any) -> None:
    directives = coordinator.NodeDirectives(
        confirmed=("a1",), cancelled=("a2",), serve=True, desired="draining"
    )
    order = coordinator.RenderOrder(
        attempt_id="a1",
        job_id="j1",
        token="t1",
        label="",
        template="plain",
        tier_gb=8,
        need_gb=4.0,
        graph_z=coordinator.pack_graph({"1": {}}),
        inputs=(coordinator.OrderInput(node="1", input="image", key="k", sha256="0" * 64, bytes=1),),
        outputs=(coordinator.OrderOutput(node="2", kind="image", width=1, height=1, frames=1),),
        artifact_folder="attempts/a1",
        report_key=KEY,
        execution_timeout_s=60.0,
        hang_s=30.0,
    )
    request = node.ClaimRequest(attempt_id="a1", token="t1", node="gpu1", epoch="e1", sent_at=1.5)

    told = node.from_json(node.NodeDirectives, coordinator.to_json(directives))
    assert (told.confirmed, told.cancelled, told.serve, told.desired) == (("a1",), ("a2",), True, "draining")
    assert node.from_json(node.RenderOrder, coordinator.to_json(order)).graph == {"1": {}}
    assert coordinator.from_json(coordinator.ClaimRequest, node.to_json(request)).sent_at == 1.5


def grown(plain: Any) -> Any:
    """The same message from a version that knows one more field, in everything it is made of."""
    if isinstance(plain, dict):
        return {name: grown(value) for name, value in plain.items()} | {"of_next_year": {"any": ["thing"]}}
    return [grown(item) for item in plain] if isinstance(plain, list | tuple) else plain


def test_fields_that_are_not_known_yet_are_read_past_and_the_signature_holds() -> None:
    told = contracts.to_json(node_report(contracts, finished=(render_report(contracts, log=()),)))

    heard, left_out = contracts.read_node_report(grown(told))

    assert left_out == ()
    assert heard == node_report(contracts, finished=(render_report(contracts, log=()),))
    assert heard.finished[0].is_signed_with(KEY)


def test_one_finished_report_with_an_unknown_word_costs_no_other_and_not_the_nodes_own() -> None:
    good, odd = render_report(contracts), contracts.to_json(render_report(contracts, attempt_id="a9"))
    odd["failure"]["failure_class"] = "struck_by_lightning"
    told = contracts.to_json(node_report(contracts)) | {"finished": [odd, contracts.to_json(good)]}

    heard, left_out = contracts.read_node_report(told)

    assert heard == node_report(contracts, finished=(good,))
    (why,) = left_out
    assert "struck_by_lightning" in why


@pytest.mark.parametrize("told", [None, 7, [], {}, {"version": 1}, {"version": 1, "finished": 3}])
def test_what_is_no_nodes_report_is_refused(told: object) -> None:
    with pytest.raises(contracts.ContractError, match="NodeReport"):
        contracts.read_node_report(told)


def test_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(contracts.ContractError, match=r"NodeReport\.version is 2; this side speaks 1"):
        contracts.read_node_report(contracts.to_json(node_report(contracts)) | {"version": 2})


def test_the_words_of_this_version_are_closed() -> None:
    """Whoever adds one mends this test and VERSION: the other side cannot read a message that holds it."""
    words = {kind.__name__: [str(word) for word in kind] for kind in enumerations()}

    assert contracts.VERSION == 1
    assert words == {
        "Outcome": ["succeeded", "failed", "cancelled", "dropped"],
        "FailureClass": [
            *("out_of_memory", "rejected_graph", "missing_model", "input_missing", "comfy_crashed"),
            *("comfy_hung", "infrastructure", "output_invalid", "timed_out", "interrupted", "unknown"),
        ],
        "Stage": ["accepted", "staged", "executing", "collecting"],
        "NodeState": ["starting", "idle", "busy", "deaf", "sick"],
        "Source": ["nvml", "comfyui", "simulated", "unknown"],
    }


def enumerations() -> list[type[StrEnum]]:
    return [kind for kind in vars(contracts).values() if isinstance(kind, type) and kind.__base__ is StrEnum]


@pytest.mark.parametrize("name", ["RenderFailed", "ContractError"])
def test_what_travels_as_a_tasks_failure_has_one_address_for_ever(name: str) -> None:
    """Celery sends an exception's module along; who cannot import it does not know the report in it."""
    assert vars(contracts)[name].__module__ == "farm.contracts"


def test_every_field_of_a_message_may_be_missing_but_those_of_the_first_version() -> None:
    """A field that an earlier version does not send has a default."""
    for name, kind in vars(earlier).items():
        if not (isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")):
            continue
        known = {one.name for one in fields(kind)}
        present = vars(contracts)[name]
        asked = {one.name for one in fields(present) if _is_needed(one)}
        assert asked <= known, name
        assert known <= {one.name for one in fields(present)}, name


def _is_needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
