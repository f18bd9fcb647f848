"""One finding about a graph or a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from workflows.wording import Said

MODEL: Final = "model"
"""``Problem.missing`` of a file that the catalogue's server does not list. Another node may well have it."""

NODE_CLASS: Final = "class"
"""``Problem.missing`` of a node class that the catalogue's server does not have."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, in words. ``node`` and ``input`` are None where the whole graph or manifest is meant.

    Codes are ComfyUI's own validation types wherever it has one (``required_input_missing``,
    ``value_not_in_list``, …), so a finding here and a refusal by a server read alike. ``title``: the
    node's title, or its class. ``missing``: MODEL or NODE_CLASS where something called ``name`` is not
    there, ``nearest`` then names what is, most alike first. ``late``: a server takes the graph and fails
    while it executes.
    """

    node: str | None
    input: str | None
    code: str
    message: Said
    title: str | None = None
    missing: str | None = None
    name: str | None = None
    nearest: tuple[str, ...] = ()
    late: bool = False

    def __str__(self) -> str:
        return self.message


def without_missing_models(problems: Iterable[Problem]) -> list[Problem]:
    """Keep what no node can mend by having more model files."""
    return [problem for problem in problems if problem.missing != MODEL]


def missing(problems: Iterable[Problem]) -> list[Problem]:
    """Keep what a node can mend by having more model files or node classes."""
    return [problem for problem in problems if problem.missing is not None]
