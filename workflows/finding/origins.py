"""Where a linked text or number is really written: through primitives, switches, joins and sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workflows.finding.view import Place, View

DEEPEST: Final = 25
NO_PROMPT: Final = frozenset(
    {
        "delimiter", "find", "replace", "pattern", "regex_pattern", "replacement", "filename_prefix", "group",
        "json_path", "key", "system_prompt", "system_instruction", "expression", "language",
    }
)  # fmt: skip
"""Text inputs that shape a text, but are not it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An input where a value stands. ``exact``: what stands there arrives unchanged."""

    place: Place
    exact: bool


def text_origins(view: View, place: Place) -> list[Origin]:
    """Where the text of an input is written, in the order of its parts; texts of their own nodes first."""
    found = list(_texts(view, place, exact=True, seen=set()))
    return sorted(found, key=lambda origin: _part_of_a_join(view, origin))


def number_origin(view: View, place: Place) -> Origin | None:
    """Where the number of an input is written; None if it is reckoned from several, or measured."""
    found = list(_numbers(view, place, exact=True, seen=set()))
    return found[0] if len(found) == 1 else None


def _texts(view: View, place: Place, *, exact: bool, seen: set[Place]) -> Iterator[Origin]:
    if place in seen or len(seen) > DEEPEST:
        return
    seen.add(place)
    link = view.link(place)
    if link is None:
        if isinstance(view.value(place), str):
            yield Origin(place, exact)
        return
    node = link[0]
    parts = [name for name in view.text_inputs(node) if name.rsplit(".", 1)[-1] not in NO_PROMPT]
    parts += [name for name in view.linked(node, "STRING") if name not in parts]
    if view.linked(node, "IMAGE", "VIDEO", "AUDIO") and not parts:
        return
    through = exact and len(parts) == 1 and len(list(view.text_inputs(node))) == 1
    for name in parts:
        yield from _texts(view, (node, name), exact=through, seen=seen)


def _numbers(view: View, place: Place, *, exact: bool, seen: set[Place]) -> Iterator[Origin]:
    if place in seen or len(seen) > DEEPEST:
        return
    seen.add(place)
    link = view.link(place)
    if link is None:
        value = view.value(place)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield Origin(place, exact)
        return
    node = link[0]
    linked = [n for n in view.links(node) if n != "switch" and not view.carries((node, n), "STRING")]
    if view.linked(node, "IMAGE", "VIDEO", "AUDIO", "LATENT", "MASK"):
        return
    if linked:
        plain = view.class_of(node) == "ComfySwitchNode" or _only_hands_on(view, node)
        for name in linked:
            yield from _numbers(view, (node, name), exact=exact and plain, seen=seen)
        return
    for name in ("value", "on_true", "on_false"):
        if name in view.given(node) and _is_live(view, node, name):
            yield from _numbers(view, (node, name), exact=exact, seen=seen)


def _is_live(view: View, node: str, name: str) -> bool:
    """The value of a switch's branch that is not chosen is nobody's."""
    chosen = view.value((node, "switch"))
    return not isinstance(chosen, bool) or name in ("value", "on_true" if chosen else "on_false")


def _only_hands_on(view: View, node: str) -> bool:
    return len(view.given(node)) == 1 and "expression" not in view.given(node)


def _part_of_a_join(view: View, origin: Origin) -> bool:
    return len(list(view.text_inputs(origin.place[0]))) > 1 and not origin.exact
