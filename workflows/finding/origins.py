"""Where a linked text or number is really written: through primitives, switches, joins and sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workflows.finding.view import BRANCHES, SWITCHES, Place, View

DEEPEST: Final = 25
NO_PROMPT: Final = frozenset(
    {
        "delimiter", "find", "replace", "pattern", "regex_pattern", "replacement", "filename_prefix", "group",
        "json_path", "key", "system_prompt", "system_instruction", "expression", "language",
    }
)  # fmt: skip
"""Text inputs that shape a text, but are not it."""
INSTRUCTIONS: Final = ("You are ", "<s>[SYSTEM", "<|im_start|>system")
"""How texts begin that tell a language model what to do with the prompt beside them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An input where a value stands. ``exact``: what stands there arrives unchanged."""

    place: Place
    exact: bool


def text_origins(view: View, place: Place) -> list[Origin]:
    """Where the text of an input is written, in the order of its parts.

    Texts of their own nodes come first, instructions to a language model last.
    """
    found = list(_texts(view, place, exact=True, seen=set()))
    return sorted(found, key=lambda origin: (_instructs(view, origin), _part_of_a_join(view, origin)))


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
    if view.class_of(node) in SWITCHES:
        parts += [name for name in BRANCHES if name not in parts and _is_live(view, node, name)]
    if view.linked(node, "IMAGE", "VIDEO", "AUDIO") and not parts:
        return
    alone = len(parts) == 1 and len(list(view.text_inputs(node))) <= 1
    through = exact and alone and not _writes_anew(view, node)
    for name in parts:
        yield from _texts(view, (node, name), exact=through, seen=seen)


def _numbers(view: View, place: Place, *, exact: bool, seen: set[Place]) -> Iterator[Origin | None]:
    """None stands for a part that is measured, or that nobody can tell."""
    if place in seen or len(seen) > DEEPEST:
        return
    seen.add(place)
    link = view.link(place)
    if link is None:
        value = view.value(place)
        yield Origin(place, exact) if _is_number(value) else None
        return
    node = link[0]
    if view.linked(node, "IMAGE", "VIDEO", "AUDIO", "LATENT", "MASK"):
        yield None
        return
    same = view.slot_name(link).lower()
    handed = same in view.given(node)  # an output of the name of an input hands it on
    inputs = [same] if handed else [name for name in _parts(view, node) if _is_live(view, node, name)]
    if not inputs:
        yield None
    plain = exact and (handed or _hands_on(view, node) or view.class_of(node) in SWITCHES)
    for name in inputs:
        yield from _numbers(view, (node, name), exact=plain, seen=seen)


def _parts(view: View, node: str) -> list[str]:
    """The inputs that a number is made of."""
    linked = [name for name in view.links(node) if name != "switch" and "expression" not in name]
    if view.class_of(node) in SWITCHES:
        return [name for name in ("on_true", "on_false") if name in view.given(node)]
    return linked or [name for name in ("value",) if name in view.given(node)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_live(view: View, node: str, name: str) -> bool:
    """The value of a switch's branch that is not chosen is nobody's."""
    chosen = view.switched(node)
    return chosen is None or name not in BRANCHES or name == BRANCHES[not chosen]


def _hands_on(view: View, node: str) -> bool:
    """True for a primitive, and for an expression that is one of its variables."""
    given = view.given(node)
    expression = view.value((node, "expression"))
    if isinstance(expression, str):
        name = expression.strip()
        return name.isidentifier() and f"values.{name}" in view.links(node) and len(view.links(node)) == 1
    return len(given) == 1


def _writes_anew(view: View, node: str) -> bool:
    """True for a language model: what it is told is not what it says."""
    return bool(view.linked(node, "CLIP", "MODEL") or view.info(node).get("api_node"))


def _instructs(view: View, origin: Origin) -> bool:
    return str(view.value(origin.place)).lstrip().startswith(INSTRUCTIONS)


def _part_of_a_join(view: View, origin: Origin) -> bool:
    return len(list(view.text_inputs(origin.place[0]))) > 1 and not origin.exact
