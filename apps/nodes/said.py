"""What workers say of their nodes, in the reader's language. A worker speaks English and has no catalogue.

Each sentence stands as the worker's own code writes it, with places for what differs; a test lets the workers
speak and holds this list to it. What no sentence fits is shown as it came.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop as _

from apps.common.phrases import Phrases

SAID: Final = (
    _("the worker is shutting down"),
    _("ComfyUI and GPU are being probed"),
    _("ComfyUI does not answer: %(error)s"),
    _("%(what)s has not answered a look for %(seconds)s s"),
    _("somebody else's prompt executes in ComfyUI; orders wait behind it for %(limit)s s at most (%(name)s)"),
    _("somebody else's prompt executes in ComfyUI; orders wait behind it without end (%(name)s)"),
    _(
        "somebody else's prompts have had ComfyUI for more than %(limit)s s (%(name)s); work goes on when "
        "they are done"
    ),
    _(
        "node %(node)s of this machine renders with the ComfyUI at %(address)s already; give each worker a "
        "COMFYUI_URL of its own"
    ),
    _(
        "node %(node)s of this machine renders on card %(card)s already; start each ComfyUI on a card of its "
        "own, and set SHOTFARM_GPU to the same card's index or UUID"
    ),
    _("this node's scratch disk at %(disk)s cannot be used: %(error)s"),
    _("this node's spool disk at %(disk)s cannot be used: %(error)s"),
    _(
        "this node's scratch disk at %(disk)s is full (%(free)s MiB free, %(least)s needed); make room "
        "there, and work goes on by itself"
    ),
    _(
        "this node's spool disk at %(disk)s is full (%(free)s MiB free, %(least)s needed); make room there, "
        "and work goes on by itself"
    ),
    _(
        "the artifact store at %(place)s is not the farm's: no %(marker)s there; is it mounted, and has a "
        "ticker run?"
    ),
    _("the artifact store at %(place)s cannot be read: %(error)s"),
    _(
        "the artifact store at %(place)s is full; make room there, and work goes on by itself: %(free)s MiB "
        "are free"
    ),
    _("ComfyUI's machine has %(left)s MiB of memory left, below %(name)s (%(least)s)"),
    _(
        "this worker holds %(held)s MiB of memory, above %(name)s (%(limit)s); it is started anew once it is "
        "idle"
    ),
    _(
        "this worker holds %(held)s MiB of memory, above %(name)s (%(limit)s) soon after its start; is the "
        "limit too low?"
    ),
    _("tier %(full)s lowered to %(tier)s: other processes hold %(foreign)s MiB"),
    _("%(total)s MiB is below the smallest tier"),
    _("ComfyUI renders on the CPU: no VRAM"),
    _("ComfyUI names no device"),
    _("ComfyUI gives no VRAM size"),
    _("ComfyUI is a stand-in without GPU; set SHOTFARM_SIMULATED=1 to let it serve"),
    _("ComfyUI runs on another host, so this machine's NVML says nothing of its GPU"),
    _("GPU unknown while ComfyUI does not answer"),
    _("NVML knows no card like the one ComfyUI names"),
    _("%(count)s GPUs look alike; set SHOTFARM_GPU to the index or UUID that ComfyUI uses"),
    _("ComfyUI hangs: %(error)s"),
    _("ComfyUI is still busy with attempt %(attempt)s of a former life"),
    _("a probe failed: %(message)s"),
    _("the worker was restarted while this attempt was in hand"),
    _("no report for %(seconds)s s"),
)
"""The last one is the coordinator's, of a node that says nothing."""

_KNOWN: Final = Phrases(SAID)
_AND: Final = "; "


def said_in_words(reason: str) -> str:
    """Say a worker's reason, or two of them, in the reader's language; "" for what is none of the list."""
    if told := _KNOWN.find(reason):
        return told
    first, both, second = reason.partition(_AND)
    while both:
        if (said := _KNOWN.find(first)) and (also := _KNOWN.find(second)):
            return f"{said}{_AND}{also}"
        more, both, second = second.partition(_AND)
        first = f"{first}{_AND}{more}"
    return ""
