"""What changes a node: its own reports, an operator's wish, silence, failures, the hour of the day."""

from apps.nodes.services.catalogues import wants_catalogue
from apps.nodes.services.health import Blamed, blame, conclude, recover
from apps.nodes.services.hours import keep_hours
from apps.nodes.services.mishearing import mishear, note_refusals, refusals
from apps.nodes.services.reporting import forget_capabilities, receive, receive_all
from apps.nodes.services.silence import mark_silent_nodes_offline
from apps.nodes.services.steering import (
    STEER,
    Place,
    accept_software,
    assign,
    at_version,
    bound_golden_renders,
    require_steering,
    say_well,
    set_desired,
    set_note,
    work_until,
)
from apps.nodes.services.watching import watch_software

__all__ = [
    "STEER",
    "Blamed",
    "Place",
    "accept_software",
    "assign",
    "at_version",
    "blame",
    "bound_golden_renders",
    "conclude",
    "forget_capabilities",
    "keep_hours",
    "mark_silent_nodes_offline",
    "mishear",
    "note_refusals",
    "receive",
    "receive_all",
    "recover",
    "refusals",
    "require_steering",
    "say_well",
    "set_desired",
    "set_note",
    "wants_catalogue",
    "watch_software",
    "work_until",
]
