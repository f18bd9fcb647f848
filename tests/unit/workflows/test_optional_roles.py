"""A role that may be left out takes its nodes with it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from workflows.bind import bind
from workflows.errors import TemplateInvalid, ValueRefused
from workflows.load import Template, template_from
from workflows.manifest_check import check_manifest

GRAPH: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "b.png"}},
    "3": {"class_type": "ImageBlend", "inputs": {"image1": ["1", 0], "image2": ["2", 0]}},
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
}
MANIFEST: dict[str, Any] = {
    "manifest": 1,
    "slug": "blend",
    "version": 1,
    "title": {"en": "Blend", "ko": "섞기"},
    "description": {"en": "Blends.", "ko": "섞습니다."},
    "kind": "keyframe",
    "produces": "image",
    "bindings": {
        "reference": {"type": "file", "targets": [{"node": "1", "input": "image"}]},
        "reference_2": {
            "type": "file",
            "targets": [{"node": "2", "input": "image"}],
            "optional": {"remove": ["2", "3"], "relink": [{"node": "4", "input": "images", "to": ["1", 0]}]},
        },
        "filename_prefix": {"type": "text", "targets": [{"node": "4", "input": "filename_prefix"}]},
    },
    "defaults": {},
    "outputs": [{"node": "4", "kind": "image", "role": "primary"}],
    "vram": [],
    "models": [],
    "timeouts": {"execution_s": 60, "hang_s": 30},
}
INFO: dict[str, Any] = {"ImageBlend": {"input": {"required": {"image1": ["IMAGE"], "image2": ["IMAGE"]}}}}


def _template(change: Callable[[dict[str, Any]], None] = lambda _: None) -> Template:
    document = copy.deepcopy(MANIFEST)
    change(document)
    return template_from(copy.deepcopy(GRAPH), document)


def test_a_graph_with_an_optional_role_given_is_whole() -> None:
    bound = bind(_template(), {"reference": "a", "reference_2": "b"}, filename_prefix="p")
    assert set(bound.graph) == {"1", "2", "3", "4"}
    assert {wanted.role for wanted in bound.inputs} == {"reference", "reference_2"}


def test_an_optional_role_that_is_not_given_goes_with_its_nodes() -> None:
    bound = bind(_template(), {"reference": "a"}, filename_prefix="p")
    assert set(bound.graph) == {"1", "4"}
    assert bound.graph["4"]["inputs"] == {"images": ["1", 0], "filename_prefix": "p"}
    assert {wanted.role for wanted in bound.inputs} == {"reference"}


def test_links_into_what_went_are_left_out() -> None:
    template = _template(lambda d: d["bindings"]["reference_2"].update(optional={"remove": ["2"]}))
    assert bind(template, {"reference": "a"}, filename_prefix="p").graph["3"]["inputs"] == {
        "image1": ["1", 0]
    }


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"remove": ["9"]}, "node 9, which is not in the graph"),
        ({"remove": ["2"], "relink": [{"node": "3", "input": "image2", "to": ["2", 0]}]}, "which goes too"),
        ({"remove": ["2"], "relink": [{"node": "3", "input": "mask", "to": ["1", 0]}]}, "does not have"),
        ({"remove": ["2"]}, "without a value"),
    ],
)
def test_an_optional_role_that_does_not_fit_is_found(rule: dict[str, Any], said: str) -> None:
    template = _template(lambda d: d["bindings"]["reference_2"].update(optional=rule))
    found = [str(problem) for problem in check_manifest(template, INFO) if problem.code == "optional"]
    assert any(said in text for text in found), found


def test_what_each_may_be_left_out_alone_but_not_all_together_is_found() -> None:
    def either(document: dict[str, Any]) -> None:
        for role, gone, stays in (("reference", "1", "2"), ("reference_2", "2", "1")):
            relink = [{"node": "4", "input": "images", "to": [stays, 0]}]
            document["bindings"][role]["optional"] = {"remove": [gone, "3"], "relink": relink}

    saves = {"SaveImage": {"input": {"required": {"images": ["IMAGE"]}}}}
    [found] = [p for p in check_manifest(_template(either), INFO | saves) if p.code == "optional"]
    assert "'reference, reference_2' leaves 'images' of node 4" in str(found)


def test_a_file_that_goes_with_another_one_is_not_dropped_in_silence() -> None:
    def both(document: dict[str, Any]) -> None:
        first, second = document["bindings"]["reference"], document["bindings"]["reference_2"]
        first["optional"] = {"remove": ["1", "2", "3"]}
        second["optional"] = {"remove": ["2", "3"], "relink": second["optional"]["relink"]}

    template = _template(both)
    with pytest.raises(ValueRefused, match="reference_2: 'b' is read by nothing without reference;"):
        bind(template, {"reference_2": "b"}, filename_prefix="p")
    assert bind(template, {"reference": "a"}, filename_prefix="p").graph["4"]["inputs"]["images"] == ["1", 0]


def test_what_is_optional_has_no_default() -> None:
    template = _template(lambda d: d["defaults"].update(reference_2="b"))
    assert "optional" in {problem.code for problem in check_manifest(template, INFO)}


def test_roles_are_still_read_by_their_former_names() -> None:
    def older(document: dict[str, Any]) -> None:
        document["bindings"]["reference_image"] = document["bindings"].pop("reference")

    template = _template(older)
    assert "reference" in template.manifest.bindings
    assert bind(template, {"reference_image": "a"}, filename_prefix="p").values["reference"] == "a"


def test_a_role_under_both_its_names_is_refused() -> None:
    def twice(document: dict[str, Any]) -> None:
        document["bindings"]["reference_image"] = document["bindings"]["reference"]

    with pytest.raises(TemplateInvalid, match="binds reference once more"):
        _template(twice)
