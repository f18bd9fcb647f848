"""What people read for the classes of failure and the machines of events."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.contracts import FailureClass

FAILURES: dict[str, Promise] = {
    FailureClass.OUT_OF_MEMORY: _("out of memory"),
    FailureClass.REJECTED_GRAPH: _("graph rejected"),
    FailureClass.MISSING_MODEL: _("model missing"),
    FailureClass.INPUT_MISSING: _("input missing"),
    FailureClass.COMFY_CRASHED: _("ComfyUI crashed"),
    FailureClass.COMFY_HUNG: _("ComfyUI hung"),
    FailureClass.INFRASTRUCTURE: _("infrastructure"),
    FailureClass.OUTPUT_INVALID: _("output invalid"),
    FailureClass.TIMED_OUT: _("timed out"),
    FailureClass.UNKNOWN: _("unknown failure"),
}

REASONS: dict[str, Promise] = {
    "a render was submitted": _("a render was submitted"),
    "a take came back": _("a take came back"),
    "all it waited for is done": _("all it waited for is done"),
    "cancelled": _("cancelled"),
    "claimed": _("claimed"),
    "created": _("created"),
    "desired state": _("desired state"),
    "imported": _("imported"),
    "late success of an earlier attempt": _("late success of an earlier attempt"),
    "look again": _("look again"),
    "no attempt was open": _("no attempt was open"),
    "no worker accepted the order in time": _("no worker accepted the order in time"),
    "rendered": _("rendered"),
    "requeued": _("requeued"),
    "submitted": _("submitted"),
    "the broker cannot be reached": _("the broker cannot be reached"),
}
"""The farm's own fixed reasons in event rows. Anything else was said by a person, a node or ComfyUI."""


def reason_in_words(reason: str) -> str:
    """Say the reason of an event in the reader's language, where it is the farm's own."""
    return str(REASONS.get(reason, reason))
