"""Node classes that the catalogue does not have."""

from __future__ import annotations

import difflib
from typing import Final

from workflows.catalogue import ObjectInfo
from workflows.convert.places import Place
from workflows.convert.saying import Findings, shown
from workflows.convert.texts import OWN_NAME
from workflows.wording import said as _

MOST_LOOKED_FOR: Final = 8
"""Names whose nearest are looked for; each takes some milliseconds."""


class UnknownClasses:
    """Says of each unknown class whether it is a mistake.

    It is none if the file shows that the ComfyUI it comes from had the class. Then only this catalogue
    lacks it, and a note says so.
    """

    def __init__(self, object_info: ObjectInfo, findings: Findings, notes: Findings) -> None:
        self._object_info, self._findings, self._notes = object_info, findings, notes
        self._nearest: dict[str, list[str]] = {}

    def say(self, place: Place) -> None:
        kind = place.node.type
        if kind.startswith(("workflow/", "workflow>")):
            told = _(
                "%(node)s is a group node that the file does not describe, or that stands in another; open "
                "the file in ComfyUI and convert it to a subgraph.",
                node=place.named,
            )
            self._findings.add("missing_node_type", told, place.id)
            return
        told = _("%(node)s: this ComfyUI has no node class %(name)s.", node=place.named, name=shown(kind))
        near = self._near(kind)
        if near:
            told = _("%(sentence)s The nearest are %(names)s.", sentence=told, names=", ".join(near))
        if _registered(place):
            told = _(
                "%(sentence)s Its values cannot be told; convert with the object_info of one that has it.",
                sentence=told,
            )
            self._notes.add("missing_node_type", told, place.id)
        else:
            self._findings.add("missing_node_type", told, place.id)

    def _near(self, kind: str) -> list[str]:
        if kind not in self._nearest and len(self._nearest) < MOST_LOOKED_FOR:
            self._nearest[kind] = difflib.get_close_matches(kind[:100], self._object_info, 3)
        return self._nearest.get(kind, [])


def _registered(place: Place) -> bool:
    """True if the file's ComfyUI had the class: it names its nodes by class, or by the pack they are of."""
    properties = place.node.properties
    own = properties.get(OWN_NAME)
    packed = any(isinstance(properties.get(key), str) for key in ("cnr_id", "aux_id"))
    return own == place.node.type or (own is None and packed)
