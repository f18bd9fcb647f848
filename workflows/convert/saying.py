"""How a conversion says what is wrong: which node, in words that are safe to print."""

from __future__ import annotations

import math
from typing import Any, Final

from workflows.problems import Problem

MOST_SAID: Final = 100
"""A broken file of ten megabytes has no use for ten thousand sentences."""


MOST_BITS: Final = 1024
DEEPEST_VALUE: Final = 100
"""How deep lists and objects of a value may stand in each other."""


class Findings:
    """Problems in the order found, each said once. ``missed`` counts what was left out."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.missed = 0
        self._said: set[str] = set()

    def add(self, code: str, message: str, node: str | None = None, input_name: str | None = None) -> None:
        message = message if message.isprintable() else _printable(message)
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
        rest = Problem(
            None, None, "more_problems", f"{self.missed} more problems of this file are not listed."
        )
        return (*self.problems, rest)


def named(node_id: str, title: str) -> str:
    """Name a node as ComfyUI's users know it: by its id and title."""
    return f"Node {shown(node_id, quoted=False)} ({shown(title, quoted=False)})"


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
            return str(value) if abs(value) < 10**20 else "a huge number"
        case list():
            return f"a list of {len(value)}"
        case _:
            return "an object"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def fault_of(value: Any) -> str | None:
    """Say what no JSON can hold: NaN, infinity, or nesting without end."""
    level = [value]
    for _ in range(DEEPEST_VALUE + 1):
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
                    return f"{part}, which is no number"
            elif isinstance(part, int) and part.bit_length() > MOST_BITS:
                return "a number larger than any"
        if not inner:
            return None
        level = inner
    return f"a value nested more than {DEEPEST_VALUE} deep"
