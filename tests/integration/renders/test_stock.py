"""Files × nodes: what is there, what is another file, what is missing where, and how to fetch it."""

from __future__ import annotations

from typing import Any

import pytest

from apps.common.clock import database_now
from apps.nodes.models import Node, NodeFile
from apps.renders.stock import Need, Standing, downloads, matrix, needs_of, stocked_nodes, templates_named
from tests.factories import NodeFactory

pytestmark = pytest.mark.django_db

ONE, OTHER = "1" * 64, "2" * 64
AE = Need("vae", "ae.safetensors", url="https://example.org/ae", templates=("flux_t2i",))


def node(name: str, sha256: str | None = None, *, lists: bool = True, **facts: Any) -> Node:
    """A node that lists the file or does not; ``sha256`` None: it told nothing more of it."""
    row = NodeFactory.create(
        name=name, models_by_folder={"vae": ["ae.safetensors"]} if lists else {}, capabilities_of="x"
    )
    if sha256 is not None:
        facts = {"size": 7, "why": "" if sha256 else "waiting"} | facts
        NodeFile.objects.create(
            node=row, folder="vae", name="ae.safetensors", sha256=sha256, seen_at=database_now(), **facts
        )
    return row


def standings(need: Need = AE) -> dict[str, Standing]:
    (row,) = matrix(stocked_nodes(), [need]).rows
    return {cell.node.name: cell.standing for cell in row.cells}


def test_a_file_is_there_missing_or_of_unknown_content() -> None:
    node("a", ONE), node("b", ""), node("c"), node("d", lists=False)
    assert standings() == {
        "a": Standing.PRESENT,
        "b": Standing.UNSURE,
        "c": Standing.UNSURE,
        "d": Standing.MISSING,
    }


def test_the_manifests_hash_is_the_right_one_whatever_most_nodes_have() -> None:
    node("a", ONE), node("b", OTHER), node("c", OTHER)
    need = Need("vae", "ae.safetensors", sha256=ONE)
    assert standings(need) == {"a": Standing.PRESENT, "b": Standing.OTHER, "c": Standing.OTHER}


def test_a_size_that_is_not_the_manifests_is_enough_to_know_it_is_another_file() -> None:
    node("a", "", size=8)
    assert standings(Need("vae", "ae.safetensors", size=7)) == {"a": Standing.OTHER}


def test_without_a_hash_in_the_manifest_most_nodes_are_right_and_of_two_neither() -> None:
    node("a", ONE), node("b", OTHER)
    assert set(standings().values()) == {Standing.OTHER}
    node("c", ONE)
    assert standings() == {"a": Standing.PRESENT, "b": Standing.OTHER, "c": Standing.PRESENT}
    (row,) = matrix(stocked_nodes(), [AE]).rows
    assert row.conflict


def test_why_a_hash_is_not_known_is_said(django_assert_num_queries: Any) -> None:
    node("a", ""), node("b")
    (row,) = matrix(stocked_nodes(), [AE]).rows
    assert [cell.because for cell in row.cells] == [
        "its hash is being found",
        "its worker has not told it; an older one tells no hashes",
    ]


def test_what_no_template_needs_is_shown_when_everything_is_asked_for() -> None:
    node("a", ONE)
    assert matrix(stocked_nodes(), []).rows == ()
    (row,) = matrix(stocked_nodes(), [], everything=True).rows
    assert (row.path, row.need) == ("vae/ae.safetensors", None)


def test_the_list_of_downloads_has_what_some_node_lacks_with_the_hash_others_agree_on() -> None:
    node("a", ONE), node("b", lists=False)
    (file,) = downloads(matrix(stocked_nodes(), [AE]))
    assert (file.url, file.sha256, file.size) == ("https://example.org/ae", ONE, 7)
    assert "lacking on b" in file.why


def test_nothing_is_to_be_fetched_where_nothing_is_missing() -> None:
    node("a", ONE)
    assert downloads(matrix(stocked_nodes(), [AE])) == []


@pytest.mark.usefixtures("templates")
def test_a_template_needs_what_its_manifest_names_in_every_precision() -> None:
    needs = needs_of(templates_named("flux_t2i"))
    assert {need.folder for need in needs} >= {"vae", "text_encoders"}
    assert all(by.startswith("flux_t2i") for need in needs for by in need.templates)


@pytest.mark.usefixtures("templates")
def test_it_takes_the_same_number_of_queries_for_one_node_and_for_many(
    django_assert_num_queries: Any,
) -> None:
    for number in range(5):
        node(f"n{number}", ONE)
    needs = needs_of(templates_named())
    with django_assert_num_queries(2):
        matrix(stocked_nodes(), needs)
