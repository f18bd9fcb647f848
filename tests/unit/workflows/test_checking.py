"""A graph is checked before it is rendered: what is wrong with it everywhere, and what each node lacks."""

from __future__ import annotations

import copy
from typing import Any

from apps.workflows.checking import check_upload
from tests.unit.workflows import corpus
from workflows.catalogue import ObjectInfo
from workflows.load import load

Graph = dict[str, Any]


def _node(*vaes: str, without: str = "") -> ObjectInfo:
    """The catalogue of a node with these VAE files, and without one class."""
    info: dict[str, Any] = copy.deepcopy(dict(corpus.object_info()))
    info["VAELoader"]["input"]["required"]["vae_name"][0] = list(vaes)
    info.pop(without, None)
    return info


def _with_vae(graph: Graph) -> Graph:
    graph["4"] = {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}}
    graph["5"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["1", 0], "vae": ["4", 0]}}
    graph["6"] = {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["4", 0]}}
    graph["2"]["inputs"]["image"] = ["6", 0]
    return graph


def test_each_node_is_told_with_what_it_lacks_and_the_nearest_it_has(graph: Graph) -> None:
    nodes = {
        "whole": _node("ae.safetensors"),
        "other": _node("flux/ae.sft", "wan.safetensors"),
        "old": _node("ae.safetensors", without="ImageInvert"),
    }
    checked = check_upload(_with_vae(graph), catalogues=nodes)
    assert checked.problems == ()
    assert checked.ready_on == ("whole",)
    told = {node: [(p.node, p.missing, p.name) for p in lacks] for node, lacks in checked.lacking.items()}
    assert told == {
        "whole": [],
        "other": [("4", "model", "ae.safetensors")],
        "old": [("2", "class", "ImageInvert")],
    }
    assert checked.lacking["other"][0].nearest == ("flux/ae.sft",)


def test_a_fault_that_every_node_finds_is_a_problem_of_the_graph(graph: Graph) -> None:
    graph["1"]["inputs"]["width"] = "wide"
    checked = check_upload(graph, catalogues={"a": _node(), "b": _node()})
    assert [(p.node, p.input, p.code) for p in checked.problems] == [("1", "width", "invalid_input_type")]
    assert checked.ready_on == ()


def test_a_class_that_nobody_has_is_a_problem_unless_the_manifest_declares_it(
    graph: Graph, document: dict[str, Any]
) -> None:
    graph["2"]["class_type"] = "TurnInsideOut"
    [problem] = check_upload(graph, document).problems
    assert (problem.node, problem.code, problem.missing) == ("2", "missing_node_type", "class")
    spec = copy.deepcopy(corpus.object_info()["ImageInvert"])
    document["packs"] = [
        {
            "name": "Inside",
            "repository": "https://x.test/i",
            "version": "1",
            "classes": {"TurnInsideOut": spec},
        }
    ]
    checked = check_upload(graph, document, {"a": _node()})
    assert checked.problems == ()
    assert [p.name for p in checked.lacking["a"]] == ["TurnInsideOut"]


def test_without_nodes_the_recorded_catalogue_is_asked(graph: Graph, document: dict[str, Any]) -> None:
    checked = check_upload(_with_vae(graph))
    assert (checked.problems, checked.lacking) == ((), {})
    document["slug"] = 3
    [problem] = check_upload(graph, document).problems
    assert (problem.code, problem.name) == ("manifest", "manifest.slug")
    assert check_upload([], document).problems[0].code == "manifest"
    assert check_upload(None).problems[0].code == "not_api_format"


def test_a_template_lacks_the_models_of_every_precision() -> None:
    template = load("wan22_i2v")
    [(node, lacks)] = check_upload(template.graph, template.document, {"bare": _node()}).lacking.items()
    assert node == "bare"
    assert {p.name for p in lacks} == {model.name for model in template.manifest.models}
    assert all(p.node in template.graph and p.title for p in lacks)
