"""Every address of the web side, taken from the URL resolver itself, with the methods it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic import RedirectView

from apps.review.links import token_of

VERBS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Address:
    """One address as the resolver writes it, parameters in braces."""

    pattern: str
    methods: tuple[str, ...]

    @property
    def of_a_row(self) -> bool:
        """Whether it is about one row (or a file) of a film."""
        return "{" in self.pattern

    def path(self, film: dict[str, Any], *, absent: UUID | None = None) -> str:
        """Return the path for a row of this film; with ``absent`` for a row that never was."""

        def value(found: re.Match[str]) -> str:
            if absent is not None:
                return str(absent)
            return self._value(found[1], film)

        return "/" + re.sub(r"{(\w+)}", value, self.pattern)

    def _value(self, name: str, film: dict[str, Any]) -> str:
        known = {
            "code": film["project"].code,
            "slug": film[self._named].slug,
            "system": film["mount"].system,
            "artifact_id": film["artifact"].pk,
            "reference_id": film["reference"].pk,
            "material_id": film["material"].pk,
            "archive_id": film["projectarchive"].pk,
            "project_id": film["project"].pk,
            "member_id": film["membership"].pk,
            "build_id": film["prompt"].pk,
            "channel": "image",
            "batch_id": film["importbatch"].pk,
            "part": "file",
            "attempt_id": film["attempt"].pk,
            "activity_id": film["activity"].pk,
            "name": "take.png",
            "app_label": "productions",
            "content_type_id": film["shot_type"],
            "url": "nothing/here/",
            "scope": film["hold"].scope,
            "number": film["workflowtemplateversion"].number,
            "link": film["link"].pk,
            "token": token_of(film["link"]),
        }
        return str(known[name] if name in known else self._row(film).pk)

    @property
    def _named(self) -> str:
        """What is named by a slug here."""
        named = {"recipes": "recipe", "layouts": "pathtemplate"}
        return next((row for at, row in named.items() if f"{at}/" in self.pattern), "workflowtemplate")

    def _row(self, film: dict[str, Any]) -> Any:
        if "/requeue" in self.pattern and "/job" in self.pattern:
            return film["failed"]
        if "ledger/batch/" in self.pattern or "bulk-changes/" in self.pattern:
            return film["bulk"]
        name = self.pattern.split("/")[2]
        return film[_API_ROWS.get(name, name.removesuffix("s") if name not in film else name)]


_API_ROWS: Final = {
    "batches": "batch",
    "recipe-runs": "reciperun",
    "blocks": "nodeblock",
    "statuses": "shotstatus",
    "imports": "workflowimport",
    "presets": "cinematicpreset",
    "preset-categories": "presetcategory",
    "preset-rules": "presetrule",
    "deliveries": "delivery",
    "{content_type_id}": "shot",
}
"""Rows of the world where an address names them otherwise."""


def every_address() -> list[Address]:
    """Walk the resolver."""
    return sorted({_address(*found) for found in _walk(get_resolver(), "")}, key=lambda one: one.pattern)


def _walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        whole = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, whole)
        else:
            yield whole, entry


def _address(raw: str, entry: URLPattern) -> Address:
    pattern = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"{\1}", raw)
    pattern = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern).replace("^", "").replace("$", "")
    return Address(pattern, _methods(entry.callback))


def _methods(view: Any) -> tuple[str, ...]:
    """What a view answers: REST framework and class views say it; a function may do anything with a POST.

    A redirection is the same with every method.
    """
    if getattr(view, "view_class", None) is RedirectView:
        return ("GET",)
    if actions := getattr(view, "actions", None):
        return tuple(verb for verb in VERBS if verb.lower() in actions)
    if made := getattr(view, "cls", None) or getattr(view, "view_class", None):
        return tuple(verb for verb in VERBS if hasattr(made, verb.lower()))
    return ("GET", "POST")
