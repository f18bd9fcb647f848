"""How a conversion says what is wrong: which node, in words that are safe to print."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from workflows.graph import MOST_INPUTS, MOST_INPUTS_OF_ONE, MOST_NODES
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _

MOST_SAID: Final = 100
"""A broken file of ten megabytes has no use for ten thousand sentences."""


MOST_BITS: Final = 1024
MOST_OF_A_CIRCLE: Final = 11
DEEPEST_VALUE: Final = 100
"""How deep lists and objects of a value may stand in each other."""


class Findings:
    """Problems in the order found, each said once. ``missed`` counts what was left out."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.missed = 0
        self._said: set[str] = set()

    def add(self, code: str, message: Said, node: str | None = None, input_name: str | None = None) -> None:
        if message in self._said:
            return
        if len(self.problems) >= MOST_SAID:
            self.missed += 1
            return
        self._said.add(message)
        self.problems.append(Problem(node, input_name, code, message))

    def all(self) -> tuple[Problem, ...]:
        if not self.missed:
            return tuple(self.problems)
        rest = _("%(count)s more problems of this file are not listed.", count=self.missed)
        return (*self.problems, Problem(None, None, "more_problems", rest))


def named(node_id: str, title: str) -> Said:
    """Name a node as ComfyUI's users know it: by its id and title."""
    return _("Node %(id)s (%(title)s)", id=shown(node_id, quoted=False), title=shown(title, quoted=False))


def holds(node: Said, input_name: str, fault: Said) -> Said:
    """Say that an input holds what no JSON can (see :func:`fault_of`)."""
    return _("%(node)s: %(input)s holds %(fault)s.", node=node, input=shown(input_name), fault=fault)


def too_large(*, unfolded: bool = False) -> Said:
    """Say that a graph is larger than any is; ``unfolded``: when its subgraphs are."""
    if unfolded:
        told = _("Unfolded, the graph has more than %(nodes)s nodes, or %(inputs)s inputs; split it.")
    else:
        told = _("The graph has more than %(nodes)s nodes, or %(inputs)s inputs; split it.")
    return Said(told.form, {"nodes": MOST_NODES, "inputs": MOST_INPUTS})


def too_many_inputs(node: str, count: int) -> Said:
    """Say that a node has more inputs than any class."""
    most = MOST_INPUTS_OF_ONE
    return _("%(node)s has %(count)s inputs; at most %(most)s are taken.", node=node, count=count, most=most)


def unkeepable(node_id: str, title: str) -> Said:
    """Say that a node holds what no database keeps: a NUL, or half of a character."""
    return _("%(node)s holds a character that is none.", node=named(node_id, title))


def in_a_circle(nodes: Iterable[str]) -> Said:
    """Say which nodes are linked in a circle; the first stands at its end again."""
    way = list(nodes)
    if len(way) > MOST_OF_A_CIRCLE:
        way = [*way[: MOST_OF_A_CIRCLE - 1], "…", way[-1]]
    told: str = way[0]
    for node in way[1:]:
        told = _("%(way)s -> %(node)s", way=told, node=node)
    return _("The graph runs in a circle: %(way)s.", way=told)


def shown(value: object, *, quoted: bool = True) -> str:
    """Show a value of the file in a sentence: short, on one line, without control characters."""
    match value:
        case str():
            clean = _printable(value[:81])
            clean = clean if len(clean) <= 80 else f"{clean[:77]}..."
            return f"'{clean}'" if quoted else clean
        case bool() | None | float():
            return str(value)
        case int():
            return str(value) if abs(value) < 10**20 else _("a huge number")
        case list():
            return _("a list of %(count)s", count=len(value))
        case _:
            return _("an object")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def fault_of(value: Any) -> Said | None:
    """Say what no JSON can hold: NaN, infinity, or nesting without end."""
    level = [value]
    for _depth in range(DEEPEST_VALUE + 1):
        inner: list[Any] = []
        for part in level:
            if isinstance(part, str):
                continue
            if isinstance(part, list):
                inner += part
            elif isinstance(part, dict):
                inner += part.values()
            elif isinstance(part, float):
                if not math.isfinite(part):
                    return _("%(value)s, which is no number", value=str(part))
            elif isinstance(part, int) and part.bit_length() > MOST_BITS:
                return _("a number larger than any")
        if not inner:
            return None
        level = inner
    return _("a value nested more than %(most)s deep", most=DEEPEST_VALUE)
