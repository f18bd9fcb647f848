"""Every message between the coordinator and a GPU node, field by field.

Frozen dataclasses, JSON in and out, versioned. A message carries ids and facts: no objects, and no
secret but the attempt's own ``report_key``, which signs reports of this one attempt and is kept out
of everything that is shown (Flower shows ``argsrepr``; ``repr`` hides it).

==================  =========================  ==========================================
Message             Celery task (queue)        Answer (Celery result)
==================  =========================  ==========================================
RenderOrder         RENDER  (vram.t, node.*)   RenderReport; failed: RenderFailed(report)
ClaimRequest        CLAIM   (claims)           ClaimReply
Bell                BELL    (reports)          –  (the report is RENDER's result)
NodeReport          REPORT  (reports)          NodeDirectives
–                   WAKE    (node.*)           –  (makes a worker re-read its queues)
canary's id         CANARY  (node.*)           –  (told again in the next NodeReport)
==================  =========================  ==========================================

Nodes and coordinator are brought up to date one after the other, so within one VERSION

- a message gains fields with a default only, and whoever does not know one leaves it out;
- an enumeration gains nothing: its words decide;
- what a report's signature covers stays what it is (:data:`SIGNED`): new fields are not signed.

Anything else is a new VERSION, which is refused by name, and shown to the operator.
"""

from __future__ import annotations

from farm.contracts.catalogues import (
    PackedCatalogue,
    pack_catalogue,
    read_catalogue_text,
    unpack_catalogue,
)
from farm.contracts.inventory import FileFact, Inventory, InventoryPart
from farm.contracts.nodes import (
    Capabilities,
    ComfyFact,
    GpuFact,
    NodeDirectives,
    NodeReport,
    ProbeResult,
    RunningAttempt,
    read_node_report,
)
from farm.contracts.orders import (
    ClaimReply,
    ClaimRequest,
    LatentForm,
    OrderInput,
    OrderOutput,
    RenderOrder,
    pack_graph,
)
from farm.contracts.reading import (
    LONGEST_TEXT,
    ContractError,
    canonical,
    from_json,
    printable,
    to_json,
)
from farm.contracts.reports import (
    SIGNED,
    ArtifactFact,
    Bell,
    Failure,
    LogLine,
    RenderFailed,
    RenderReport,
    Timings,
)
from farm.contracts.words import (
    ARCHIVE,
    BELL,
    CANARY,
    CLAIM,
    COMFY_ORG,
    CONTROL_CANCEL,
    CONTROL_UNSTAGE,
    FOLDERS,
    FRAMES,
    HEARS,
    IN_ORDERS,
    LATENTS,
    MANIFEST_NAME,
    MATERIAL,
    MEDIA,
    NUMBERED,
    PUBLISH,
    RENDER,
    REPORT,
    SHEET,
    STORE_MARKER,
    TAIL,
    TICK_CHANNEL,
    UNSIZED,
    UNSTAGED,
    VERSION,
    WAKE,
    FailureClass,
    Mebibytes,
    NodeState,
    Outcome,
    Source,
    Stage,
)

__all__ = [
    "ARCHIVE",
    "BELL",
    "CANARY",
    "CLAIM",
    "COMFY_ORG",
    "CONTROL_CANCEL",
    "CONTROL_UNSTAGE",
    "FOLDERS",
    "FRAMES",
    "HEARS",
    "IN_ORDERS",
    "LATENTS",
    "LONGEST_TEXT",
    "MANIFEST_NAME",
    "MATERIAL",
    "MEDIA",
    "NUMBERED",
    "PUBLISH",
    "RENDER",
    "REPORT",
    "SHEET",
    "SIGNED",
    "STORE_MARKER",
    "TAIL",
    "TICK_CHANNEL",
    "UNSIZED",
    "UNSTAGED",
    "VERSION",
    "WAKE",
    "ArtifactFact",
    "Bell",
    "Capabilities",
    "ClaimReply",
    "ClaimRequest",
    "ComfyFact",
    "ContractError",
    "Failure",
    "FailureClass",
    "FileFact",
    "GpuFact",
    "Inventory",
    "InventoryPart",
    "LatentForm",
    "LogLine",
    "Mebibytes",
    "NodeDirectives",
    "NodeReport",
    "NodeState",
    "OrderInput",
    "OrderOutput",
    "Outcome",
    "PackedCatalogue",
    "ProbeResult",
    "RenderFailed",
    "RenderOrder",
    "RenderReport",
    "RunningAttempt",
    "Source",
    "Stage",
    "Timings",
    "canonical",
    "from_json",
    "pack_catalogue",
    "pack_graph",
    "printable",
    "read_catalogue_text",
    "read_node_report",
    "to_json",
    "unpack_catalogue",
]
