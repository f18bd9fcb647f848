"""Whatever stands in a graph, checking it ends with problems, never with an error."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.workflows.checking import check_upload
from tests.unit.workflows import corpus
from workflows.validate import check_graph

NAMES = sorted(corpus.converted())
LINKS = st.lists(st.one_of(st.text(max_size=3), st.integers(-3, 3), st.none()), max_size=3)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), LINKS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_graph_with_anything_anywhere_is_told_in_sentences(data: st.DataObject) -> None:
    graph: dict[str, Any] = copy.deepcopy(corpus.converted()[data.draw(st.sampled_from(NAMES))])
    for _ in range(data.draw(st.integers(1, 4))):
        node = graph[data.draw(st.sampled_from(sorted(graph)))]
        if not isinstance(node, dict) or not node:
            continue
        place: Any = node["inputs"] if isinstance(node.get("inputs"), dict) and node["inputs"] else node
        place = data.draw(st.sampled_from([place, node, graph]))
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES)
    for problem in check_graph(graph, corpus.object_info()):
        assert problem.message.isprintable()
        assert problem.node is None or problem.node in graph
    assert check_upload(graph, data.draw(VALUES)).problems is not None


def test_ten_megabytes_of_a_chain_are_told_in_one_sentence() -> None:
    graph: dict[str, Any] = {
        str(index): {"class_type": "ImageInvert", "inputs": {"image": [str(index + 1), 0], "x": "y" * 2_000}}
        for index in range(5_000)
    }
    graph["save"] = {"class_type": "SaveImage", "inputs": {"images": ["0", 0], "filename_prefix": "x"}}
    assert len(json.dumps(graph)) > 10_000_000
    problems = check_graph(graph, corpus.object_info())
    assert [(one.node, one.code) for one in problems] == [("4999", "exception_during_inner_validation")]
