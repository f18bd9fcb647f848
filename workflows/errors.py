"""What can be wrong with a template or with the values given to it.

WorkflowError
├── TemplateNotFound   no such template in the library
├── TemplateInvalid    graph.json or manifest.json breaks its own format
├── CannotConvert      a saved workflow is not, or cannot become, a graph in API format
├── UnknownRole        the template binds no such role
├── MissingRole        a role without a default was not given
├── ValueRefused       wrong type, out of range, illegal size or frame count
└── NeedUnknown        no declared VRAM figure covers this precision and size
"""

from __future__ import annotations

from collections.abc import Sequence

from workflows.problems import Problem
from workflows.wording import Said, said
from workflows.wording import said as _


class WorkflowError(Exception):
    """Names the field, the value and what would be right."""

    def __init__(self, field: str, value: object, *, problem: Said, remedy: Said) -> None:
        super().__init__(f"{field}: {_shown(value)} {problem}; {remedy}")
        self.field = field
        self.value = value
        self.problem = problem
        self.remedy = remedy

    @property
    def said(self) -> Said:
        """All of it, as ``str()`` says it."""
        told = {"field": self.field, "value": _shown(self.value)}
        return _(
            "%(field)s: %(value)s %(problem)s; %(remedy)s", **told, problem=self.problem, remedy=self.remedy
        )


class TemplateNotFound(WorkflowError):
    """No template of this name is in the library."""


class TemplateInvalid(WorkflowError):
    """graph.json or manifest.json cannot be read as what it should be."""


class CannotConvert(WorkflowError):
    """A saved workflow is not, or cannot become, a graph in API format; ``problems`` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = said("%(problems)s", problems=" ".join(problem.message for problem in problems))
        super().__init__("workflow", None, problem=_("cannot be converted"), remedy=told)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return " ".join(problem.message for problem in self.problems)


class UnknownRole(WorkflowError):
    """A value was given for a role that the template does not bind."""


class MissingRole(WorkflowError):
    """A role without a default was not given."""


class ValueRefused(WorkflowError):
    """The value has the wrong type, is out of range, or breaks a size or frame rule."""


class NeedUnknown(WorkflowError):
    """No declared VRAM figure covers this precision, size and frame count."""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
