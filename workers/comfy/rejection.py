"""ComfyUI's validation answers, turned into the error that says what to do.

The most lasting problem decides: a graph that is wrong in itself stays wrong on every node, a missing
model may lie on another node, a missing input may be uploaded.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Final

from workers.comfy.errors import (
    GraphRejected,
    InputMissing,
    MissingModel,
    MissingNodeClass,
    OutputsDropped,
    Problem,
)

MODEL_EXTENSIONS: Final = frozenset(
    {".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".pkl", ".gguf", ".onnx"}
)
"""What ComfyUI's folder_paths lists as model files, and the two that common custom nodes add."""

DETAILS_LIMIT: Final = 300
"""Characters; a ``value_not_in_list`` repeats the whole list, which may hold hundreds of models."""

_LOADS_A_FILE: Final = re.compile(r"Load(Image|Video|Audio|Latent)")
_INVALID_FILE: Final = re.compile(r"\bInvalid \w+ file\b", re.IGNORECASE)
_NO_SUCH_CLASS: Final = re.compile(r"^Cannot execute because node (.+) does not exist")


def rejection(body: dict[str, Any]) -> GraphRejected:
    """Return the error for the body of a 400 answer to ``POST /prompt``."""
    error = _mapping(body.get("error"))
    if missing := _missing_class(error):
        return MissingNodeClass((missing,))
    problems = problems_of(_mapping(body.get("node_errors")))
    if not problems:
        return GraphRejected((_top_level(error),))
    if all(_is_missing_model(problem) or _is_missing_input(problem) for problem in problems):
        if any(_is_missing_model(problem) for problem in problems):
            return MissingModel(problems)
        return InputMissing(problems)
    return GraphRejected(problems)


def outputs_dropped(node_errors: dict[str, Any]) -> OutputsDropped:
    """Return the error for a 200 answer whose ``node_errors`` is not empty."""
    problems = problems_of(node_errors)
    return OutputsDropped(problems or (Problem(kind="node_errors", message="Outputs were dropped"),))


def problems_of(node_errors: dict[str, Any]) -> tuple[Problem, ...]:
    """Return every problem of a ``node_errors`` object, in ComfyUI's order."""
    return tuple(
        _problem(str(node_id), _mapping(node), _mapping(error))
        for node_id, node in node_errors.items()
        for error in _list(_mapping(node).get("errors"))
    )


def loads_a_file(node_type: str) -> bool:
    """Tell whether a node of this class reads an uploaded picture, clip or sound."""
    return _LOADS_A_FILE.search(node_type) is not None


def _problem(node_id: str, node: dict[str, Any], error: dict[str, Any]) -> Problem:
    extra = _mapping(error.get("extra_info"))
    return Problem(
        kind=str(error.get("type", "")),
        message=str(error.get("message", "")),
        details=_short(error.get("details", "")),
        node_id=node_id,
        node_type=str(node.get("class_type", "")),
        input_name=str(extra.get("input_name", "")),
        value=_short(extra.get("received_value", "")),
    )


def _top_level(error: dict[str, Any]) -> Problem:
    return Problem(
        kind=str(error.get("type", "unknown")),
        message=str(error.get("message", "ComfyUI refused the graph without a reason")),
        details=_short(error.get("details", "")),
    )


def _missing_class(error: dict[str, Any]) -> Problem | None:
    """0.27 says ``missing_node_type`` with the class; 0.3.64 says ``invalid_prompt`` with a sentence."""
    extra = _mapping(error.get("extra_info"))
    message = str(error.get("message", ""))
    class_type = extra.get("class_type") if error.get("type") == "missing_node_type" else None
    if not class_type and (found := _NO_SUCH_CLASS.match(message)):
        class_type = found[1]
    if not class_type:
        return None
    node_id = str(extra.get("node_id") or str(error.get("details", "")).partition("#")[2].rstrip("'"))
    return Problem(kind="missing_node_type", message=message, node_id=node_id, node_type=str(class_type))


def _is_missing_model(problem: Problem) -> bool:
    suffix = PurePosixPath(problem.value.replace("\\", "/")).suffix.lower()
    return problem.kind == "value_not_in_list" and suffix in MODEL_EXTENSIONS


def _is_missing_input(problem: Problem) -> bool:
    if problem.kind == "custom_validation_failed":
        return _INVALID_FILE.search(problem.details) is not None
    return problem.kind == "value_not_in_list" and loads_a_file(problem.node_type)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= DETAILS_LIMIT else text[: DETAILS_LIMIT - 1] + "…"
