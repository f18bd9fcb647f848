"""Messages of two versions: a field that one side does not know yet costs nobody anything."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from farm.contracts import (
    Capabilities,
    ContractError,
    NodeDirectives,
    RenderReport,
    canonical,
    from_json,
    to_json,
)
from tests.unit.workers.facts import report


def test_a_node_that_does_not_know_custom_nodes_has_the_fingerprint_it_always_had() -> None:
    old = {"classes": ["KSampler"], "models": {"vae": ["ae.safetensors"]}}

    read = from_json(Capabilities, old)

    assert read.fingerprint == hashlib.sha256(canonical(old)).hexdigest()[:16]
    assert replace(read, custom_nodes={"pack": "1"}).fingerprint != read.fingerprint


def test_a_report_with_a_peak_is_believed_by_a_coordinator_that_does_not_know_peaks() -> None:
    told = replace(report(), peak_mib=20_000).signed("key")
    plain = to_json(told)
    assert plain.pop("peak_mib") == 20_000

    heard = from_json(RenderReport, plain)

    assert heard.is_signed_with("key")
    assert from_json(RenderReport, to_json(told)).is_signed_with("key")


def test_directives_of_an_older_coordinator_ask_for_nothing_new() -> None:
    plain = to_json(NodeDirectives(serve=True))
    del plain["unstage"], plain["probe"]

    assert from_json(NodeDirectives, plain) == NodeDirectives(serve=True)


@pytest.mark.parametrize("peak", [-1, 1 << 24 | 1, 1 << 70, "24"])
def test_a_peak_that_no_card_has_is_refused_by_name(peak: object) -> None:
    plain = to_json(report().signed("key")) | {"peak_mib": peak}

    with pytest.raises(ContractError, match="peak_mib"):
        from_json(RenderReport, plain)
