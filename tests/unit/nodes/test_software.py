"""Drift: what a node's software has otherwise than what was accepted, and than its pool."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from apps.nodes.software import MOST_TOLD, Census, drift, mark_of, software_of
from apps.nodes.words import drift_sentences
from farm.contracts import Capabilities, ComfyFact


def software(**changes: Any) -> dict[str, Any]:
    made = software_of(
        ComfyFact(reachable=True, version="0.8.0", pytorch="2.9", python="3.11"),
        Capabilities(
            classes=("KSampler", "LoadImage"),
            models={"checkpoints": ("a.safetensors",), "loras": ("b.safetensors",)},
            custom_nodes={"VideoHelper": "1a"},
        ),
    )
    return made | changes


def codes(own: dict[str, Any], baseline: dict[str, Any], *others: dict[str, Any]) -> list[str]:
    return [row["code"] for row in drift(own, baseline, Census([own, *others]))]


def test_equal_software_does_not_drift() -> None:
    assert codes(software(), software(), software(), software()) == []
    assert mark_of(software()) == mark_of(software())
    assert mark_of(software(comfyui="0.8.1")) != mark_of(software())


def test_what_changed_since_it_was_accepted_is_told_one_by_one() -> None:
    now = software(
        comfyui="0.9.0",
        custom_nodes={"VideoHelper": "2b", "Impact": "3c"},
        models=["checkpoints/a.safetensors", "vae/y.safetensors"],
    )
    assert codes(now, software()) == [
        "version_changed",
        "custom_node_came",
        "custom_node_changed",
        "model_went",
        "model_came",
    ]
    assert codes(software(custom_nodes={}), software()) == ["custom_node_went"]


def test_where_no_custom_nodes_are_told_the_number_of_classes_tells() -> None:
    assert codes(software(custom_nodes={}, classes=3), software(custom_nodes={})) == ["classes_changed"]


def test_a_node_is_compared_with_most_others_of_its_pool() -> None:
    own = software(comfyui="0.3.64", custom_nodes={}, models=["checkpoints/a.safetensors"])
    found = drift(own, own, Census([own, *(software() for _ in range(5)), software(comfyui="0.7.0")]))
    assert [row["code"] for row in found] == ["pool_version", "pool_has_custom_node", "pool_has_model"]
    with translation.override("en"):
        sentences = drift_sentences(found)
    assert sentences[0] == "ComfyUI is 0.3.64, 5 of 6 others of the pool have 0.8.0"
    assert sentences[1] == "lacks custom node VideoHelper, which 6 of 6 others of the pool have"


def test_another_build_of_a_custom_node_is_told() -> None:
    own = software(custom_nodes={"VideoHelper": "9z"})
    assert codes(own, own, software(), software()) == ["pool_has_other_custom_node"]


def test_half_of_the_pool_is_no_majority() -> None:
    own = software(comfyui="0.9.0")
    assert codes(own, own, software(), software(comfyui="0.9.0")) == []


def test_a_node_alone_and_one_that_has_told_nothing_have_nothing_to_be_compared_with() -> None:
    assert codes(software(), {}) == []
    assert codes({}, software(), software()) == []
    assert codes(software(), software(), {}, {}) == []


def test_many_differences_are_counted_not_all_told() -> None:
    own = software(models=[f"loras/{n}" for n in range(200)])
    found = drift(own, software(), Census([own]))
    assert len(found) == MOST_TOLD
    assert found[-1] == {"code": "more", "params": {"count": 202 - MOST_TOLD + 1}}
