"""Read a JSON object field by field, refusing what is absent, mistyped or unknown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from workflows.errors import TemplateInvalid
from workflows.wording import Said
from workflows.wording import said as _

SHA256: Final = "^[0-9a-f]{64}$"


class Reader:
    """A JSON object whose fields are taken one by one; ``finish`` refuses the ones nobody took.

    ``where`` is the path shown in errors, such as ``manifest.bindings.seed``.
    Every method raises :class:`TemplateInvalid`.
    """

    def __init__(self, document: object, where: str) -> None:
        if not isinstance(document, Mapping):
            raise TemplateInvalid(where, document, problem=_("is not a JSON object"), remedy=_("write {…}"))
        self.where = where
        self._document: Mapping[str, Any] = document
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Ask for a field that may be absent; null is as good as absent."""
        return self._known(key)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if value == "" != default:
            raise self.refused(key, _("is empty"), _("fill it in"))
        if not isinstance(value, str):
            raise self.refused(key, _("is not a text"), _("write a text in quotes"))
        return value

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.refused(
                key, _("is not known"), _("choose one of %(choices)s", choices=", ".join(allowed))
            )
        return value

    def exactly(self, key: str, wanted: str | int, problem: Said, remedy: Said) -> None:
        """Take a field that has one right value."""
        value = self._take(key, None)
        if value != wanted or type(value) is not type(wanted):
            raise self.refused(key, problem, remedy)

    def integer(self, key: str, *, at_least: int = 0, default: int | None = None) -> int:
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
            raise self.refused(
                key, _("does not fit"), _("write a whole number of at least %(least)s", least=at_least)
            )
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self._take(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise self.refused(key, _("is not a number"), _("write a finite number"))
        return value

    def maybe_number(self, key: str) -> float | None:
        return self.number(key) if self._known(key) else None

    def maybe_text(self, key: str) -> str | None:
        return self.text(key) if self._known(key) else None

    def maybe_sha256(self, key: str) -> str | None:
        text = self.maybe_text(key)
        if text is not None and not re.fullmatch(SHA256, text):
            raise self.refused(key, _("is no SHA-256"), _("write 64 lower-case hexadecimal digits"))
        return text

    def output(self, key: str) -> tuple[str, int]:
        """A node's output, as graphs link to it: ``["4", 0]``."""
        match self._take(key, None):
            case [str(node), int(slot)] if slot >= 0 and not isinstance(slot, bool):
                return node, slot
        raise self.refused(key, _("is not an output of a node"), _('write ["node id", output slot]'))

    def flag(self, key: str) -> bool:
        value = self._take(key, False)
        if not isinstance(value, bool):
            raise self.refused(key, _("is not true or false"), _("write true or false"))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when the field is absent."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.refused(key, _("is not a list of texts"), _('write ["…", "…"]'))
        return tuple(value)

    def text_map(self, key: str) -> dict[str, str] | None:
        """An object of texts; None when the field is absent."""
        if not self._known(key):
            return None
        value = self._take(key, None)
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
            raise self.refused(key, _("is not an object of texts"), _('write {"…": "…"}'))
        return dict(value)

    def part(self, key: str) -> Reader:
        return Reader(self._take(key, None), f"{self.where}.{key}")

    def maybe_part(self, key: str) -> Reader | None:
        return self.part(key) if self._known(key) else None

    def rows(self, key: str, empty: Said | None = None) -> list[Reader]:
        """A list of objects; empty when the field is absent. ``empty``: what is wrong with that, if it is."""
        value = self._take(key, [])
        if not isinstance(value, list):
            raise self.refused(key, _("is not a list"), _("write [{…}, {…}]"))
        if empty and not value:
            raise self.refused(key, empty, _("write [{…}]"))
        return [Reader(item, f"{self.where}.{key}[{index}]") for index, item in enumerate(value)]

    def named(self, key: str, names: Iterable[str]) -> dict[str, Reader]:
        """An object of objects, in the order written. Whether ``names`` has each is for the caller to say."""
        part = self.part(key)
        return {name: part.part(name) for name in part._document}

    def scalars(self, key: str, former: Mapping[str, str]) -> dict[str, str | int | float]:
        """An object of texts and finite numbers; ``former`` names become what they are called now."""
        found: dict[str, str | int | float] = {}
        for name, value in self._object(key).items():
            finite = not isinstance(value, float) or math.isfinite(value)
            if not isinstance(value, str | int | float) or isinstance(value, bool) or not finite:
                raise self.refused(
                    key, _("has no usable value for %(name)s", name=name), _("write a text or a number")
                )
            found[former.get(name, name)] = value
        return found

    def objects(self, key: str) -> dict[str, dict[str, Any]]:
        """An object of objects whose fields are judged elsewhere; empty when the field is absent."""
        found = self._object(key)
        for name, value in found.items():
            if not isinstance(value, Mapping):
                raise self.refused(
                    key, _("has no JSON object for %(name)s", name=name), _('write {"…": {…}}')
                )
        return {name: dict(value) for name, value in found.items()}

    def _object(self, key: str) -> Mapping[str, Any]:
        value = self._take(key, {})
        if not isinstance(value, Mapping):
            raise self.refused(key, _("is not a JSON object"), _("write {…}"))
        return value

    def finish(self) -> None:
        for key in self._document:
            if key not in self._taken:
                known = ", ".join(sorted(self._taken))
                raise self.refused(
                    key, _("is a field nobody reads"), _("remove it, or use one of %(names)s", names=known)
                )

    def refused(self, key: str, problem: Said, remedy: Said) -> TemplateInvalid:
        return TemplateInvalid(f"{self.where}.{key}", self._document.get(key), problem=problem, remedy=remedy)

    def _known(self, key: str) -> bool:
        self._taken.add(key)
        return self._document.get(key) is not None

    def _take(self, key: str, default: object) -> object:
        self._taken.add(key)
        value = self._document.get(key)
        return default if value is None else value
