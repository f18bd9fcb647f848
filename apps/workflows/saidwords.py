"""What ``workflows`` says is wrong, in the reader's language; it remembers how each sentence was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext

from workflows.errors import WorkflowError
from workflows.problems import Problem
from workflows.wording import Said, said_from

KEPT: Final = "said"
"""Beside the English ``message`` of a finding that is kept: how it was made."""


def in_words(told: str) -> str:
    """Say a sentence in the reader's language; a text that nobody here made stays as it is."""
    if not told or not isinstance(told, Said):
        return told
    params = {name: in_words(one) if isinstance(one, str) else one for name, one in told.params.items()}
    form = gettext(told.form)
    return form % params if params else form


def error_in_words(error: WorkflowError) -> str:
    """Say what is wrong with a value and what would be right; which field and value stand beside it."""
    return f"{in_words(error.problem)}; {in_words(error.remedy)}"


def as_kept(finding: Problem) -> dict[str, Any]:
    """Return what is kept of a finding: the English sentence, and how it was made."""
    return {
        "node": finding.node,
        "input": finding.input,
        "code": finding.code,
        "title": finding.title,
        "message": str(finding),
        KEPT: finding.message.as_json(),
        "nearest": list(finding.nearest),
    }


def kept_in_words(row: Mapping[str, Any]) -> str:
    """Say a finding that was kept; one that was kept before sentences were stays English."""
    return in_words(said_from(row.get(KEPT)) or row["message"])
