"""Sums written into a graph: names of inputs, numbers, and + - * /."""

from __future__ import annotations

import ast
import operator
from typing import Any, Final

from workers.comfysim.nodes.registry import Inputs, Run, node

_OPERATIONS: Final[dict[type[ast.operator], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@node("ComfyMathExpression")
def calculate(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    names = {name.removeprefix("values."): value for name, value in inputs.items() if "." in name}
    result = _value(ast.parse(inputs["expression"], mode="eval").body, names)
    return float(result), int(result), bool(result)


def _value(term: ast.expr, names: dict[str, Any]) -> float:
    match term:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name) if name in names:
            return float(names[name])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return float(_OPERATIONS[type(op)](_value(left, names), _value(right, names)))
    raise ValueError(f"The stand-in ComfyUI cannot calculate {ast.unparse(term)!r}")
