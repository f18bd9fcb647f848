"""The rows of the wizard's form: figures of memory, model files, packs of custom nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.workflows.wizard.plain import number, select, text, whole
from workflows.manifest import SOURCE_KINDS

MOST_ROWS: Final = 12
MOST_MODELS: Final = 40
MOST_PACKS: Final = 12
"""Of a graph with more of them, the rest stays as it was drafted."""
SOURCES: Final[Mapping[str, Promise]] = {
    "primary": _("measured by its makers"),
    "secondary": _("measured by somebody else"),
    "estimate": _("estimated"),
}

Row = dict[str, forms.Field]


def memory(document: Mapping[str, Any], posted: Mapping[str, Any], precisions: Sequence[str]) -> list[Row]:
    """The figures that are known or were ``posted``, and one more row as far as there may be one."""
    known = list(document.get("vram", ()))
    filled = [n for n in range(MOST_ROWS) if any(posted.get(name) for name in _memory_names(n))]
    count = min(MOST_ROWS, max([len(known), *(n + 1 for n in filled)]) + 1)
    return [
        _memory(index, known[index] if index < len(known) else {}, precisions[0] if index == 0 else None)
        for index in range(count)
    ]


def _memory(index: int, row: Mapping[str, Any], precision: str | None) -> Row:
    return {
        f"v.{index}.precision": text(_("precision"), row.get("precision") or precision, most=20),
        f"v.{index}.max_pixels": whole(_("width × height up to (px)"), row.get("max_pixels"), low=1),
        f"v.{index}.max_frames": whole(_("frames up to"), row.get("max_frames", 1), low=1),
        f"v.{index}.gb": number(_("card of (GB)"), row.get("gb")),
        f"v.{index}.source_kind": select(
            _("how is it known?"),
            [(kind, SOURCES[kind]) for kind in SOURCE_KINDS],
            row.get("source_kind", "estimate"),
        ),
        f"v.{index}.evidence": text(_("what was seen"), row.get("evidence"), most=400),
        f"v.{index}.source": text(_("by whom, where"), row.get("source"), most=400),
    }


def _memory_names(index: int) -> tuple[str, ...]:
    return tuple(f"v.{index}.{name}" for name in ("max_pixels", "gb", "evidence", "source"))


def models(document: Mapping[str, Any]) -> list[Row]:
    """A row for each model file."""
    return [
        {
            f"m.{index}.folder": text(_("folder"), row.get("folder"), most=80, required=True),
            f"m.{index}.url": text(_("download (URL)"), row.get("url"), most=400),
            f"m.{index}.license_note": text(_("licence"), row.get("license_note"), most=200),
            f"m.{index}.precision": text(_("only for precision"), row.get("precision"), most=20),
        }
        for index, row in enumerate(document.get("models", ())[:MOST_MODELS])
    ]


def packs(document: Mapping[str, Any], *, must: bool) -> list[Row]:
    """A row for each pack, and one more; ``must``: one with classes has to be filled in now."""
    known = document.get("packs", ())[:MOST_PACKS]
    return [
        _pack(index, known[index] if index < len(known) else {}, must=must)
        for index in range(min(MOST_PACKS, len(known) + 1))
    ]


def _pack(index: int, row: Mapping[str, Any], *, must: bool) -> Row:
    needed = must and bool(row.get("classes"))
    return {
        f"p.{index}.name": text(_("name of the pack"), row.get("name"), most=200, required=needed),
        f"p.{index}.repository": text(
            _("repository (URL)"), row.get("repository"), most=400, required=needed
        ),
        f"p.{index}.version": text(_("version"), row.get("version"), most=200, required=needed),
    }
