"""Where every node stands: layers from left to right, few crossings, short links.

The usual three steps for directed graphs (Sugiyama): a layer per node by the longest way from a source, the
order within layers by the barycentre of neighbours, and heights that bring neighbours onto one line. A link
that passes layers has a place of its own in each of them, so that it runs between nodes, not across them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

COLUMN_GAP: Final = 70
ROW_GAP: Final = 22
LANE: Final = 10
"""Height that a passing link takes up."""
SWEEPS: Final = 4
MOST_PASSING: Final = 40
"""A link over more layers than this is drawn straight."""
MOST_SPOTS: Final = 10_000
"""All links together pass about as many places; of very many links only short ones go round nodes."""

Edge = tuple[str, str]
Spot = str | tuple[str, str, int]
"""A node, or the place of a passing link (giver, taker, layer)."""


@dataclass(slots=True)
class Layout:
    """Upper left corners in pixels, and the points a link passes on its way (giver, taker) → [(x, y)]."""

    corners: dict[str, tuple[float, float]] = field(default_factory=dict)
    ways: dict[Edge, list[tuple[float, float]]] = field(default_factory=dict)
    width: float = 0
    height: float = 0


def place(heights: Mapping[str, float], edges: Mapping[Edge, float], column: float) -> Layout:
    """Place nodes of these heights and of one width, ``column``.

    ``edges`` lead from givers to takers, and say how far down at the taker they arrive, from 0 to 1.
    """
    links = _without_circles(heights, edges)
    layers = _layers(heights, links)
    columns, chains = _columns(layers, links)
    neighbours = _neighbours(chains)
    ports = {(chain[-2], chain[-1]): edges[edge] for edge, chain in chains.items()}
    _order(columns, neighbours, ports)
    middles = _heights(columns, neighbours, heights)
    return _layout(columns, chains, middles, heights, column)


def _without_circles(nodes: Iterable[str], edges: Iterable[Edge]) -> list[Edge]:
    """Leave out links that close a circle: nobody could place them left of right."""
    onward: dict[str, list[str]] = {node: [] for node in nodes}
    for giver, taker in edges:
        if giver != taker:
            onward[giver].append(taker)
    kept: list[Edge] = []
    open_, closed = set[str](), set[str]()
    for start, first in onward.items():
        if start in closed:
            continue
        walk = [(start, iter(first))]
        open_.add(start)
        while walk:
            node, rest = walk[-1]
            for taker in rest:
                if taker in open_:
                    continue
                kept.append((node, taker))
                if taker not in closed:
                    open_.add(taker)
                    walk.append((taker, iter(onward[taker])))
                    break
            else:
                walk.pop()
                open_.discard(node)
                closed.add(node)
    return kept


def _layers(nodes: Iterable[str], links: Sequence[Edge]) -> dict[str, int]:
    """The longest way to each node that ends a way; all else stands right before its first taker."""
    onward: dict[str, list[str]] = {node: [] for node in nodes}
    missing = dict.fromkeys(onward, 0)
    for giver, taker in links:
        onward[giver].append(taker)
        missing[taker] += 1
    layer = dict.fromkeys(onward, 0)
    ordered: list[str] = []
    waiting = deque(node for node, count in missing.items() if not count)
    while waiting:
        node = waiting.popleft()
        ordered.append(node)
        for taker in onward[node]:
            layer[taker] = max(layer[taker], layer[node] + 1)
            missing[taker] -= 1
            if not missing[taker]:
                waiting.append(taker)
    for node in reversed(ordered):
        if onward[node]:
            layer[node] = min(layer[taker] for taker in onward[node]) - 1
    return layer


def _columns(
    layers: Mapping[str, int], links: Sequence[Edge]
) -> tuple[list[list[Spot]], dict[Edge, list[Spot]]]:
    """The spots of each layer, and the chain of spots that each link runs through."""
    columns: list[list[Spot]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for node, layer in layers.items():
        columns[layer].append(node)
    chains: dict[Edge, list[Spot]] = {}
    most = min(MOST_PASSING, MOST_SPOTS // max(1, len(links)))
    for giver, taker in links:
        between = range(layers[giver] + 1, layers[taker])
        passing: list[Spot] = []
        for layer in between if len(between) <= most else ():
            passing.append((giver, taker, layer))
            columns[layer].append(passing[-1])
        chains[giver, taker] = [giver, *passing, taker]
    return columns, chains


def _neighbours(
    chains: Mapping[Edge, Sequence[Spot]],
) -> tuple[dict[Spot, list[Spot]], dict[Spot, list[Spot]]]:
    """What stands before and what after each spot."""
    before: dict[Spot, list[Spot]] = {}
    after: dict[Spot, list[Spot]] = {}
    for chain in chains.values():
        for one, other in pairwise(chain):
            after.setdefault(one, []).append(other)
            before.setdefault(other, []).append(one)
    return before, after


def _order(
    columns: list[list[Spot]],
    neighbours: tuple[dict[Spot, list[Spot]], dict[Spot, list[Spot]]],
    ports: Mapping[tuple[Spot, Spot], float],
) -> None:
    """Sort each layer by where its neighbours stand, and by where at them links arrive; back and forth."""
    before, after = neighbours
    rank = {spot: index / max(1, len(column)) for column in columns for index, spot in enumerate(column)}
    height = {spot: 0.9 / max(1, len(column)) for column in columns for spot in column}
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 1
        beside = before if forward else after
        for column in columns if forward else reversed(columns):
            wanted = {}
            for spot in column:
                near = beside.get(spot, [spot])
                where = [rank[one] + ports.get((spot, one), 0) * height[one] for one in near]
                wanted[spot] = sum(where) / len(where)
            column.sort(key=wanted.__getitem__)
            for index, spot in enumerate(column):
                rank[spot] = index / len(column)


def _heights(
    columns: Sequence[Sequence[Spot]],
    neighbours: tuple[dict[Spot, list[Spot]], dict[Spot, list[Spot]]],
    heights: Mapping[str, float],
) -> dict[Spot, float]:
    """The middle of each spot: as near to its neighbours' as the order and the gaps allow."""
    before, after = neighbours
    middle: dict[Spot, float] = {}
    for column in columns:
        for spot, where in zip(column, _settled(column, [0.0] * len(column), heights), strict=True):
            middle[spot] = where
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            wanted = []
            for spot in column:
                near = before.get(spot, []) if forward else after.get(spot, [])
                near = near or after.get(spot, []) or before.get(spot, [])
                wanted.append(sum(middle[one] for one in near) / len(near) if near else middle[spot])
            for spot, where in zip(column, _settled(column, wanted, heights), strict=True):
                middle[spot] = where
    return middle


