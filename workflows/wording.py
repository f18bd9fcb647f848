"""Sentences that remember how they were made, so that a page can say them in its reader's language.

Nothing here translates. A module that has something to say imports ``said as _`` and writes

    _("%(node)s has no input %(name)s.", node=…, name=…)

which is that sentence in English. Translators' tools find it by the underscore; what shows it translates
``form``, and ``params`` that are sentences themselves, and puts the ones into the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

DEEPEST: Final = 20
"""How deep sentences stand in sentences."""


class Said(str):
    """A sentence in English, safe to print: ``form`` with ``params`` in the places that it names."""

    __slots__ = ("form", "params")

    form: str
    params: Mapping[str, object]

    def __new__(cls, form: str, params: Mapping[str, object] | None = None) -> Self:
        clean = {name: _clean(value) for name, value in (params or {}).items()}
        made = super().__new__(cls, form % clean if clean else form)
        made.form, made.params = form, clean
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[str, Mapping[str, object]]]:
        return type(self), (self.form, self.params)

    def as_json(self) -> dict[str, Any]:
        """Return ``form`` and ``params``, for :func:`said_from`."""
        told = {name: one.as_json() if isinstance(one, Said) else one for name, one in self.params.items()}
        return {"form": self.form, "params": told}


def said(form: str, /, **params: object) -> Said:
    """Say a sentence; what is put in may be a text, a number or another sentence."""
    return Said(form, params)


def said_from(kept: object, depth: int = 0) -> Said | None:
    """Read what :meth:`Said.as_json` wrote; None for anything else."""
    match kept:
        case {"form": str(form), "params": dict(params)} if depth < DEEPEST:
            inner = {name: said_from(one, depth + 1) or one for name, one in params.items()}
            return Said(form, inner)
    return None


def _clean(value: object) -> object:
    """Names come from a stranger's file: nothing of them writes into a terminal or a log."""
    if isinstance(value, str) and not isinstance(value, Said) and not value.isprintable():
        return "".join(letter if letter.isprintable() else "?" for letter in value)
    return value
