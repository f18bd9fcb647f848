"""Why a step is stale, and what it waits for, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.recipes.made import Difference
from apps.recipes.models import RecipeRun
from apps.recipes.spec import Gate
from apps.recipes.standing import Cell, Row, Stand
from apps.workflows.models import Kind

_CHANGED: Final[Mapping[str, Promise]] = {
    "prompt": gettext_lazy("the prompt changed"),
    "negative": gettext_lazy("the negative prompt changed"),
    "pictures": gettext_lazy("the reference pictures of the cast changed"),
}
_BECAME: Final[Mapping[str, Promise]] = {
    "material": gettext_lazy("the file for %(name)s was exchanged"),
    "template": gettext_lazy("the template is %(now)s now, it was %(was)s"),
    "value": gettext_lazy("%(name)s is %(now)s now, it was %(was)s"),
    "loras": gettext_lazy("the LoRAs are now: %(now)s; they were: %(was)s"),
    "seed": gettext_lazy("the seed is %(now)s now, it was %(was)s"),
}

TONES: Final[Mapping[str, str]] = {
    Stand.WAITS: "grey",
    Stand.RENDERS: "violet",
    Stand.TO_APPROVE: "amber",
    Stand.DONE: "green",
    Stand.FAILED: "red",
    Stand.CANCELLED: "grey",
}


def why_stale(row: Row, cell: Cell) -> list[str]:
    """Say what has changed since this step was rendered; empty if nothing has."""
    told = [_in_words(one, _names(row.cells)) for one in cell.stale]
    if not told and cell.upstream:
        told = [_("what it starts from is to be rendered again")]
    if cell.outdated:
        told.append(_("its approved take was made before something changed; approve one of the new takes"))
    return told


def waits_for(run: RecipeRun, row: Row, cell: Cell) -> str:
    """Say what a step that was not rendered yet waits for; "" for others."""
    if cell.stand != Stand.WAITS or cell.position == 0:
        return ""
    if run.cancelled_at is not None:
        return _("the run was cancelled by %s") % (run.cancelled_by or "–")
    before = row.cells[cell.position - 1]
    if before.row is not None and before.row.refused and before.output:
        return "; ".join(str(problem["message"]) for problem in before.row.refused)
    facts = {"step": before.position + 1, "template": before.spec.template}
    if before.output and not before.outdated:
        return _("not rendered yet, though it may be: press “Render what changed”")
    if before.spec.gate == Gate.APPROVAL and before.renders:
        return _("waits for an approved take of step %(step)s, %(template)s") % facts
    return _("waits for step %(step)s, %(template)s") % facts


def _in_words(one: Difference, names: Mapping[str, str]) -> str:
    if one.what == "source":
        if not one.now:
            return _("the take it started from is no longer approved")
        now, was = names.get(one.now, "–"), names.get(one.was, "–")
        if one.name:
            facts = {"now": now, "was": was, "name": one.name}
            return _("its %(name)s would be %(now)s now; it was %(was)s") % facts
        return _("it would start from %(now)s now; it started from %(was)s") % {"now": now, "was": was}
    if one.what in _CHANGED:
        return str(_CHANGED[one.what])
    facts = {"name": one.name, "was": one.was or "–", "now": one.now or "–"}
    return str(_BECAME[one.what]) % facts


def _names(cells: Iterable[Cell]) -> dict[str, str]:
    """Jobs of a shot by what their take is called."""
    names: dict[str, str] = {}
    for cell in cells:
        for one in cell.renders:
            names[str(one.job_id)] = _name(one.job.kind, one.job.take_number)
        for key, take in cell.takes.items():
            names[str(key)] = _name(take.kind, take.number)
    return names


def _name(kind: str, number: int) -> str:
    return _("%(kind)s take %(number)s") % {"kind": Kind(kind).label, "number": number}
