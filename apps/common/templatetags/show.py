"""The pieces of apps.common.show, for templates."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.db.models import Model
from django.utils.safestring import SafeString

from apps.common import show

register = template.Library()

register.filter("bytes", show.bytes_text)
register.filter("gb", show.gb_text)
register.filter("tier", show.tier_text)
register.filter("seconds", show.seconds_text)
register.filter("spoken", show.spoken)
register.simple_tag(show.simulated_badge)
register.simple_tag(show.badge)
register.simple_tag(show.bar)
register.simple_tag(show.no_picture)


@register.simple_tag
def state(row: Model, field: str = "state") -> SafeString:
    """Show the state in ``field`` of a row as a badge."""
    value = str(getattr(row, field))
    return show.state_badge(value, getattr(row, f"get_{field}_display")())


@register.filter
def pretty(value: Any) -> str:
    """Write JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
