"""What a node lacks for a job, as remembered by the fingerprint of its lists."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.nodes.models import Node
from apps.renders.scheduling.fit import lacking
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
