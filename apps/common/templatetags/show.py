"""The pieces of apps.common.show, for templates."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.db.models import Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.common import show

register = template.Library()

register.filter("bytes", show.bytes_text)
register.filter("gb", show.gb_text)
register.filter("tier", show.tier_text)
register.filter("seconds", show.seconds_text)
register.filter("spoken", show.spoken)
register.filter("moment", show.moment)
register.simple_tag(show.simulated_badge)
register.simple_tag(show.badge)
register.simple_tag(show.bar)
register.simple_tag(show.no_picture)


@register.simple_tag
def state(row: Model, field: str = "state") -> SafeString:
    """Show the state in ``field`` of a row as a badge."""
    value = str(getattr(row, field))
    return show.state_badge(value, getattr(row, f"get_{field}_display")())


@register.simple_tag
def count_badge(state_name: str, label: str, count: int) -> SafeString:
    """Show how many are in a state."""
    return show.state_badge(state_name, f"{label} {count}")


@register.simple_tag
def badge_of_status(status: Any) -> SafeString:
    """Show a shot's status in the studio's words and colour."""
    return show.badge(show.spoken(status, "name"), status.colour)


@register.filter
def arrow(status: Model) -> str:
    """Say where a status button leads."""
    return f"→ {show.spoken(status, 'name')}"


@register.filter
def to_do(state_name: str) -> str:
    """Say what a button does that leads to a state."""
    return str(show.TO_DO[str(state_name)])


@register.simple_tag
def machine_name(machine: str) -> str:
    """Name what an event is about."""
    return str(show.MACHINES.get(machine, machine))


@register.simple_tag
def segments(build: Any, role: str) -> SafeString:
    """Show one role of a prompt, each piece in the colour of its source."""
    own = [piece for piece in build.segments if piece.get("role") == role]
    if not own:
        return show.NOTHING
    return format_html_join(
        " ", "{}", ((show.segment(piece["text"], piece["source"], piece.get("label", "")),) for piece in own)
    )


@register.simple_tag
def sources(build: Any) -> SafeString:
    """Name the sources a prompt was written from, each in its colour."""
    used = dict.fromkeys(piece["source"] for piece in build.segments)
    return format_html_join(" ", "{}", ((show.source_badge(source),) for source in used))


@register.filter
def pretty(value: Any) -> str:
    """Write JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
