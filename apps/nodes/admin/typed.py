"""What somebody typed on a node's page and a service refused: it stands there again, once, with why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest

from apps.common.admin_versions import VERSION, Meanwhile, version_sent
from apps.common.lines import lines
from apps.ledger import words
from apps.ledger.documents import document_of
from apps.ledger.selectors import steps_since
from apps.nodes.models import Node
from apps.nodes.tags import tags_in

_KEPT: Final = "typed_of_node"
LONGEST_TYPED: Final = 10_000
"""Letters kept of what was typed into one field: far more than any of them takes."""
FIELDS: Final = ("reason", "note", "pool", "schedule", "tags", "hours", "prove_minutes")


@dataclass(frozen=True)
class Typed:
    """``fields``: what stands in the forms. ``meanwhile``: what others changed of it after it was opened."""

    fields: dict[str, Any]
    meanwhile: list[Meanwhile] = field(default_factory=list)


def keep_typed(request: HttpRequest, node: Node) -> None:
    """Keep what was typed and refused for the page that is shown next."""
    typed = {name: request.POST[name][:LONGEST_TYPED] for name in FIELDS if name in request.POST}
    kept = {"node": str(node.pk), "fields": typed, VERSION: version_sent(request)}
    request.session[_KEPT] = kept


def typed_on(request: HttpRequest, node: Node) -> Typed:
    """What the forms of this node's page say: what is so, and over it what was typed and refused, once.

    What somebody typed nothing into says what others made of it meanwhile.
    """
    now = {
        "pool": node.pool.name if node.pool else "",
        "schedule": node.schedule.name if node.schedule else "",
        "tags": ", ".join(tags_in(node.tags)),
        "note": node.note,
        "prove_minutes": node.prove_minutes or "",
    }
    kept = request.session.get(_KEPT)
    if not kept or kept["node"] != str(node.pk):
        return Typed(now)
    del request.session[_KEPT]
    typed, seen = dict(kept["fields"]), kept.get(VERSION)
    meanwhile = [] if seen is None else _changed(node, seen, typed)
    for one in meanwhile:
        if one.untouched:
            del typed[one.name]
    return Typed(now | typed, meanwhile)


def _changed(node: Node, seen: int, typed: dict[str, str]) -> list[Meanwhile]:
    document = document_of(Node)
    return [
        Meanwhile(
            field=words.field_text(document.kind, step.field),
            was=words.value_text(document.kind, step.field, step.old),
            now=words.diff(document.kind, step.field, step.old, step.new),
            typed=typed[step.field],
            who=step.who,
            at=step.at,
            name=step.field,
            untouched=_as_typed(step.field, step.old) == _as_typed(step.field, typed[step.field]),
        )
        for step in steps_since(document, node.pk, seen)
        if step.field in typed
    ]


def _as_typed(name: str, value: Any) -> Any:
    text = "" if value is None else lines(str(value)).strip()
    return sorted(tags_in(text)) if name == "tags" else text
