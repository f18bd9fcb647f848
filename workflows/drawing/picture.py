"""The SVG text of a graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from workflows.catalogue import ObjectInfo
from workflows.drawing.boxes import (
    ENGLISH,
    MOST_ROWS,
    WIDTH,
    Box,
    Drawing,
    Words,
    node_in_svg,
    row_height,
    slot_height,
    slot_type,
)
from workflows.drawing.colours import INK, colour_of
from workflows.drawing.layout import place
from workflows.drawing.words import attribute, safe_id
from workflows.finding.view import View
from workflows.graph import Graph, linked_node

MOST_DRAWN: Final = 600
MARGIN: Final = 24
FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans KR', sans-serif"


def draw(
    graph: Graph,
    object_info: ObjectInfo | None,
    marks: Mapping[str, Mapping[str, str]],
    *,
    problems: Collection[str] = (),
    going: Collection[str] = (),
    words: Words = ENGLISH,
) -> str:
    """Return the graph as one ``<svg>`` element, to be put into an HTML page as it is.

    ``marks`` is node → input → role, shown on the input; nodes whose ids are in ``problems`` are red,
    those in ``going`` (they go with a role that may be left out) are of class ``going`` and drawn dashed.
    Every node is ``<g id="node-12" class="node" data-node="12">``, every input a
    ``<g id="node-12-text" class="input" data-node="12" data-input="text" data-role="positive">``
    (ids by ``element_id``). Colours and fonts are presentation attributes: no style, no script, nothing
    loaded; a page may restyle by class (node, output-node, problem, title, kind, input, bound, role, link,
    type-MODEL …). The same arguments give the same text. Of a graph of more than 600 nodes only the nodes
    nearest to its outputs are drawn, and the picture says how many are not.
    """
    drawn = _nearest_to_outputs(graph)
    view = View({node: graph[node] for node in drawn}, object_info or {})
    rows = {node: _rows(view, node, marks.get(node, {})) for node in drawn}
    links = [link for link in _links(view) if link[3] in rows[link[2]]]
    taken: dict[str, set[int]] = {node: set() for node in drawn}
    for giver, slot, _, _ in links:
        taken[giver].add(slot)
    boxes = {node: _box(view, node, rows[node], tuple(sorted(taken[node]))) for node in drawn}
    heights = {node: box.height for node, box in boxes.items()}
    edges = {
        (giver, taker): row_height(boxes[taker], name) / heights[taker] for giver, _, taker, name in links
    }
    layout = place(heights, edges, WIDTH)
    left_out = len(graph) - len(drawn)
    drawing = Drawing(view, boxes, layout, marks, frozenset(problems), frozenset(going), words)
    return "".join(_svg(drawing, links, left_out))


_Link = tuple[str, int, str, str]
"""Giver, its output, taker, its input."""


def _nearest_to_outputs(graph: Graph) -> list[str]:
    """All nodes in the graph's order; of too many those with the shortest way to a node nobody takes from."""
    if len(graph) <= MOST_DRAWN:
        return list(graph)
    givers = {node: list(_givers(graph, node)) for node in graph}
    given = {giver for some in givers.values() for giver in some}
    near = dict.fromkeys([node for node in graph if node not in given][:MOST_DRAWN] or list(graph)[:1])
    waiting = deque(near)
    while waiting and len(near) < MOST_DRAWN:
        for giver in givers[waiting.popleft()]:
            if giver not in near and len(near) < MOST_DRAWN:
                near[giver] = None
                waiting.append(giver)
    return [node for node in graph if node in near]


def _givers(graph: Graph, node: str) -> Iterator[str]:
    for value in graph[node]["inputs"].values():
        giver = linked_node(value)
        if giver is not None and giver in graph:
            yield giver


def _links(view: View) -> Iterator[_Link]:
    """All links between drawn nodes, a switch's unused branch included: a picture shows what is there."""
    for node in view.graph:
        for name, value in view.given(node).items():
            giver = linked_node(value)
            if giver is not None and giver in view.graph:
                yield giver, value[1], node, name


def _rows(view: View, node: str, roles: Mapping[str, str]) -> dict[str, None]:
    """The inputs to show: of a node with very many those that are bound or linked come first."""
    given = view.given(node)
    if len(given) <= MOST_ROWS:
        return dict.fromkeys(given)
    first = sorted(given, key=lambda name: (name not in roles, linked_node(given[name]) is None))
    kept = set(first[:MOST_ROWS])
    return dict.fromkeys(name for name in given if name in kept)


def _box(view: View, node: str, rows: Iterable[str], slots: tuple[int, ...]) -> Box:
    shown = tuple(rows)
    return Box(node, shown, len(view.given(node)) - len(shown), slots)


def _svg(drawing: Drawing, links: Sequence[_Link], left_out: int) -> Iterator[str]:
    top = MARGIN + (26 if left_out else 0)
    width = max(drawing.layout.width + 2 * MARGIN, 360)
    height = drawing.layout.height + top + MARGIN
    counts = {"nodes": len(drawing.boxes), "links": len(links), "left": left_out}
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" font-family="{attribute(FONT)}" '
        f'font-size="11"><title>{attribute(drawing.words.label % counts)}</title>'
    )
    if left_out:
        yield (
            f'<text class="left-out" x="{MARGIN}" y="{MARGIN}" fill="{INK.warn}" font-size="13">'
            f"{attribute(drawing.words.left_out % counts)}</text>"
        )
    yield f'<g transform="translate({MARGIN} {top})"><g class="links" fill="none">'
    beside: dict[tuple[str, str], int] = {}
    for link in links:
        edge = (link[0], link[2])
        yield from _curve(drawing, link, beside.get(edge, 0) * 3)
        beside[edge] = beside.get(edge, 0) + 1
    yield "</g>"
    for box in drawing.boxes.values():
        yield from node_in_svg(drawing, box)
    yield "</g></svg>"


def _curve(drawing: Drawing, link: _Link, aside: float) -> Iterator[str]:
    """A link; links between the same nodes run ``aside`` of each other."""
    giver, slot, taker, name = link
    boxes, layout = drawing.boxes, drawing.layout
    kind, colour = _type_of(drawing.view, link)
    x, y = layout.corners[giver]
    start = (x + WIDTH, y + slot_height(boxes[giver], slot))
    x, y = layout.corners[taker]
    end = (x, y + row_height(boxes[taker], name))
    points = [start]
    for left, middle in layout.ways.get((giver, taker), []):
        points += [(left, middle + aside), (left + WIDTH, middle + aside)]
    points.append(end)
    way = [f"M{start[0]:.0f} {start[1]:.0f}"]
    for index in range(0, len(points) - 1, 2):
        (x1, y1), (x2, y2) = points[index], points[index + 1]
        bend = min(max(abs(x2 - x1) / 2, 24), 160)
        way.append(f"C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}")
        if index + 2 < len(points):
            way.append(f"H{points[index + 2][0]:.0f}")
    yield (
        f'<path class="link type-{safe_id(kind)}" data-from="{attribute(giver)}" '
        f'data-to="{attribute(taker)}" d="{"".join(way)}" stroke="{colour}" stroke-width="1.6" '
        f'stroke-opacity="0.75"/>'
    )


def _type_of(view: View, link: _Link) -> tuple[str, str]:
    giver, slot, taker, name = link
    kind, colour = slot_type(view, giver, slot)
    if kind == "*":
        kinds = sorted(view.types_in((taker, name)))
        kind, colour = (kinds[0], colour_of(kinds[0])) if kinds else (kind, colour)
    return kind, colour