def _settled(column: Sequence[Spot], wanted: Sequence[float], heights: Mapping[str, float]) -> list[float]:
    """Places in the given order, none too near to the next, that deviate least from those wanted."""
    offsets = [0.0]
    for one, other in pairwise(column):
        offsets.append(offsets[-1] + (_tall(one, heights) + _tall(other, heights)) / 2)
    # with the gaps taken out it is a matter of making a series ascend: pools of neighbours share their mean
    pools: list[tuple[float, int]] = []
    for where, offset in zip(wanted, offsets, strict=False):
        mean, count = where - offset, 1
        while pools and pools[-1][0] > mean:
            above, size = pools.pop()
            mean, count = (mean * count + above * size) / (count + size), count + size
        pools.append((mean, count))
    levels = [mean for mean, count in pools for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=False)]


def _tall(spot: Spot, heights: Mapping[str, float]) -> float:
    return heights[spot] + ROW_GAP if isinstance(spot, str) else LANE


def _layout(
    columns: Sequence[Sequence[Spot]],
    chains: Mapping[Edge, Sequence[Spot]],
    middles: Mapping[Spot, float],
    heights: Mapping[str, float],
    column: float,
) -> Layout:
    tops = [middles[node] - heights[node] / 2 for node in heights]
    upper = min([*tops, *middles.values()], default=0.0)
    bottoms = [middles[node] + heights[node] / 2 for node in heights]
    lower = max([*bottoms, *middles.values()], default=0.0)
    layout = Layout(width=max(0, len(columns) * (column + COLUMN_GAP) - COLUMN_GAP), height=lower - upper)
    for index, spots in enumerate(columns):
        for spot in spots:
            if isinstance(spot, str):
                top = middles[spot] - heights[spot] / 2 - upper
                layout.corners[spot] = (index * (column + COLUMN_GAP), top)
    for edge, chain in chains.items():
        layout.ways[edge] = [
            (spot[2] * (column + COLUMN_GAP), middles[spot] - upper)
            for spot in chain
            if not isinstance(spot, str)
        ]
    return layout
