"""What a node lacks for a job, as remembered by the fingerprint of its lists."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.nodes.models import Node
from apps.renders.scheduling.fit import lacking
from apps.renders.scheduling.nearest import nearest_there
from apps.renders.services.requirements import check_models
from farm.contracts import Capabilities
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand, everything
from workflows.load import all_templates

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

TEMPLATE = next(template for template in all_templates() if template.manifest.slug == "sd15_t2i")


def bare() -> Capabilities:
    """A ComfyUI with all its classes and not one model."""
    return replace(everything(), models={"checkpoints": ("of no use.safetensors",)})


def as_a_claim_reads_it(name: str) -> Node:
    return Node.objects.only("name", "capabilities_of").get(name=name)


def test_a_node_that_changes_while_it_is_judged_does_not_speak_for_others(bus: Broker) -> None:
    first = Hand("first", tier_gb=24, broker=bus, able=bare()).arrives()
    Hand("second", tier_gb=24, broker=bus, able=bare()).arrives()
    read_before = as_a_claim_reads_it("first")
    first.able = everything()
    first.arrives()
    assert lacking(read_before, TEMPLATE, "fp16") == (), "it has the model by now"
    assert read_before.capabilities_of == as_a_claim_reads_it("second").capabilities_of
    [missing] = lacking(as_a_claim_reads_it("second"), TEMPLATE, "fp16")
    assert missing.startswith("checkpoints/")


def test_what_a_node_lacks_is_read_once_for_all_that_list_the_same(
    bus: Broker, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("third", "fourth"):
        Hand(name, tier_gb=24, broker=bus).arrives()
    third, fourth = as_a_claim_reads_it("third"), as_a_claim_reads_it("fourth")
    assert lacking(third, TEMPLATE, "") == ()
    with django_assert_num_queries(0):
        assert lacking(fourth, TEMPLATE, "") == ()


def renamed(**files: str) -> Capabilities:
    """A ComfyUI with every class, and these files as checkpoints."""
    return replace(everything(), models={"checkpoints": tuple(files.values()), "vae": ("zzz.sft",)})


def test_a_model_that_no_node_has_is_told_with_its_graph_node_and_the_nearest_names(bus: Broker) -> None:
    Hand(
        "first", tier_gb=24, broker=bus, able=renamed(a="sd15/v1-5-pruned-emaonly.ckpt", b="x.ckpt")
    ).arrives()
    Hand("second", tier_gb=24, broker=bus, able=renamed(a="flux.safetensors")).arrives()
    [problem] = check_models(TEMPLATE, "fp16")
    node, loader = next((n, w) for n, w in TEMPLATE.graph.items() if w["class_type"].startswith("Checkpoint"))
    title = loader.get("_meta", {}).get("title", loader["class_type"])
    assert (problem.field, problem.code) == ("models", "missing_model")
    assert problem.message == (
        f"needed by node {node} ({title}): none of 2 nodes has it; put the file into ComfyUI's "
        "models/checkpoints; nearest: checkpoints/sd15/v1-5-pruned-emaonly.ckpt (first)"
    )


def test_a_node_class_that_the_pinned_node_lacks_is_told_with_the_nearest_it_has(bus: Broker) -> None:
    able = everything()
    classes = tuple(sorted({*able.classes, "KSamplr"} - {"KSampler"}))
    Hand("poor", tier_gb=24, broker=bus, able=replace(able, classes=classes)).arrives()
    [problem] = check_models(TEMPLATE, "fp16", pinned_to=Node.objects.get())
    assert (problem.value, problem.code) == ("KSampler", "missing_class")
    assert "to which this is pinned, lacks it" in str(problem.message)
    assert "; nearest: KSamplr (poor)" in str(problem.message)


def test_the_nearest_names_are_read_once_for_all_that_list_the_same(
    bus: Broker, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    able = renamed(a="sub/base.ckpt")
    for name in ("fifth", "sixth"):
        Hand(name, tier_gb=24, broker=bus, able=able).arrives()
    lacked = ["checkpoints/base_fp16.safetensors", "checkpoints/nothing like it.sft"]
    assert nearest_there(as_a_claim_reads_it("fifth"), lacked) == ("checkpoints/sub/base.ckpt",)
    sixth = as_a_claim_reads_it("sixth")
    with django_assert_num_queries(0):
        assert nearest_there(sixth, lacked) == ("checkpoints/sub/base.ckpt",)
