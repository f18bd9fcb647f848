"""What a manifest that is not complete yet must look like, so that every page and check can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem

_OBJECTS: Final = ("bindings", "defaults", "title", "description", "license", "frame_rule", "timeouts")
_ROWS: Final = ("vram", "models", "loras", "outputs", "packs")


def misshapen(document: Mapping[str, Any]) -> list[Problem]:
    """Name each field of a draft's manifest that is no object or list of objects where one is read.

    Whether what stands in them is right is said later, when the manifest is whole.
    """
    return [Problem(field, _shown(value), told, code="misshapen") for field, value, told in _faults(document)]


def _shown(value: Any) -> str:
    return str(value)[:80].encode("utf-8", "replace").decode()


def _faults(document: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for name, value in document.items():
        if not is_kept((name, value)):
            yield ascii(name)[1:-1], "", _("it holds a character that is none; write it without")
    for name in _OBJECTS:
        if name in document:
            yield from _object(name, document[name])
    for name in _ROWS:
        if name in document:
            yield from _rows(name, document[name])
    bindings = document.get("bindings")
    for role, binding in bindings.items() if isinstance(bindings, Mapping) else ():
        where = f"bindings.{role}"
        if not isinstance(binding, Mapping):
            yield from _object(where, binding)
            continue
        yield from _rows(f"{where}.targets", binding.get("targets", []))
        yield from _list_of_texts(f"{where}.choices", binding.get("choices", []))
    outputs = document.get("outputs")
    for index, row in enumerate(outputs if isinstance(outputs, list) else ()):
        if isinstance(row, Mapping) and not isinstance(row.get("node"), str):
            yield f"outputs[{index}].node", row.get("node"), _("write a node's id as a text")
    loras = document.get("loras")
    for index, row in enumerate(loras if isinstance(loras, list) else ()):
        if isinstance(row, Mapping):
            yield from _link(f"loras[{index}].model", row.get("model"))


def is_kept(value: object) -> bool:
    """Tell whether a database keeps every text in it: none with a NUL, or with half of a character."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            waiting += [*part, *part.values()]
        elif isinstance(part, list | tuple):
            waiting += part
        elif isinstance(part, str) and ("\0" in part or not _encodes(part)):
            return False
    return True


def keepable(text: str | None) -> str | None:
    """The text as a database keeps it: with a question mark for each NUL and each half of a character."""
    return text and text.replace("\0", "?").encode("utf-8", "replace").decode()


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(field: str, value: Any) -> Iterator[tuple[str, Any, str]]:
    if not isinstance(value, Mapping):
        yield field, value, _("write a JSON object: {…}")


def _rows(field: str, value: Any) -> Iterator[tuple[str, Any, str]]:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        yield field, value, _("write a list of JSON objects: [{…}, {…}]")


def _list_of_texts(field: str, value: Any) -> Iterator[tuple[str, Any, str]]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        yield field, value, _("write a list of texts")


def _link(field: str, value: Any) -> Iterator[tuple[str, Any, str]]:
    match value:
        case [str(), int()]:
            return
    yield field, value, _('write a link: ["node id", output slot]')
