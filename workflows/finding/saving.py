"""The nodes that save, and which of them makes the take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workflows.finding.choosing import with_alternatives
from workflows.finding.found import Candidate, FoundOutput, Why
from workflows.finding.origins import text_origins
from workflows.finding.view import View
from workflows.finding.words import why
from workflows.manifest import Target

SAVES: Final = {
    "SaveWEBM": "video",
    "SaveAnimatedWEBP": "image",
    "SaveAnimatedPNG": "image",
    "VHS_VideoCombine": "video",
}
"""What a class saves, where the type it takes does not tell."""
PREFIX: Final = "filename_prefix"
_KINDS: Final = (("VIDEO", "video"), ("IMAGE", "image"), ("MASK", "image"), ("AUDIO", "audio"))
_PREVIEWS: Final = ("Preview", "ImageCompare", "MaskPreview", "PreviewImage")


def outputs(view: View) -> tuple[tuple[FoundOutput, ...], list[Why]]:
    """Every node that saves files, the primary one first: clips before pictures, then the longest way."""
    saving = [node for node in view.graph if _saves(view, node)]
    shows = [node for node in view.graph if _shows(view, node)] if not saving else []
    rows = [(node, _kind(view, node)) for node in [*saving, *shows][:200]]
    rows = [(node, kind) for node, kind in rows if kind]
    order = {"video": 0, "image": 1}
    length = {node: len(view.above([node])) for node, _ in rows}
    rows.sort(key=lambda row: (order.get(row[1], 2), -length[row[0]]))
    notes = []
    if not rows or rows[0][1] not in order:
        notes.append(why("no_output"))
    elif shows:
        notes.append(why("only_previews", node=view.named(rows[0][0])))
    elif sum(kind == rows[0][1] for _, kind in rows) > 1:
        notes.append(why("several_outputs", node=view.named(rows[0][0])))
    found = [
        FoundOutput(node, view.class_of(node), kind, "secondary" if index else "primary")
        for index, (node, kind) in enumerate(rows)
    ]
    return tuple(found), notes


def prefix(view: View, found: Sequence[FoundOutput]) -> Candidate | None:
    """The names of all files that are saved."""
    parts = []
    for output in found:
        place = (output.node, PREFIX)
        if PREFIX not in view.given(output.node):
            continue
        linked = view.link(place) is not None
        origin = text_origins(view, place)
        target = Target(*place, replaces_link=linked)
        value = view.value(origin[0].place) if origin else None
        reason = why("output_name", node=view.named(output.node))
        parts.append(Candidate(PREFIX, (target,), value, not linked, reason))
    if not parts:
        return None
    targets = tuple(target for part in parts for target in part.targets)
    first = Candidate(PREFIX, targets, parts[0].value, all(part.sure for part in parts), parts[0].reason)
    return with_alternatives(first, [])


def _saves(view: View, node: str) -> bool:
    known = view.info(node)
    if not known:
        return view.class_of(node) in SAVES or PREFIX in view.given(node)
    return bool(known.get("output_node")) and PREFIX in view.specs(node)


def _shows(view: View, node: str) -> bool:
    return bool(view.info(node).get("output_node"))


def _kind(view: View, node: str) -> str:
    said = SAVES.get(view.class_of(node))
    if said:
        return said
    for kind, name in _KINDS:
        if view.linked(node, kind):
            return name
    return "other" if view.links(node) else ""
