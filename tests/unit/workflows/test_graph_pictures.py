"""Pictures of graphs: all is on them, nothing of a file gets out of its text, nodes stand apart."""

from __future__ import annotations

import copy
import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from tests.unit.workflows.corpus import graphs, object_info, searched
from workflows.drawing import Words, draw, element_id
from workflows.drawing.boxes import WIDTH
from workflows.drawing.picture import MOST_DRAWN
from workflows.graph import Graph
from workflows.load import load

SVG = "{http://www.w3.org/2000/svg}"
MARKS = {"5": {"text": "positive"}, "11": {"noise_seed": "seed"}}


def picture(graph: Graph, marks: Any = None, **more: Any) -> ElementTree.Element:
    return ElementTree.fromstring(draw(graph, object_info(), marks or {}, **more))  # noqa: S314 - our own text


def nodes(svg: ElementTree.Element) -> dict[str, ElementTree.Element]:
    found = (group for group in svg.iter(f"{SVG}g") if "node" in group.get("class", "").split())
    return {group.get("data-node", ""): group for group in found}


def texts(element: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def test_every_node_input_and_link_is_on_the_picture() -> None:
    graph = load("wan22_i2v").graph
    svg = picture(graph)

    assert list(nodes(svg)) == list(graph)
    for node, group in nodes(svg).items():
        shown = {row.get("data-input") for row in group.iter(f"{SVG}g") if row.get("data-input")}
        assert shown == set(graph[node]["inputs"])
    links = [(path.get("data-from"), path.get("data-to")) for path in svg.iter(f"{SVG}path")]
    assert links.count(("8", "11")) == 3  # positive, negative and the latent
    assert "Image to video" in texts(nodes(svg)["8"])
    assert "WanImageToVideo" in texts(nodes(svg)["8"])
    assert "640" in texts(nodes(svg)["8"])


def test_bound_inputs_carry_their_role_and_can_be_linked_to() -> None:
    svg = picture(load("wan22_i2v").graph, MARKS)
    row = svg.find(f".//*[@id='{element_id('11', 'noise_seed')}']")

    assert row is not None
    assert (row.get("data-role"), row.get("class")) == ("seed", "input bound")
    assert "seed" in texts(row)
    assert element_id("11", "noise_seed") == "node-11-noise_seed"


def test_nodes_with_problems_are_red() -> None:
    svg = picture(load("wan22_i2v").graph, problems=["8"])
    red = {node for node, group in nodes(svg).items() if "problem" in group.get("class", "").split()}

    assert red == {"8"}


def test_links_are_coloured_by_what_they_carry() -> None:
    svg = picture(load("wan22_i2v").graph)
    colours = {
        re.sub(r".*type-", "", path.get("class", "")): path.get("stroke")
        for path in svg.iter(f"{SVG}path")
        if "link" in path.get("class", "")
    }

    assert {"MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "IMAGE", "VIDEO"} == colours.keys()
    assert len(set(colours.values())) == len(colours)


def test_a_picture_speaks_the_pages_language() -> None:
    graph: Graph = {"1": {"class_type": "EmptyImage", "inputs": {f"i{n}": n for n in range(25)}}}
    words = Words(label="노드 %(nodes)s개, 링크 %(links)s개", left_out="-", hidden="%(count)s개 더")
    svg = picture(graph, words=words)

    assert svg.findtext(f"{SVG}title") == "노드 1개, 링크 0개"
    assert "1개 더" in texts(svg)


def test_a_picture_needs_no_catalogue() -> None:
    graph = load("wan22_i2v").graph
    assert ElementTree.fromstring(draw(graph, None, {})).tag == f"{SVG}svg"  # noqa: S314 - our own text


def test_nodes_stand_apart_and_right_of_what_they_take() -> None:
    for name in ("video_wan21_scail2_character_replacement", "templates-6-key-frames"):
        graph = graphs()[name]
        boxes = {}
        for node, group in nodes(picture(graph)).items():
            x, y = map(int, re.findall(r"-?\d+", group.get("transform", "")))
            box = group.find(f"{SVG}rect")
            assert box is not None
            boxes[node] = (x, y, float(box.get("height", 0)))
        columns: dict[int, list[tuple[int, float]]] = {}
        for x, y, height in boxes.values():
            columns.setdefault(x, []).append((y, height))
        for column in columns.values():
            column.sort()
            for (y, height), (below, _) in pairwise(column):
                assert y + height <= below
        for node, content in graph.items():
            for value in content["inputs"].values():
                if isinstance(value, list):
                    assert boxes[value[0]][0] + WIDTH < boxes[node][0]


def test_the_same_graph_gives_the_same_picture() -> None:
    graph = graphs()["video_ltx2_i2v"]
    marks = searched()["video_ltx2_i2v"].marks()

    assert draw(graph, object_info(), marks) == draw(copy.deepcopy(graph), object_info(), marks)


def test_what_a_file_holds_stays_text() -> None:
    evil = "</text><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x00\x1b[31m]]>&"
    graph: Graph = {
        evil: {"class_type": evil, "inputs": {evil: evil, "on": [evil, 0]}, "_meta": {"title": evil}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": [evil, 0]}, "_meta": {"title": "ok"}},
    }
    text = draw(graph, object_info(), {evil: {evil: evil}}, problems=[evil])
    svg = ElementTree.fromstring(text)  # noqa: S314 - our own text

    assert {element.tag.removeprefix(SVG) for element in svg.iter()} == {
        "svg", "title", "g", "path", "rect", "text", "circle",
    }  # fmt: skip
    assert not [name for element in svg.iter() for name in element.attrib if name.startswith("on")]
    assert "style" not in {name for element in svg.iter() for name in element.attrib}
    ids = [element.get("id") for element in svg.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_:.-]+", ident or "") for ident in ids)


def test_of_a_huge_graph_the_nodes_near_its_outputs_are_drawn_and_the_rest_is_counted() -> None:
    graph: Graph = {"0": {"class_type": "EmptyImage", "inputs": {}}}
    for number in range(1, 25_000):
        graph[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]}}
    svg = picture(graph)

    assert len(nodes(svg)) == MOST_DRAWN
    assert "24999" in nodes(svg)
    (said,) = [text for text in texts(svg) if "not drawn" in text]
    assert said.startswith(f"{25_000 - MOST_DRAWN} more nodes")


def test_a_node_of_very_many_inputs_shows_those_that_are_bound() -> None:
    graph: Graph = {"1": {"class_type": "EmptyImage", "inputs": {f"i{n}": n for n in range(500)}}}
    group = nodes(picture(graph, {"1": {"i400": "seed"}}))["1"]

    assert "seed" in texts(group)
    assert "+ 476 more" in texts(group)


def test_all_templates_can_be_drawn() -> None:
    for name, graph in list(graphs().items())[::6]:
        assert len(nodes(picture(graph, searched()[name].marks()))) == len(graph)
