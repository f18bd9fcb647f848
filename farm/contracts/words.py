"""What messages are made of: names of tasks, and words that both sides know. Closed within a VERSION."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

VERSION: Final = 1

RENDER: Final = "shotfarm.render"
WAKE: Final = "shotfarm.wake"
CANARY: Final = "shotfarm.canary"
CLAIM: Final = "shotfarm.claim"
BELL: Final = "shotfarm.bell"
REPORT: Final = "shotfarm.node_report"
MEDIA: Final = "shotfarm.media"
MATERIAL: Final = "shotfarm.material"
PUBLISH: Final = "shotfarm.publish"
FOLDERS: Final = "shotfarm.folders"
SHEET: Final = "shotfarm.sheet"
TAIL: Final = "shotfarm.tail"
ARCHIVE: Final = "shotfarm.archive"

CONTROL_CANCEL: Final = "shotfarm_cancel"
"""Remote control command, heard while all slots are busy: ``{"attempt_id": …}``."""

CONTROL_UNSTAGE: Final = "shotfarm_unstage"
"""Remote control command, ``{"attempt_id": …}``: give a prompt up that is staged, for urgent work. One that
executes goes on; one that was given up is reported CANCELLED for the reason UNSTAGED."""

UNSTAGED: Final = "made way for urgent work"
"""``RenderReport.reason`` of an attempt that was given up while it waited."""

UNSIZED: Final = "unsized"
NUMBERED: Final = "numbered"
FRAMES: Final = "frames"
LATENTS: Final = "latents"
IN_ORDERS: Final = (UNSIZED, NUMBERED, FRAMES, LATENTS)
"""What an order can say that workers of before misread or refuse: outputs of 0 pixels or frames, inputs with
a number, outputs of the kind "frames", outputs of the kind "latent". Whatever an order can say anew gets a
word here (RenderOrder.says)."""

HEARS: Final = ("canary", "unstage", "probe", *IN_ORDERS)
"""What nodes of this version heed beside plain render orders: told in ``NodeReport.hears``. Older ones tell
nothing, must not be called deaf for a canary they do not know, and are sent no order that says more."""

COMFY_ORG: Final = "comfy.org"
"""The account by whose key ComfyUI's API nodes (KLING and others) work: ``RenderOrder.key``."""

MANIFEST_NAME: Final = "manifest.json"
STORE_MARKER: Final = ".shotfarm-store"
"""Key of the file by which a node knows the farm's artifact store from an empty mount point."""

TICK_CHANNEL: Final = "shotfarm.tick"
"""Redis channel that wakes the ticker. Nothing but speed depends on it."""

Mebibytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 24)]
"""Memory of a card: below 16 TiB, so that nobody's word is too large for a column."""


class Outcome(StrEnum):
    """How an attempt ended on its node."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DROPPED = "dropped"  # the claim was refused or unanswered: nothing was rendered


class FailureClass(StrEnum):
    """Why an attempt failed. The class decides what happens next (design §6)."""

    OUT_OF_MEMORY = "out_of_memory"
    REJECTED_GRAPH = "rejected_graph"
    MISSING_MODEL = "missing_model"
    INPUT_MISSING = "input_missing"
    COMFY_CRASHED = "comfy_crashed"
    COMFY_HUNG = "comfy_hung"
    INFRASTRUCTURE = "infrastructure"
    OUTPUT_INVALID = "output_invalid"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where an accepted attempt stands on its node."""

    ACCEPTED = "accepted"
    STAGED = "staged"
    EXECUTING = "executing"
    COLLECTING = "collecting"


class NodeState(StrEnum):
    """What a node says of itself. OFFLINE is never said; the coordinator concludes it."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    DEAF = "deaf"
    SICK = "sick"


class Source(StrEnum):
    """Where a GPU fact comes from."""

    NVML = "nvml"
    COMFYUI = "comfyui"
    SIMULATED = "simulated"
    UNKNOWN = "unknown"
