"""How nodes stand, for templates."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from apps.common.show import seconds_text
from apps.nodes import standing
from apps.nodes.tags import tags_in

register = template.Library()
register.simple_tag(standing.badges, name="node_badges")
register.filter("tags", tags_in)

register.filter("basename", lambda path: str(path).rpartition("/")[2])

HARMLESS_S = 2.0
"""A clock that is off by less is not worth a word."""


@register.simple_tag
def clock_skew(ahead_s: float) -> str:
    """Say how far a node's clock is off, and that nothing depends on it."""
    if abs(ahead_s) < HARMLESS_S:
        return _("right")
    words = _("%(time)s ahead, harmless") if ahead_s > 0 else _("%(time)s behind, harmless")
    return words % {"time": seconds_text(abs(ahead_s))}
