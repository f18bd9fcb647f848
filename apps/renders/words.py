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
