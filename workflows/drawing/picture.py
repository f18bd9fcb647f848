"""The SVG text of a graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workflows.catalogue import ObjectInfo
from workflows.compare import title
from workflows.drawing.colours import ACCENT, INK, colour_of
from workflows.drawing.layout import Layout, place
from workflows.drawing.words import attribute, fitted, safe_id, value_text, width_of
from workflows.finding.view import View
from workflows.graph import Graph, linked_node

MOST_DRAWN: Final = 600
MOST_ROWS: Final = 24
WIDTH: Final = 232
HEAD: Final = 38
ROW: Final = 17
SLOT: Final = 14
MARGIN: Final = 24
FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans KR', sans-serif"


@dataclass(frozen=True, slots=True)
class Words:
    """The few words of a picture's own, in ``%`` form: a page may give them in another language."""

    label: str = "A graph of %(nodes)s nodes and %(links)s links"
    left_out: str = "%(left)s more nodes are not drawn; these %(nodes)s are the nearest to the outputs."
    hidden: str = "+ %(count)s more"


ENGLISH: Final = Words()


@dataclass(frozen=True, slots=True)
class _Box:
    """What is drawn of a node: the inputs shown, how many are not, and its height."""

    node: str
    rows: tuple[str, ...]
    hidden: int
    slots: tuple[int, ...]

    @property
    def height(self) -> float:
        rows = ROW * (len(self.rows) + bool(self.hidden))
        return HEAD + max(rows, SLOT * min(len(self.slots), MOST_ROWS)) + 8


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
    (ids by :func:`element_id`). Colours and fonts are presentation attributes: no style, no script, nothing
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
        (giver, taker): _row_height(boxes[taker], name) / heights[taker] for giver, _, taker, name in links
    }
    layout = place(heights, edges, WIDTH)
    left_out = len(graph) - len(drawn)
    drawing = _Drawing(view, boxes, layout, marks, frozenset(problems), frozenset(going), words)
    return "".join(_svg(drawing, links, left_out))


def element_id(node: str, name: str | None = None) -> str:
    """Return the id of a node's, or of one input's, element in the picture."""
    own = f"node-{safe_id(node).replace('-', '_x2d_')}"
    return own if name is None else f"{own}-{safe_id(name)}"


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


def _box(view: View, node: str, rows: Iterable[str], slots: tuple[int, ...]) -> _Box:
    shown = tuple(rows)
    return _Box(node, shown, len(view.given(node)) - len(shown), slots)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """All that the parts of one picture have in common."""

    view: View
    boxes: Mapping[str, _Box]
    layout: Layout
    marks: Mapping[str, Mapping[str, str]]
    problems: Collection[str]
    going: Collection[str]
    words: Words


def _svg(drawing: _Drawing, links: Sequence[_Link], left_out: int) -> Iterator[str]:
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
        yield from _node(drawing, box)
    yield "</g></svg>"


def _curve(drawing: _Drawing, link: _Link, aside: float) -> Iterator[str]:
    """A link; links between the same nodes run ``aside`` of each other."""
    giver, slot, taker, name = link
    boxes, layout = drawing.boxes, drawing.layout
    kind, colour = _type_of(drawing.view, link)
    x, y = layout.corners[giver]
    start = (x + WIDTH, y + _slot_height(boxes[giver], slot))
    x, y = layout.corners[taker]
    end = (x, y + _row_height(boxes[taker], name))
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


