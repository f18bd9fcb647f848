"""In which order a project's prompts are written: pure data, read from and written as JSON.

    {"base": "shotfarm",
     "positive": [{"segment": "scene", "on": true, "join": "sentence"}, …],
     "person":   [{"segment": "name", "on": true, "join": "comma"}, …], "people": "sentence",
     "negative": [{"segment": "shot", "on": true}, …]}

``join`` is what stands between a piece and whatever was written before it. A list that is left out is the
ready-made order's; a piece that is left out of a list is switched off, but a family of presets stands among
``presets`` then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "style": ("medium_style", "era", "mood", "colour_palette"),
    "framing": ("shot_size", "coverage", "camera_angle", "composition", "aspect_ratio"),
    "movement": ("camera_movement", "camera_support", "frame_rate_shutter"),
    "camera": ("lens_focal", "depth_of_field", "lens_filter", "stock_format"),
    "light": ("lighting_style", "light_source"),
    "air": ("time_of_day", "weather"),
}
"""Presets that may have a place of their own, by the slugs of their categories."""

POSITIVE: Final = ("scene", "cast", "location", "weather", "time", "dialogue", *FAMILIES, "presets", "lora")
PERSON: Final = ("name", "age", "gender", "description", "costume", "action")
NEGATIVE: Final = ("shot", "character", "preset", "house")
ALWAYS: Final = frozenset({"scene", "cast", "lora", "shot"})
"""Pieces that cannot be switched off: what was planned is always said, and a loaded LoRA always called."""

JOINS: Final[Mapping[str, tuple[str, str]]] = {
    "comma": (", ", ", "),
    "sentence": (". ", ". "),
    "and": (" and ", ", 그리고 "),
    "space": (" ", " "),
    "line": ("\n", "\n"),
}
"""What may stand between two pieces, in English and Korean prompts."""


@dataclass(frozen=True)
class Piece:
    """A place in the order: what stands there, whether it is written, what parts it from what is before."""

    segment: str
    on: bool = True
    join: str = "comma"

    def as_json(self) -> dict[str, Any]:
        return {"segment": self.segment, "on": self.on, "join": self.join}


@dataclass(frozen=True)
class Order:
    """An order of segments. ``person`` is written for each of the cast; ``people`` parts them."""

    positive: tuple[Piece, ...]
    person: tuple[Piece, ...]
    negative: tuple[Piece, ...]
    people: str = "sentence"
    base: str = "shotfarm"

    def as_json(self) -> dict[str, Any]:
        """Return what Project.composer keeps."""
        return {
            "base": self.base,
            "positive": [piece.as_json() for piece in self.positive],
            "person": [piece.as_json() for piece in self.person],
            "people": self.people,
            "negative": [piece.as_json() for piece in self.negative],
        }

    def family_of(self, category: str) -> str:
        """Where presets of this category stand: the family that has a place of its own here, or "presets"."""
        placed = {piece.segment for piece in self.positive}
        return next((name for name in FAMILIES if name in placed and category in FAMILIES[name]), "presets")


def _pieces(told: str, join: str = "comma") -> tuple[Piece, ...]:
    """Read "scene .cast location -dialogue": a dot before it starts a sentence, a minus switches it off."""
    signs: dict[str, dict[str, Any]] = {".": {"join": "sentence"}, "-": {"on": False}}
    made = []
    for word in told.split():
        made.append(replace(Piece(word.lstrip(".-"), join=join), **signs.get(word[0], {})))
    return tuple(made)


_NEGATIVE: Final = _pieces("shot character preset house")

ORDERS: Final[Mapping[str, Order]] = {
    "shotfarm": Order(
        positive=_pieces("scene .cast .location weather time -dialogue .presets .lora"),
        person=_pieces("name age gender description costume action"),
        negative=_NEGATIVE,
    ),
    "style_first": Order(
        base="style_first",
        positive=_pieces(
            "style .cast .scene .location weather time air"
            " framing movement camera light presets -dialogue lora"
        ),
        person=_pieces("name description age gender costume action"),
        negative=_NEGATIVE,
    ),
    "light_first": Order(
        base="light_first",
        positive=_pieces(
            "light .scene .cast .location weather time air"
            " .framing movement camera style presets -dialogue lora"
        ),
        person=_pieces("name costume action -description -age -gender"),
        people="and",
        negative=_NEGATIVE,
    ),
}
"""Ready-made orders: ours, and the two the prototype had (first its style prefix, later its light prefix)."""

SHOTFARM: Final = ORDERS["shotfarm"]


def read_order(told: Any, field: str = "composer") -> Order:
    """Read a project's setting; empty is our own order. Raises Refused with every problem, by its path."""
    if told in (None, {}):
        return SHOTFARM
    problems: list[Problem] = []
    if not isinstance(told, Mapping):
        raise Refused(Problem(field, str(told)[:80], _("write a JSON object, or leave it empty")))
    known = ("base", "positive", "person", "people", "negative")
    problems += [
        Problem(f"{field}.{name}", "", _("use one of %s") % ", ".join(known))
        for name in told
        if name not in known
    ]
    base = _one_of(told.get("base", "shotfarm"), ORDERS, f"{field}.base", problems) or "shotfarm"
    order = ORDERS[base]
    people = _one_of(told.get("people", order.people), JOINS, f"{field}.people", problems) or order.people
    lists: dict[str, Any] = {
        name: _list(told[name], allowed, f"{field}.{name}", problems)
        for name, allowed in (("positive", POSITIVE), ("person", PERSON), ("negative", NEGATIVE))
        if name in told
    }
    if problems:
        raise Refused(*problems)
    return replace(order, people=people, **lists)


