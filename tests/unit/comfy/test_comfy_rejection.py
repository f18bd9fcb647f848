"""Validation answers become the error that says what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farm.contracts import FailureClass
from workers.comfy.errors import (
    GraphRejected,
    InputMissing,
    MissingModel,
    MissingNodeClass,
)
from workers.comfy.rejection import outputs_dropped, rejection

Recording = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("name", "error", "node_id", "words"),
    [
        ("prompt_fail_bad_link_node", GraphRejected, "1", "Exception when validating node ('99')"),
        ("prompt_fail_cycle", GraphRejected, "1", "1 (ImageInvert) -> 2 (ImageInvert) -> 1"),
        ("prompt_fail_missing_required", GraphRejected, "1", "EmptyImage #1: Required input is missing"),
        ("prompt_fail_no_outputs", GraphRejected, "", "Prompt has no outputs"),
        ("prompt_fail_not_in_list", GraphRejected, "2", "upscale_method: 'bogus' not in"),
        ("prompt_fail_type_mismatch", GraphRejected, "2", "received_type(LATENT) mismatch"),
        ("prompt_fail_missing_class_type", GraphRejected, "", "has no class_type"),
        ("prompt_fail_ckpt_not_in_list", MissingModel, "1", "sd_xl_base_1.0.safetensors"),
        ("prompt_fail_loadimage_missing", InputMissing, "1", "Invalid image file: does_not_exist.png"),
        ("prompt_fail_unknown_class", MissingNodeClass, "1", "Node 'NoSuchNode' not found"),
    ],
)
def test_a_refused_graph_names_its_node_and_repeats_comfyuis_words(
    recording: Recording, name: str, error: type[GraphRejected], node_id: str, words: str
) -> None:
    refused = rejection(recording(name)["post"]["body"])

    assert type(refused) is error
    assert refused.node_id == node_id
    assert words in refused.message


def test_the_older_server_says_a_missing_class_in_a_sentence(recording: Recording) -> None:
    refused = rejection(recording("prompt_fail_unknown_class", "v0.3.64")["post"]["body"])

    assert type(refused) is MissingNodeClass
    assert (refused.node_id, refused.node_type) == ("1", "NoSuchNode")


def test_every_problem_of_a_graph_is_told(recording: Recording) -> None:
    refused = rejection(recording("prompt_fail_value_too_small")["post"]["body"])

    assert [problem.input_name for problem in refused.problems] == ["height", "width"]
    assert "Value 99999999 bigger than max of 16384" in refused.message
    assert "Value 0 smaller than min of 1" in refused.message


def test_a_graph_that_is_wrong_in_itself_outweighs_a_missing_model(recording: Recording) -> None:
    body = recording("prompt_fail_ckpt_not_in_list")["post"]["body"]
    body["node_errors"] |= recording("prompt_fail_not_in_list")["post"]["body"]["node_errors"]

    assert rejection(body).failure_class is FailureClass.REJECTED_GRAPH


def test_a_missing_model_outweighs_a_missing_input(recording: Recording) -> None:
    body = recording("prompt_fail_ckpt_not_in_list")["post"]["body"]
    inputs = recording("prompt_fail_loadimage_missing")["post"]["body"]["node_errors"]
    body["node_errors"]["77"] = inputs["1"]

    assert rejection(body).failure_class is FailureClass.MISSING_MODEL


def test_a_long_list_of_models_is_cut_short(recording: Recording) -> None:
    body = recording("prompt_fail_ckpt_not_in_list")["post"]["body"]
    body["node_errors"]["1"]["errors"][0]["details"] = "ckpt_name: 'x' not in " + "model, " * 1000

    assert len(rejection(body).message) < 500


def test_a_200_with_node_errors_tells_which_outputs_were_dropped(recording: Recording) -> None:
    body = recording("prompt_ok_partial_invalid_output")["post"]["body"]

    dropped = outputs_dropped(body["node_errors"])

    assert [problem.node_id for problem in dropped.problems] == ["9", "10"]
    assert dropped.failure_class is FailureClass.REJECTED_GRAPH


@pytest.mark.parametrize(
    "body", [{}, {"error": "no", "node_errors": []}, {"node_errors": {"1": {"errors": 7}}}]
)
def test_a_refusal_of_an_unknown_form_is_still_a_refusal(body: dict[str, Any]) -> None:
    assert "without a reason" in rejection(body).message
