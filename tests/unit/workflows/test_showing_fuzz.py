"""Any graph that passes for API format can be searched, drafted, drawn and compared."""

from __future__ import annotations

import copy
import json
from typing import Any
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.workflows.corpus import graphs, object_info
from workflows.compare import compare
from workflows.drawing import draw
from workflows.finding import draft_manifest, find
from workflows.graph import Graph, format_problem
from workflows.parse import parse

IDS = ["1", "2", "3", "4", "5", "68:8", "a b", "<&>", ""]
CLASSES = [
    "KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced", "CFGGuider", "RandomNoise", "CLIPTextEncode",
    "ConditioningZeroOut", "ControlNetApplyAdvanced", "FluxGuidance", "EmptyLatentImage", "WanImageToVideo",
    "LoadImage", "VAEEncode", "GetImageSize", "ComfySwitchNode", "ComfyMathExpression", "PrimitiveInt",
    "StringConcatenate", "LoraLoader", "CheckpointLoaderSimple", "CreateVideo", "SaveVideo", "SaveImage",
    "ImageBatch", "ResizeImageMaskNode", "Unknown<b>",
]  # fmt: skip
NAMES = [
    "positive", "negative", "conditioning", "model", "clip", "latent_image", "noise", "guider", "sigmas",
    "seed", "steps", "cfg", "text", "value", "switch", "on_true", "on_false", "expression", "values.a",
    "width", "height", "length", "image", "images", "pixels", "samples", "video", "fps", "filename_prefix",
    "strength", "denoise", "start_at_step", "end_at_step", "add_noise", "string_a", "string_b", "ckpt_name",
    "resize_type", "resize_type.width", "resize_type.height", "frame_idx", "input", "start_image", "",
]  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.integers()
    | st.sampled_from([10**400, 1e308, "a.safetensors", "a", "scale dimensions", "enable", "a.png"])
    | st.floats()
    | st.text(max_size=6)
)
links = st.tuples(st.sampled_from(IDS), st.integers(-1, 4)).map(list)
values = links | leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.just("__value__"), leaves)
nodes = st.fixed_dictionaries(
    {
        "class_type": st.sampled_from(CLASSES),
        "inputs": st.dictionaries(st.sampled_from(NAMES), values, max_size=9),
    },
    optional={"_meta": leaves | st.fixed_dictionaries({"title": leaves})},
)
any_graph = st.dictionaries(st.sampled_from(IDS), nodes, max_size=9)


def shown(graph: Graph, other: Graph) -> None:
    assert format_problem(graph) is None
    found = find(graph, object_info())
    draft = draft_manifest(graph, object_info(), found, slug="s", title={"en": "t", "ko": "t"})
    parse(json.loads(json.dumps(draft, allow_nan=False)))
    ElementTree.fromstring(draw(graph, object_info(), found.marks()))  # noqa: S314 - our own text
    for one, another in ((graph, other), (other, graph)):
        assert all(line.isprintable() for line in compare(one, another).text().splitlines())
    assert not compare(graph, copy.deepcopy(graph))


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(any_graph, any_graph)
def test_any_graph_is_searched_drafted_drawn_and_compared(graph: Graph, other: Graph) -> None:
    shown(graph, other)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["default", "video_wan2_2_14B_i2v", "video_ltx2_3_flf2v", "flux_redux_model_example"]),
    st.data(),
)
def test_a_real_graph_with_anything_changed_is_searched_drafted_drawn_and_compared(
    name: str, data: st.DataObject
) -> None:
    graph: dict[str, Any] = copy.deepcopy(graphs()[name])
    for _ in range(data.draw(st.integers(1, 5))):
        node = data.draw(st.sampled_from(sorted(graph)))
        known = st.sampled_from(sorted(graph[node]["inputs"]) or NAMES)
        origin = st.tuples(st.sampled_from(sorted(graph)), st.integers(0, 3)).map(list)
        graph[node]["inputs"][data.draw(known | st.sampled_from(NAMES))] = data.draw(origin | values)
    shown(graph, graphs()[name])


declared = leaves | st.lists(
    leaves | st.dictionaries(st.sampled_from(["min", "max", "step"]), leaves), max_size=3
)
odd_classes = st.fixed_dictionaries(
    {},
    optional={
        "input": leaves
        | st.dictionaries(
            st.sampled_from(["required", "optional"]),
            leaves | st.dictionaries(st.sampled_from(NAMES), declared, max_size=5),
        ),
        "output": leaves | st.lists(leaves | st.lists(leaves, max_size=2), max_size=3),
        "output_name": leaves | st.lists(leaves, max_size=3),
        "output_node": leaves,
        "api_node": leaves,
        "category": leaves,
    },
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(any_graph, st.dictionaries(st.sampled_from(CLASSES), leaves | odd_classes))
def test_a_catalogue_that_says_nonsense_is_no_trouble(graph: Graph, odd: Any) -> None:
    """Custom nodes declare what they like."""
    found = find(graph, odd)
    parse(draft_manifest(graph, odd, found, slug="s", title={"en": "t", "ko": "t"}))
    ElementTree.fromstring(draw(graph, odd, found.marks()))  # noqa: S314 - our own text


def test_values_nested_without_end_are_no_trouble() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = {"a": deep}
    graph: Graph = {"1": {"class_type": "EmptyImage", "inputs": {"width": {"b": deep}}}}

    find(graph, object_info())
    assert draw(graph, object_info(), {})
    assert compare(graph, {"1": {"class_type": "EmptyImage", "inputs": {"width": 1}}})
