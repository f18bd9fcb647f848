"""What becomes of a graph without the file of a role, as a person reads it and as a manifest says it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.workflows.wizard.places import Place, in_short
from workflows.catalogue import ObjectInfo
from workflows.errors import TemplateInvalid
from workflows.finding.leaving import leaving
from workflows.graph import Graph
from workflows.manifest import Without
from workflows.parse import read_without
from workflows.reading import Reader

MOST_NAMED: Final = 12
"""Nodes and links told of in words; the picture shows all."""


@dataclass(frozen=True)
class Absence:
    """A role that may be left out if ``rule`` is not None. ``kept``: a person wrote the rule before."""

    rule: Without | None
    kept: bool
    told: Sequence[str]

    @property
    def goes(self) -> str:
        """The nodes that go, as JSON for the page's script."""
        return json.dumps(list(self.rule.remove) if self.rule else [])


def absence_of(
    graph: Graph,
    object_info: ObjectInfo,
    binding: Mapping[str, Any],
    places: Sequence[Place],
    needed: Collection[str],
) -> Absence:
    """Say what goes when a file role written to these places is not given, and what is led elsewhere.

    A rule that the binding has is kept while it is written to the same places; else one is worked out.
    """
    kept = _kept(binding) if _places_of(binding) == list(places) else None
    rule = kept or leaving(graph, object_info, [node for node, _name in places], needed)
    if rule is None:
        return Absence(None, kept=False, told=[_("It must be given: nothing would be rendered without it.")])
    return Absence(rule, kept=kept is not None, told=_in_words(graph, rule))


def as_document(rule: Without) -> dict[str, Any]:
    """The rule as a manifest has it."""
    relink = [{"node": node, "input": name, "to": list(to)} for (node, name), to in rule.relink.items()]
    return {"remove": list(rule.remove), **({"relink": relink} if relink else {})}


def _kept(binding: Mapping[str, Any]) -> Without | None:
    """The rule that stands there, if it is one; a draft may hold anything."""
    if not isinstance(binding.get("optional"), Mapping):
        return None
    try:
        return read_without(Reader(binding["optional"], "optional"))
    except TemplateInvalid:
        return None


def _places_of(binding: Mapping[str, Any]) -> list[Place]:
    return [(str(row.get("node")), str(row.get("input"))) for row in binding.get("targets", ())]


def _in_words(graph: Graph, rule: Without) -> list[str]:
    told = []
    if rule.remove:
        told.append(_("Without it these go: %s.") % _some([_named(graph, node) for node in rule.remove]))
    for (node, name), (giver, slot) in list(rule.relink.items())[:MOST_NAMED]:
        facts = {"place": f"{_named(graph, node)} · {name}", "giver": _named(graph, giver), "slot": slot}
        told.append(_("%(place)s then takes output %(slot)s of %(giver)s.") % facts)
    if len(rule.relink) > MOST_NAMED:
        told.append(_("%d more links are led elsewhere.") % (len(rule.relink) - MOST_NAMED))
    return told


def _some(names: list[str]) -> str:
    more = f" … + {len(names) - MOST_NAMED}" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _named(graph: Graph, node: str) -> str:
    return in_short(node, graph[node]) if node in graph else node
