"""What nodes say of themselves in fixed sentences (workers), so that people read them in their language.

A node speaks English, and another release of it may say things otherwise: what is not here stays as it is.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SAID: Final = (
    # how its ComfyUI, its store and its disks stand
    gettext_noop("ComfyUI does not answer: %(error)s"),
    gettext_noop("ComfyUI and GPU are being probed"),
    gettext_noop("the worker is shutting down"),
    gettext_noop("the artifact store has not answered a look for %(seconds)s s"),
    gettext_noop("this node's own disk has not answered a look for %(seconds)s s"),
    gettext_noop("the GPU's driver has not answered a look for %(seconds)s s"),
    gettext_noop(
        "the artifact store at %(place)s is not the farm's: no %(marker)s there; is it mounted, and has a "
        "ticker run?"
    ),
    gettext_noop("the artifact store at %(place)s cannot be read: %(error)s"),
    gettext_noop(
        "the artifact store at %(place)s is full; make room there, and work goes on by itself: %(free)s MiB "
        "are free"
    ),
    gettext_noop("this node's scratch disk at %(place)s cannot be used: %(error)s"),
    gettext_noop("this node's spool disk at %(place)s cannot be used: %(error)s"),
    gettext_noop(
        "this node's scratch disk at %(place)s is full (%(free)s MiB free, %(least)s needed); make room "
        "there, and work goes on by itself"
    ),
    gettext_noop(
        "this node's spool disk at %(place)s is full (%(free)s MiB free, %(least)s needed); make room "
        "there, and work goes on by itself"
    ),
    # its neighbours and its memory
    gettext_noop(
        "node %(node)s of this machine renders with the ComfyUI at %(address)s already; give each worker a "
        "COMFYUI_URL of its own"
    ),
    gettext_noop(
        "node %(node)s of this machine renders on card %(card)s already; start each ComfyUI on a card of its "
        "own, and set SHOTFARM_GPU to the same card's index or UUID"
    ),
    gettext_noop(
        "this worker holds %(held)s MiB of memory, above SHOTFARM_MAX_RSS_MB (%(limit)s); it is started anew "
        "once it is idle"
    ),
    gettext_noop(
        "this worker holds %(held)s MiB of memory, above SHOTFARM_MAX_RSS_MB (%(limit)s) soon after its "
        "start; is the limit too low?"
    ),
    gettext_noop("ComfyUI's machine has %(left)s MiB of memory left, below SHOTFARM_MIN_RAM_MB (%(least)s)"),
    # what it can do
    gettext_noop("ComfyUI names no device"),
    gettext_noop("ComfyUI is a stand-in without GPU; set SHOTFARM_SIMULATED=1 to let it serve"),
    gettext_noop("ComfyUI renders on the CPU: no VRAM"),
    gettext_noop("ComfyUI runs on another host, so this machine's NVML says nothing of its GPU"),
    gettext_noop("ComfyUI gives no VRAM size"),
    gettext_noop("GPU unknown while ComfyUI does not answer"),
    gettext_noop("tier %(full)s lowered to %(tier)s: other processes hold %(held)s MiB"),
    gettext_noop("%(memory)s MiB is below the smallest tier"),
    gettext_noop("%(count)s GPUs look alike; set SHOTFARM_GPU to the index or UUID that ComfyUI uses"),
    gettext_noop("NVML knows no card like the one ComfyUI names"),
    # why an attempt ended
    gettext_noop("the worker was restarted while this attempt was in hand"),
    # why it is sick or gone
    gettext_noop("ComfyUI hangs: %(error)s"),
    gettext_noop("ComfyUI is still busy with attempt %(attempt)s of a former life"),
    gettext_noop("a probe failed: %(message)s"),
    gettext_noop("no report for %(seconds)s s"),
)
"""As written by the workers' node, watch, gpu, store, disks, neighbours, memory, render and recover, and by
apps.nodes.services.silence. tests/unit/nodes/test_said.py holds them together."""
