"""Prompts on pages: where each piece comes from, how long a text is, what differs between two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from apps.common import show
from apps.prompts.difference import ADDED, CHANGED, MOVED, REMOVED, SAME, Run
from apps.prompts.encoders import REFUSED, TRAINED, Estimate, estimates
from apps.prompts.models import PromptBuild, Spoken
from apps.prompts.order import JOINS
from apps.prompts.reasons import negative_note as note_of
from apps.prompts.reasons import reason as reason_of
from apps.prompts.saying import estimate_in_words

register = template.Library()

ROWS: Final = {
    "shot": gettext_lazy("shot"),
    "character": gettext_lazy("character"),
    "casting": gettext_lazy("casting"),
    "costume": gettext_lazy("costume"),
    "location": gettext_lazy("location"),
    "preset": gettext_lazy("preset"),
    "lora": gettext_lazy("LoRA"),
    "house": gettext_lazy("house"),
    "edit": gettext_lazy("by hand"),
}
FIELDS: Final = {
    "description": gettext_lazy("description"),
    "name": gettext_lazy("name"),
    "age": gettext_lazy("age"),
    "gender": gettext_lazy("gender"),
    "action": gettext_lazy("action"),
    "costume_override": gettext_lazy("wears in this shot"),
    "prompt": gettext_lazy("prompt text"),
    "weather": gettext_lazy("weather"),
    "time_of_day": gettext_lazy("time of day"),
    "dialogue": gettext_lazy("dialogue"),
    "prompt_fragment": gettext_lazy("prompt fragment"),
    "negative_fragment": gettext_lazy("negative fragment"),
    "trigger_words": gettext_lazy("trigger words"),
    "negative": gettext_lazy("negative text"),
    "positive": gettext_lazy("positive"),
}
PIECES: Final = {
    "scene": gettext_lazy("scene"),
    "cast": gettext_lazy("cast"),
    "location": gettext_lazy("location"),
    "weather": gettext_lazy("weather"),
    "time": gettext_lazy("time of day"),
    "dialogue": gettext_lazy("dialogue"),
    "style": gettext_lazy("presets: style, era, mood, colour"),
    "framing": gettext_lazy("presets: size, angle, composition"),
    "movement": gettext_lazy("presets: camera movement"),
    "camera": gettext_lazy("presets: lens, filter, film"),
    "light": gettext_lazy("presets: light"),
    "air": gettext_lazy("presets: time and weather"),
    "presets": gettext_lazy("presets: all others"),
    "lora": gettext_lazy("trigger words of LoRAs"),
    "name": gettext_lazy("name"),
    "age": gettext_lazy("age"),
    "gender": gettext_lazy("gender"),
    "description": gettext_lazy("description"),
    "costume": gettext_lazy("costume"),
    "action": gettext_lazy("action"),
    "shot": gettext_lazy("the shot's own"),
    "character": gettext_lazy("the cast's"),
    "preset": gettext_lazy("the presets'"),
    "house": gettext_lazy("the house's"),
}
WHATS: Final = {
    SAME: ("grey", pgettext_lazy("a segment", "same")),
    ADDED: ("green", pgettext_lazy("a segment", "added")),
    REMOVED: ("red", pgettext_lazy("a segment", "removed")),
    CHANGED: ("amber", pgettext_lazy("a segment", "changed")),
    MOVED: ("blue", pgettext_lazy("a segment", "moved")),
}
JOINED: Final = {
    "comma": gettext_lazy("a comma"),
    "sentence": gettext_lazy("a full stop"),
    "and": gettext_lazy("the word and"),
    "space": gettext_lazy("a space"),
    "line": gettext_lazy("a new line"),
}
ORDERS: Final = {
    "shotfarm": gettext_lazy("Scene first (the farm's own)"),
    "style_first": gettext_lazy("Style first (the prototype's first)"),
    "light_first": gettext_lazy("Light first (the prototype's later one)"),
}
if JOINED.keys() != JOINS.keys():
    raise RuntimeError("a separator has no name")


@register.filter
def reason(code: str) -> str:
    """Say why a segment is there, or is not."""
    return reason_of(code)


@register.filter
def negative_note(code: str) -> str:
    """Say why negative text has no effect."""
    return note_of(code)


@register.filter
def channel_name(channel: str) -> str:
    """Name a channel: picture, video."""
    return str(Spoken(channel).label) if channel in Spoken.values else channel


@register.filter
def piece_name(segment: str) -> str:
    """Name a piece of an order."""
    return str(PIECES.get(segment, segment))


@register.filter
def join_name(join: str) -> str:
    """Name what parts two pieces."""
    return str(JOINED.get(join, join))


@register.filter
def order_name(base: str) -> str:
    """Name a ready-made order."""
    return str(ORDERS.get(base, base))


@register.filter
def origin(segment: Mapping[str, Any]) -> str:
    """Say in which row and field a segment stands, and in which language."""
    field = str(segment.get("field", ""))
    plain = field.removesuffix("_ko")
    named = str(FIELDS.get(plain, plain))
    if field != plain:
        named = _("%(field)s (Korean)") % {"field": named}
    row = str(ROWS.get(segment.get("row", ""), segment.get("row", "")))
    return " · ".join(part for part in (row, named) if part)


@register.simple_tag
def source_of(source: str) -> SafeString:
    """Name where a segment comes from, in its colour."""
    return show.source_badge(source)


@register.simple_tag
def tokens(build: PromptBuild, role: str = "positive") -> SafeString:
    """Say how long a text is for each encoder that reads it, one a line; in amber what to know of it."""
    if role == "negative" and build.negative_ignored:
        return SafeString("")
    return format_html_join(
        "", "{}", ((_line(one),) for one in estimates(getattr(build, role), build.encoders))
    )


def _line(length: Estimate) -> SafeString:
    tone = "sf-warn" if length.beyond in {TRAINED, REFUSED} or length.deaf else "sf-dim"
    return format_html('<div class="{}">{}</div>', tone, estimate_in_words(length))


@register.simple_tag
def words(runs: Iterable[Run]) -> SafeString:
    """Show what was added and removed, word by word."""
    shapes = {ADDED: '<ins class="sf-ins">{}</ins>', REMOVED: '<del class="sf-del">{}</del>'}
    return format_html_join("", "{}", ((format_html(shapes.get(run.what, "{}"), run.text),) for run in runs))


FACTS: Final = {
    "channel": gettext_lazy("channel"),
    "language": gettext_lazy("language"),
    "composer": gettext_lazy("composer version"),
    "by_hand": gettext_lazy("by hand"),
    "negative_ignored": gettext_lazy("negative text"),
}


@register.filter
def fact_name(name: str) -> str:
    """Name what differs between two builds beside their texts."""
    return str(FACTS.get(name, name))


@register.filter
def fact_value(value: Any, name: str) -> str:
    """Say its value in words."""
    if name == "by_hand":
        return _("yes") if value else _("no")
    if name == "channel":
        return channel_name(value)
    if name == "negative_ignored":
        return note_of(value) if value else pgettext("negative text", "heard")
    return str(value)


@register.simple_tag
def what_badge(what: str) -> SafeString:
    """Say what became of a segment."""
    tone, name = WHATS.get(what, ("grey", what))
    return show.badge(name, tone)


@register.filter
def of_role(segments: Iterable[Mapping[str, Any]], role: str) -> list[Mapping[str, Any]]:
    """The segments of the positive or the negative text."""
    return [segment for segment in segments if segment.get("role") == role]
