"""Messages to JSON and back."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

import msgspec

from farm.contracts.words import VERSION

T = TypeVar("T")


class ContractError(ValueError):
    """A message does not have the form its contract states."""


ContractError.__module__ = "farm.contracts"  # it travels as a task's failure, by this name


def to_json(message: object) -> dict[str, Any]:
    """Turn a message into plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(message)
    return plain


def from_json(kind: type[T], data: object) -> T:
    """Read a message. Raises ContractError naming the field, or the version that is not spoken here."""
    found = data.get("version", VERSION) if isinstance(data, dict) else VERSION
    if found != VERSION:
        raise ContractError(f"{kind.__name__}.version is {found!r}; this side speaks {VERSION}")
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as exc:
        raise ContractError(f"{kind.__name__}: {exc}") from exc


def canonical(plain: object) -> bytes:
    """JSON with sorted keys and no spaces, ASCII only: equal content, equal bytes, whatever the text."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


LONGEST_TEXT: Final = 20_000
"""Characters of any one text that are kept of a message."""


def printable(kind: type[T], message: T) -> T:
    """Return the message with every text as a database takes it: no NUL, no lone surrogates, bounded.

    Check a signature before, for the content changes.
    """
    return from_json(kind, _printable(to_json(message)))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_printable(name): _printable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value