def _node(drawing: _Drawing, box: _Box) -> Iterator[str]:
    view, node = drawing.view, box.node
    corner, roles = drawing.layout.corners[node], drawing.marks.get(node, {})
    kind, problem = view.class_of(node), node in drawing.problems
    saves = bool(view.info(node).get("output_node"))
    classes = "node" + (" output-node" if saves else "") + (" problem" if problem else "")
    classes += (" bound-node" if roles else "") + (" going" if node in drawing.going else "")
    dashes = ' stroke-dasharray="6 4"' if node in drawing.going else ""
    edge = INK.problem if problem else ACCENT if roles else INK.edge
    name, ident = title(view.graph[node]), f"#{node}"
    room = (WIDTH - 32 - min(width_of(ident, 10), 78)) * 0.94  # bold letters are wider
    yield (
        f'<g id="{element_id(node)}" class="{classes}" data-node="{attribute(node)}" '
        f'transform="translate({corner[0]:.0f} {corner[1]:.0f})">'
        f"<title>{attribute(name)} ({attribute(kind)}, {attribute(node)})</title>"
        f'<rect class="box" width="{WIDTH}" height="{box.height:.0f}" rx="7" fill="{INK.box}" '
        f'stroke="{edge}" stroke-width="{2 if problem else 1.2}"{dashes}/>'
        f'<path class="head" d="M1 {HEAD - 4}V7a6 6 0 0 1 6-6H{WIDTH - 7}a6 6 0 0 1 6 6V{HEAD - 4}z" '
        f'fill="{INK.problem_head if problem else INK.saving if saves else INK.head}"/>'
        f'<text class="title" x="10" y="15" fill="{INK.bright}" font-size="12" font-weight="600">'
        f"{fitted(name, room, 12)}</text>"
        f'<text class="kind" x="10" y="28" fill="{INK.dim}" font-size="10">'
        f"{fitted(kind, WIDTH - 20, 10)}</text>"
        f'<text class="ident" x="{WIDTH - 9}" y="15" fill="{INK.dim}" font-size="10" text-anchor="end">'
        f"{fitted(ident, 78, 10)}</text>"
    )
    for index, row in enumerate(box.rows):
        yield from _input(view, node, row, HEAD + ROW * index, roles.get(row))
    if box.hidden:
        middle = HEAD + ROW * len(box.rows) + 12
        hidden = attribute(drawing.words.hidden % {"count": box.hidden})
        yield f'<text class="hidden" x="12" y="{middle}" fill="{INK.dim}">{hidden}</text>'
    for slot in box.slots[:MOST_ROWS]:
        kind, colour = _slot_type(view, node, slot)
        yield (
            f'<circle class="slot type-{safe_id(kind)}" cx="{WIDTH}" cy="{_slot_height(box, slot):.0f}" '
            f'r="4" fill="{colour}"><title>{attribute(kind)}</title></circle>'
        )
    yield "</g>"


def _input(view: View, node: str, name: str, top: float, role: str | None) -> Iterator[str]:
    value = view.given(node)[name]
    linked = linked_node(value) is not None
    classes = "input" + (" linked" if linked else "") + (" bound" if role else "")
    marked = f' data-role="{attribute(role)}"' if role else ""
    yield (
        f'<g id="{element_id(node, name)}" class="{classes}" data-node="{attribute(node)}" '
        f'data-input="{attribute(name)}"{marked} transform="translate(0 {top:.0f})">'
    )
    if role:
        yield (
            f'<rect class="mark" x="4" y="1" width="{WIDTH - 8}" height="{ROW - 2}" rx="3" fill="{ACCENT}" '
            f'fill-opacity="0.16"/>'
        )
    if linked:
        kind, colour = _slot_type(view, value[0], value[1]) if value[0] in view.graph else ("*", INK.dim)
        yield f'<circle class="slot type-{safe_id(kind)}" cx="0" cy="{ROW / 2}" r="4" fill="{colour}"/>'
    right = WIDTH - 10.0
    label = fitted(name, 120, 11)
    yield f'<text class="name" x="12" y="12" fill="{INK.bright if role else INK.text}">{label}</text>'
    if role:
        wide = min(width_of(role, 10) + 12, 110)
        right -= wide + 4
        yield (
            f'<rect class="pill" x="{WIDTH - 8 - wide:.0f}" y="2" width="{wide:.0f}" height="{ROW - 4}" '
            f'rx="6" fill="{ACCENT}"/><text class="role" x="{WIDTH - 8 - wide / 2:.0f}" y="11.5" '
            f'fill="{INK.box}" font-size="10" font-weight="600" text-anchor="middle">'
            f"{fitted(role, 100, 10)}</text>"
        )
    room = right - 24 - min(width_of(name, 11), 120)
    text = "" if linked else value_text(value)
    if text and room > 20:
        yield (
            f'<text class="value" x="{right:.0f}" y="12" fill="{INK.dim}" text-anchor="end">'
            f"{fitted(text, room, 11)}</text>"
        )
    yield "</g>"


def _slot_height(box: _Box, slot: int) -> float:
    """Where an output leaves its node; only outputs that somebody takes have a place."""
    index = box.slots.index(slot) if slot in box.slots else 0
    return min(HEAD + ROW / 2 + index * SLOT, box.height - 6)


def _row_height(box: _Box, name: str) -> float:
    index = box.rows.index(name) if name in box.rows else len(box.rows)
    return HEAD + ROW * index + ROW / 2


def _type_of(view: View, link: _Link) -> tuple[str, str]:
    giver, slot, taker, name = link
    kind, colour = _slot_type(view, giver, slot)
    if kind == "*":
        kinds = sorted(view.types_in((taker, name)))
        kind, colour = (kinds[0], colour_of(kinds[0])) if kinds else (kind, colour)
    return kind, colour


def _slot_type(view: View, node: str, slot: Any) -> tuple[str, str]:
    kinds = sorted(view.types_out((node, slot)))
    kind = kinds[0] if kinds else "*"
    return kind, colour_of(kind)
