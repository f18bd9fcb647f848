"""Each node's whole catalogue is kept, once for all that have the same, and read as a catalogue."""

from __future__ import annotations

import copy
import gzip
from typing import Any

import pytest
from django.core.cache import cache

from apps.nodes.models import Node, NodeCatalogue
from apps.nodes.selectors import catalogue_of
from apps.workflows.catalogues import by_node
from farm.contracts import PackedCatalogue, pack_catalogue
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from workflows.catalogue import inputs_of, recorded

pytestmark = pytest.mark.django_db(transaction=True)


def _own(**more: object) -> PackedCatalogue:
    """What a node with a class of its own tells."""
    own: dict[str, Any] = {**recorded(), "OwnNode": {"input": {"required": {}}, "output": [], **more}}
    packed = pack_catalogue(own)
    assert packed is not None
    return packed


@pytest.fixture(autouse=True)
def _nobody_was_asked() -> None:
    cache.clear()


def test_a_node_is_asked_for_its_catalogue_and_it_is_kept(node24: Hand) -> None:
    whole = _own()
    assert catalogue_of(Node.objects.get()) is recorded()
    assert node24.reports(catalogue_of=whole.sha256).want_catalogue
    assert not node24.reports(catalogue_of=whole.sha256, catalogue=whole.text).want_catalogue
    kept = catalogue_of(Node.objects.get())
    assert kept["OwnNode"]["output"] == []
    assert inputs_of(kept["KSampler"], {}).keys() == inputs_of(recorded()["KSampler"], {}).keys()
    assert by_node() == {node24.name: kept}


def test_equal_catalogues_are_one_row_and_travel_once(node24: Hand, bus: Broker) -> None:
    whole = _own()
    other = Hand("other", tier_gb=24, broker=bus).arrives()
    asked = [hand.reports(catalogue_of=whole.sha256).want_catalogue for hand in (node24, other)]
    assert asked == [True, False]
    node24.reports(catalogue_of=whole.sha256, catalogue=whole.text)
    assert not other.reports(catalogue_of=whole.sha256).want_catalogue
    assert NodeCatalogue.objects.count() == 1
    assert len({id(info) for info in by_node().values()}) == 1


def _bomb() -> PackedCatalogue:
    return PackedCatalogue(sha256="a" * 64, packed=gzip.compress(b" " * 60 * 1024**2, compresslevel=1))


@pytest.mark.parametrize(
    "told",
    [
        PackedCatalogue(sha256="0" * 64, packed=b"no gzip"),
        PackedCatalogue(sha256="0" * 64, packed=gzip.compress(b"{}")),
        _bomb(),
        PackedCatalogue(sha256="0" * 64, packed=b""),
    ],
    ids=["no gzip", "another content", "a bomb", "nothing"],
)
def test_a_hostile_catalogue_is_refused_once_and_the_node_keeps_what_it_had(
    node24: Hand, told: PackedCatalogue
) -> None:
    whole = _own()
    node24.reports(catalogue_of=whole.sha256, catalogue=whole.text)
    answer = node24.reports(catalogue_of=told.sha256, catalogue=told.text or "!")
    assert not answer.want_catalogue
    assert not node24.reports(catalogue_of=told.sha256).want_catalogue
    assert "OwnNode" in catalogue_of(Node.objects.get())


def test_a_class_in_a_form_that_nobody_writes_is_left_out(node24: Hand) -> None:
    hostile: dict[str, Any] = {
        "NoInput": {"output": []},
        "Grows": {"input": {"required": {"x": ["COMFY_AUTOGROW_V3", {}]}}, "output": []},
        "Deep": _deep(),
        "Good": copy.deepcopy(recorded()["KSampler"]),
    }
    packed = pack_catalogue(hostile)
    assert packed is not None
    node24.reports(catalogue_of=packed.sha256, catalogue=packed.text)
    assert list(catalogue_of(Node.objects.get())) == ["Good"]


def _deep() -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for _ in range(50):
        options = [{"key": "a", "inputs": inputs}]
        inputs = {"required": {"x": ["COMFY_DYNAMICCOMBO_V3", {"options": options}]}}
    return {"input": inputs, "output": []}
