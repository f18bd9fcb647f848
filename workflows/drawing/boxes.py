"""A node's box in the picture: its inputs, its outputs, and where links reach it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.compare import title
from workflows.drawing.colours import ACCENT, INK, colour_of
from workflows.drawing.layout import Layout
from workflows.drawing.words import attribute, fitted, safe_id, value_text, width_of
from workflows.finding.view import View
from workflows.graph import linked_node

MOST_ROWS: Final = 24
WIDTH: Final = 232
HEAD: Final = 38
ROW: Final = 17
SLOT: Final = 14


@dataclass(frozen=True, slots=True)
class Words:
    """The few words of a picture's own, in ``%`` form: a page may give them in another language."""

    label: str = "A graph of %(nodes)s nodes and %(links)s links"
    left_out: str = "%(left)s more nodes are not drawn; these %(nodes)s are the nearest to the outputs."
    hidden: str = "+ %(count)s more"


ENGLISH: Final = Words()


@dataclass(frozen=True, slots=True)
class Box:
    """What is drawn of a node: the inputs shown, how many are not, and its height."""

    node: str
    rows: tuple[str, ...]
    hidden: int
    slots: tuple[int, ...]

    @property
    def height(self) -> float:
        rows = ROW * (len(self.rows) + bool(self.hidden))
        return HEAD + max(rows, SLOT * min(len(self.slots), MOST_ROWS)) + 8


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the parts of one picture have in common."""

    view: View
    boxes: Mapping[str, Box]
    layout: Layout
    marks: Mapping[str, Mapping[str, str]]
    problems: Collection[str]
    going: Collection[str]
    words: Words


def element_id(node: str, name: str | None = None) -> str:
    """Return the id of a node's, or of one input's, element in the picture."""
    own = f"node-{safe_id(node).replace('-', '_x2d_')}"
    return own if name is None else f"{own}-{safe_id(name)}"


def node_in_svg(drawing: Drawing, box: Box) -> Iterator[str]:
    """A node with its inputs and outputs, as SVG."""
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
        kind, colour = slot_type(view, node, slot)
        yield (
            f'<circle class="slot type-{safe_id(kind)}" cx="{WIDTH}" cy="{slot_height(box, slot):.0f}" '
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
        kind, colour = slot_type(view, value[0], value[1]) if value[0] in view.graph else ("*", INK.dim)
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


def slot_height(box: Box, slot: int) -> float:
    """Where an output leaves its node; only outputs that somebody takes have a place."""
    index = box.slots.index(slot) if slot in box.slots else 0
    return min(HEAD + ROW / 2 + index * SLOT, box.height - 6)


def row_height(box: Box, name: str) -> float:
    """Where a link enters its node."""
    index = box.rows.index(name) if name in box.rows else len(box.rows)
    return HEAD + ROW * index + ROW / 2


def slot_type(view: View, node: str, slot: Any) -> tuple[str, str]:
    """Type and colour of an output."""
    kinds = sorted(view.types_out((node, slot)))
    kind = kinds[0] if kinds else "*"
    return kind, colour_of(kind)