def _list(told: Any, allowed: tuple[str, ...], field: str, problems: list[Problem]) -> tuple[Piece, ...]:
    if not isinstance(told, list):
        problems.append(Problem(field, str(told)[:80], _("write a list of pieces, in order")))
        return ()
    pieces: list[Piece] = []
    for index, row in enumerate(told):
        piece = _piece(row, allowed, f"{field}[{index}]", problems)
        if piece is None:
            continue
        if piece.segment in {one.segment for one in pieces}:
            problems.append(Problem(f"{field}[{index}].segment", piece.segment, _("named twice")))
        pieces.append(piece)
    placed = {piece.segment for piece in pieces}
    problems += [
        Problem(field, name, _("this piece is always written; give it a place"))
        for name in allowed
        if name in ALWAYS and name not in placed
    ]
    unplaced = (name for name in allowed if name not in placed and name not in FAMILIES)
    return (*pieces, *(Piece(name, on=False) for name in unplaced))


def _piece(row: Any, allowed: tuple[str, ...], field: str, problems: list[Problem]) -> Piece | None:
    if not isinstance(row, Mapping) or not {*row} <= {"segment", "on", "join"}:
        problems.append(Problem(field, str(row)[:80], _("write segment, on and join")))
        return None
    segment = _one_of(row.get("segment"), allowed, f"{field}.segment", problems)
    join = _one_of(row.get("join", "comma"), JOINS, f"{field}.join", problems)
    on = row.get("on", True)
    if not isinstance(on, bool):
        problems.append(Problem(f"{field}.on", str(on)[:80], _("write true or false")))
        return None
    if segment is None or join is None:
        return None
    if segment in ALWAYS and not on:
        problems.append(Problem(f"{field}.on", segment, _("this piece is always written")))
    return Piece(segment, on, join)


def _one_of(told: Any, allowed: Iterable[str], field: str, problems: list[Problem]) -> str | None:
    names = tuple(allowed)
    if isinstance(told, str) and told in names:
        return told
    problems.append(Problem(field, str(told)[:80], _("use one of %s") % ", ".join(names)))
    return None
