"""From inputs that could mean a role to one candidate: which of them go together, which are alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workflows.finding.found import Candidate, Why
from workflows.finding.origins import number_origin
from workflows.finding.view import Place, View
from workflows.finding.words import why
from workflows.manifest import Target

MOST_ALTERNATIVES = 20

Reasoned = tuple[Place, Why]
"""An input, and why it is one."""


def number(view: View, role: str, places: Sequence[Reasoned], *, exact: bool = False) -> Candidate | None:
    """The candidate for a role that is a number.

    The first place decides; places with the same number, or written at the same input, go with it; others
    are alternatives. A number reckoned from one other is bound there, unless it must arrive ``exact``.
    """
    found = [_number_at(view, role, place, reason, exact=exact) for place, reason in places]
    return together([candidate for candidate in found if candidate])


def together(found: Sequence[Candidate]) -> Candidate | None:
    """Join what has the value of the first; the rest are alternatives."""
    if not found:
        return None
    first = found[0]
    same = [one for one in found if one.value == first.value and one.value is not None]
    targets = [*first.targets, *(target for one in same for target in one.targets)]
    joined = replace(first, targets=_distinct(targets), sure=first.sure and all(one.sure for one in same))
    own = set(joined.targets)
    others = [one for one in found if not own.issuperset(one.targets)]
    return with_alternatives(joined, others)


def with_alternatives(candidate: Candidate, others: Iterable[Candidate]) -> Candidate:
    """Add alternatives, each place once."""
    known = {candidate.targets}
    kept = list(candidate.alternatives)
    known |= {one.targets for one in kept}
    for other in others:
        if other.targets not in known and len(kept) < MOST_ALTERNATIVES:
            known.add(other.targets)
            kept.append(replace(other, alternatives=()))
    return replace(candidate, alternatives=tuple(kept))


def _number_at(view: View, role: str, place: Place, reason: Why, *, exact: bool) -> Candidate | None:
    known = bool(view.info(place[0]))
    if view.link(place) is None:
        value = view.value(place)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return Candidate(role, (Target(*place),), value, known, reason)
    origin = number_origin(view, place)
    if origin and (origin.exact or not exact):
        return Candidate(role, (Target(*origin.place),), view.value(origin.place), origin.exact, reason)
    if exact:
        told = why("computed_number", node=view.named(place[0]))
        return Candidate(role, (Target(*place, replaces_link=True),), None, False, told)
    return None


def with_same_link(view: View, candidate: Candidate) -> Candidate:
    """Alternatives that take the very link that would be replaced are replaced with it."""
    links = {view.link((target.node, target.input)) for target in candidate.targets if target.replaces_link}
    same = [
        target
        for other in candidate.alternatives
        for target in other.targets
        if target.replaces_link and view.link((target.node, target.input)) in links
    ]
    others = tuple(other for other in candidate.alternatives if not set(other.targets) & set(same))
    return replace(candidate, targets=_distinct([*candidate.targets, *same]), alternatives=others)


def _distinct(targets: Iterable[Target]) -> tuple[Target, ...]:
    kept: dict[Place, Target] = {}
    for target in targets:
        kept.setdefault((target.node, target.input), target)
    return tuple(kept.values())
