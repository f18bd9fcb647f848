"""One finding about a graph or a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MISSING_MODEL = "missing_model"
"""Code of a model file that the catalogue's server does not list. Another node may well have it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, in words. ``node`` and ``input`` are None where the whole graph or manifest is meant.

    Codes are ComfyUI's own validation types wherever it has one (``required_input_missing``,
    ``value_not_in_list``, …), so a finding here and a refusal by a server read alike.
    """

    node: str | None
    input: str | None
    code: str
    message: str

    def __str__(self) -> str:
        return self.message


def without_missing_models(problems: Iterable[Problem]) -> list[Problem]:
    """Keep what no node can mend by having more model files."""
    return [problem for problem in problems if problem.code != MISSING_MODEL]
